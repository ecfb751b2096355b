# ===----------------------------------------------------------------------===
# This source file is part of the Belay open source project.
# Copyright (c) 2026 the Belay project authors.
# Licensed under Apache License v2.0; see LICENSE for details.
# SPDX-License-Identifier: Apache-2.0
# ===----------------------------------------------------------------------===
"""Every fault of a network, made for real, gets its own reason within the bound, from the kernel's own figures.

Each fault has a lab of its own (server, router, client: three network namespaces), a server in it and 20 peers on the
far side, of three protocols and in any phase of their heartbeats. All labs run at the same time. Of every fault:

* the reason is the fault's, for each peer;
* a verdict on silence falls within the bound and not before 0.9 of it, one on the write deadline within the deadline;
* exactly one closed for each opened, with TCP_INFO as evidence, and with the figures that the reason speaks of;
* peers of the same server that come another way (its loopback) are neither suspected nor closed.

And a path that is merely slow gets no verdict at all: megabytes of our own are ahead of the ping for many bounds, and
every peer is alive afterwards.

    FAULTS="cable filter" Scenarios/run faults     only those whose name contains one of the words
    FAULT_RUNS=20 Scenarios/run faults             all of it 20 times, each time in new labs
    FAULT_TABLE=1 Scenarios/run faults             a line for each fault, also when all is right
    LAB_CONGESTION=reno Scenarios/run faults       with another congestion control than this machine's
"""

import collections
import os
import random
import re
import signal
import threading
import time
import traceback

from harness import SECOND, Failure, Peer, Talker, check, main, message_bytes, milliseconds, now
from lab import Lab, lacking, sweep
from lateness import Lateness, watched

RUNS = int(os.environ.get("FAULT_RUNS", "1"))
CHOSEN = os.environ.get("FAULTS", "").split()
PEERS = 20
BESIDE = 4           # peers of the same server that no fault touches
PROTOCOLS = ["raw", "lines", "frames"]
LATE = 60            # milliseconds in which a line is written, scheduled and read, beside what the machine was late by
WRITE_LATE = 500     # the same for the write deadline, which is not measured from the last byte (see not_reading.py)
COARSE = 25          # milliseconds: the kernel's ages are as coarse as its tick, and taken a little before the event
STALE = 200          # milliseconds that a pong may need on a busy machine
BULK = 300_000       # bytes for each peer of a path that has 20,000 a second for it
LITTLE = 60_000      # bytes that fit in the buffers of the server
CHUNK = 30_000       # bytes of one message of the bulk
IN_FLIGHT = 0.35     # of the bound: longer than an interval, so that everybody has a ping in flight
PATH = 400_000       # bytes a second of a slow path
QUEUE = 1_000_000    # bytes that wait at its entrance; the peers' windows fill less than that, so nothing is dropped
SHOWN = 1            # of the same mistake with the same fault, with all that is known about it

FAULTS = []


def fault(name, *reasons, bound=1.0, **options):
    """Registers a fault and the reasons that may be given for it."""
    def register(strike):
        FAULTS.append((name, reasons, bound, options, strike))
        return strike
    return register


class Reader(Peer):
    """Reads much at once."""

    chunk = 1 << 18


def bulk_text(peer):
    return message_bytes(peer.protocol, b"x" * CHUNK)


class Trial:
    """One fault, once: its lab, the server, the peers, and what was seen."""

    def __init__(self, stage, loop, lateness, name, reasons, bound, write=None):
        self.stage, self.loop, self.name, self.reasons, self.bound = stage, loop, name, reasons, bound
        self.lateness = lateness
        self.write = write or bound
        self.wrong, self.closed, self.seen, self.acked, self.still = [], [], {}, {}, []
        self.struck = self.done = None  # when the fault began, and when it had been made
        self.remark, self.over = "", False
        self.lab = stage.adopt(Lab())
        arguments = ["--detect-within", "%gs" % bound, "--messages", "echo", "--threads", "1"]
        arguments += ["--write-within", "%gs" % write] if write else []
        with self.lab.server:
            self.server = stage.serve(*arguments, listen=PROTOCOLS, host="0.0.0.0")
            self.beside = [self._connect(PROTOCOLS[index % 3], "127.0.0.1", kind=Talker if index % 2 else Peer)
                           for index in range(BESIDE)]

    def _connect(self, protocol, address, **parameters):
        return self.loop.connect((address, self.server.address(protocol)[1]), protocol, greet=True, **parameters)

    # What a fault is made of.

    def connect(self, count=PEERS, settle=True, **parameters):
        """Peers behind the router, spread over the phases of a heartbeat, who have been alive for a while."""
        peers = []
        opened = self.server.log.count("connection.opened")
        for index in range(count):
            with self.lab.client:
                peers.append(self._connect(PROTOCOLS[index % 3], self.lab.server_address,
                                           source=self.lab.client_address, **parameters))
            time.sleep(self.bound / 3 / count)
        self.server.log.wait_count("connection.opened", opened + count, 10)
        if settle:
            time.sleep(self.bound * random.uniform(0.7, 1))
        return peers

    def connect_process(self, count=PEERS):
        """The same in a process of their own; returns the process and the peers' addresses."""
        with self.lab.client:
            process = self.stage.peer_process(self.lab.client_address)
        addresses = []
        opened = self.server.log.count("connection.opened")
        for index in range(count):
            protocol = PROTOCOLS[index % 3]
            addresses += process.connect((self.lab.server_address, self.server.address(protocol)[1]), protocol,
                                         greet=True)
            time.sleep(self.bound / 3 / count)
        self.server.log.wait_count("connection.opened", opened + count, 10)
        time.sleep(self.bound * random.uniform(0.7, 1))
        return process, addresses

    def bulk(self, peers, size=BULK):
        """The server has so much to send to each of them; they said it, and it comes back."""
        threading.Thread(target=self._follow, daemon=True).start()
        for peer in peers:
            peer.write(bulk_text(peer) * (size // CHUNK))

    def strike(self, action, *arguments):
        """The fault, which is there when its command ends; that may wait for the disk, most of a second."""
        self.struck = now()
        action(*arguments)
        self.done = now()

    def expect(self, peers, within=None, deadline="silence", reasons=None):
        """One closed for each, for one of the reasons and in time; what does not hold is kept.

        `deadline` is "silence", "write" or "either", or None where an error of the kernel ends the connection.
        """
        addresses = [getattr(peer, "address", peer) for peer in peers]
        reasons = reasons or self.reasons
        within = within or (self.bound if deadline in ("silence", None) else max(self.bound, self.write))
        looks = threading.Thread(target=self._look, args=(within,), daemon=True)
        looks.start()
        for address in addresses:
            try:
                event = self.server.log.wait_for("connection.closed", within + 2, remote=address)
            except Failure as failure:
                self.refuse("no closed", address, *failure.events)
                continue
            self.closed.append(event)
            if event.reason not in reasons:
                self.refuse("%s for %s" % (event.reason, "/".join(reasons)), address, event)
            late = (event.at - self.done) / SECOND - within
            allowed = LATE if deadline in ("silence", None) else WRITE_LATE
            if late * 1000 > allowed and late * 1000 > allowed + self._machine(event):
                self.refuse("%.0f ms after the %g s that it may take" % (late * 1000, within), address, event)
            if deadline is not None:
                self._check_figures(address, event, deadline)
            if deadline == "write" or event.data["evidence"].get("unsentBytes"):
                self._check_stillness(address, event)
        looks.join()

    def _check_figures(self, address, event, deadline):
        silence, bound, reason = event.data["silenceMs"], event.data["boundMs"], event.reason
        evidence = event.data["evidence"]
        if deadline == "silence" and not 0.9 * bound <= silence <= bound + 10 and not evidence["errno"]:
            self.refuse("silenceMs %s of %s" % (silence, bound), address, event)
        tcp = evidence["tcp"]
        if tcp is None:
            self.refuse("no evidence.tcp", address, event)
            return
        plausible = {
            "path.lost": tcp["probes"] > 0 or tcp["unacked"] > 0 and
                         (tcp["retransmits"] > 0 or tcp["lastAckReceivedMs"] * 1000 > tcp["rtoUs"]),
            "local.cannot-send": tcp["unacked"] > 0 or tcp["notSentBytes"] > 0,
            "peer.frozen": tcp["unacked"] == 0 and tcp["notSentBytes"] == 0,
            "peer.not-reading": tcp["notSentBytes"] > 0 or tcp["sendWindow"] == 0,
        }
        if not plausible.get(reason, True):
            self.refuse("the figures do not say %s" % reason, address, event)
        # Ours is the longer one where a pong came late: it proves life when its ping was sent (rule R15).
        longer = silence - tcp["lastDataReceivedMs"]
        if deadline == "silence" and not (-COARSE <= longer <= STALE or -COARSE - self._machine(event) <= longer < 0):
            self.refuse("the kernel counts %s ms of silence, we %s" % (tcp["lastDataReceivedMs"], silence), address,
                        event)

    def _machine(self, event):
        """Milliseconds by which this machine ran late since the last bytes; what stalled us stalled its notes as well."""
        time.sleep(0.02)
        return self.lateness.worst(self.struck - int(self.bound * SECOND), event.at) / 1e6

    def _check_stillness(self, address, event):
        """A verdict on the write deadline: no byte has moved for that long."""
        if address in self.acked:
            self.still.append((event.at - self.acked[address][1]) / SECOND / self.write)
            if self.still[-1] < 0.4:  # the server's last movement may be the one before (see not_reading.py)
                self.refuse("bytes moved %.2f of the write deadline ago" % self.still[-1], address, event)

    def _look(self, within):
        """What `ss` told of the connections while they were judged, to go with a wrong verdict."""
        for share in (0.65, 0.93):
            time.sleep(max(0, within * share - (now() - self.done) / SECOND))
            sockets, at = self.lab.server.sockets(), (now() - self.done) / SECOND
            for address, line in sockets.items():
                if address not in self.acked:
                    self.seen.setdefault(address, []).append("ss at %.2f s: %s" % (at, line))

    def _follow(self):
        """When the kernel of each peer acknowledged more than before."""
        while not self.over:
            for address, line in self.lab.server.sockets().items():
                count = int((re.search(r"bytes_acked:(\d+)", line) or [0, 0])[1])
                if self.acked.get(address, (None, 0))[0] != count:
                    self.acked[address] = (count, now())
                self.seen[address] = ["ss, %.0f ms after more was acknowledged: %s" %
                                      (milliseconds(now() - self.acked[address][1]), line)]
            time.sleep(0.1)

    def refuse(self, what, address=None, *events):
        self.wrong.append((what, address, [str(event) for event in events] + self.seen.get(address, [])))

    # A trial as a whole, in a thread of its own.

    def run(self, strike):
        try:
            strike(self)
            events = [event for peer in self.beside for event in self.server.log.about(peer.address)
                      if event.type in ("connection.suspected", "connection.closed")]
            if events:
                self.refuse("a peer beside the fault was suspected or closed", None, *events[:4])
        except Exception as error:
            self.refuse(str(error) if isinstance(error, Failure) else traceback.format_exc().strip())
        finally:
            self.over = True

    def __str__(self):
        counts = collections.Counter(event.reason for event in self.closed)
        shares = sorted(event.data["silenceMs"] / event.data["boundMs"] for event in self.closed)
        after = sorted((event.at - self.done) / SECOND / self.bound for event in self.closed)
        if self.still:
            self.remark = "bytes moved %.2f-%.2f of the write deadline ago" % (min(self.still), max(self.still))
        return "%-43s %-34s silence %-12s after the fault %-12s of the bound  %s" % (
            self.name, ", ".join("%s %d" % pair for pair in counts.most_common()) or "no verdict",
            "%.3f-%.3f" % (shares[0], shares[-1]) if shares else "",
            "%.2f-%.2f" % (after[0], after[-1]) if after else "",
            "%d wrong: %s" % (len(self.wrong), dict(collections.Counter(what for what, _, _ in self.wrong)))
            if self.wrong else self.remark)


# --- The path ---------------------------------------------------------------------------------------------------------


@fault("cable pulled at the peer", "path.lost", "path.unreachable")
def cable_at_peer(trial):
    peers = trial.connect()
    trial.strike(trial.lab.client.down)
    trial.expect(peers)


@fault("cable pulled at the router", "path.lost", "path.unreachable")
def cable_at_router(trial):
    peers = trial.connect()
    trial.strike(trial.lab.router.down, "client")
    trial.expect(peers)


@fault("dropped both ways", "path.lost")
def dropped(trial):
    peers = trial.connect()
    trial.strike(trial.lab.router.filter, "forward", "drop")
    trial.expect(peers)


@fault("dropped on the way out", "path.lost")
def dropped_out(trial):
    peers = trial.connect()
    trial.strike(trial.lab.router.filter, "forward", 'iifname "server" drop')
    trial.expect(peers)


@fault("dropped on the way back", "path.lost")
def dropped_back(trial):
    peers = trial.connect()
    trial.strike(trial.lab.router.filter, "forward", 'iifname "client" drop')
    trial.expect(peers)


@fault("host gone", "path.lost", "path.unreachable")
def host_gone(trial):
    process, addresses = trial.connect_process()
    # The cable first: a process that dies on a host that lives says so.
    trial.strike(trial.lab.client.ip, "link del net")
    process.kill()
    trial.lab.client.close()
    trial.expect(addresses)


@fault("refused by the router", "path.lost", "path.unreachable")
def refused(trial):
    peers = trial.connect()
    trial.strike(trial.lab.router.filter, "forward", 'iifname "server" reject with icmp type host-unreachable')
    trial.expect(peers)


@fault("reset by the router", "peer.reset")
def reset(trial):
    peers = trial.connect()
    trial.strike(trial.lab.router.filter, "forward", 'iifname "server" meta l4proto tcp reject with tcp reset')
    trial.expect(peers, deadline=None)


@fault("cable pulled under bulk", "path.lost", "path.unreachable", bound=2.0)
def cable_under_bulk(trial):
    trial.lab.router.shape("client", PATH, QUEUE)
    peers = trial.connect(kind=Reader, receive_buffer=8192)
    trial.bulk(peers)
    time.sleep(1)
    trial.strike(trial.lab.client.down)
    trial.expect(peers, deadline="either")


@fault("dropped under bulk without end", "path.lost", bound=2.0)
def dropped_under_bulk(trial):
    # Peers that write as fast as they can: our queue for them is full, and nothing more is read from them.
    trial.lab.router.shape("client", PATH, QUEUE)
    peers = trial.connect(count=PEERS // 3, kind=Reader, receive_buffer=8192)
    for peer in peers:
        peer.feed(lambda text=bulk_text(peer): text)
    time.sleep(1)
    trial.strike(trial.lab.router.filter, "forward", "drop")
    trial.expect(peers, deadline="either")


@fault("dropped behind a closed window", "path.lost", bound=2.0, write=4.0)
def dropped_behind_closed_window(trial):
    peers = trial.connect(kind=Talker, receive_buffer=8192)
    trial.loop.become(peers, "deaf")
    trial.bulk(peers)
    time.sleep(1)
    trial.strike(trial.lab.router.filter, "forward", "drop")
    trial.expect(peers, deadline="write")


@fault("dropped behind a closed window, little bulk", "path.lost", bound=2.0)
def dropped_behind_closed_window_little(trial):
    # So little that the server still reads: the verdict is one on silence.
    peers = trial.connect(receive_buffer=8192)
    trial.loop.become(peers, "deaf")
    trial.bulk(peers, LITTLE)
    time.sleep(0.4)
    trial.strike(trial.lab.router.filter, "forward", "drop")
    trial.expect(peers, deadline="either")


# --- Our own host -----------------------------------------------------------------------------------------------------


@fault("our interface down", "local.cannot-send")
def our_interface(trial):
    peers = trial.connect()
    trial.strike(trial.lab.server.down)
    trial.expect(peers)


@fault("our interface down, ping in flight", "local.cannot-send", bound=3.0)
def our_interface_in_flight(trial):
    peers = trial.connect()
    trial.strike(trial.lab.router.filter, "forward", 'iifname "client" drop')
    time.sleep(IN_FLIGHT * trial.bound)
    trial.lab.server.down()
    trial.expect(peers)


@fault("our interface down, bulk in flight", "local.cannot-send", bound=2.0)
def our_interface_under_bulk(trial):
    trial.lab.router.shape("client", PATH, QUEUE)
    peers = trial.connect(kind=Reader, receive_buffer=8192)
    trial.bulk(peers)
    time.sleep(1)
    trial.strike(trial.lab.server.down)
    trial.expect(peers, deadline="either")


@fault("our cable pulled", "local.cannot-send", "path.lost", "path.unreachable")
def our_cable(trial):
    # Without a carrier the interface takes some packets and refuses others: both words are true.
    peers = trial.connect()
    trial.strike(trial.lab.router.down, "server")
    trial.expect(peers)


@fault("our filter", "local.cannot-send")
def our_filter(trial):
    peers = trial.connect()
    trial.strike(trial.lab.server.filter, "output", 'oifname "net" drop')
    trial.expect(peers)


@fault("our filter, ping in flight", "local.cannot-send", bound=3.0)
def our_filter_in_flight(trial):
    peers = trial.connect()
    trial.strike(trial.lab.router.filter, "forward", 'iifname "client" drop')
    time.sleep(IN_FLIGHT * trial.bound)
    trial.lab.server.filter("output", 'oifname "net" drop')
    trial.expect(peers)


# --- The peer ---------------------------------------------------------------------------------------------------------


@fault("peer stopped", "peer.frozen")
def stopped(trial):
    process, addresses = trial.connect_process()
    trial.strike(process.signal, signal.SIGSTOP)
    trial.expect(addresses)


@fault("peer does not read", "peer.not-reading")
def deaf(trial):
    peers = trial.connect(receive_buffer=8192)
    trial.loop.become(peers, "deaf")
    trial.strike(trial.bulk, peers)
    trial.expect(peers, deadline="either")


@fault("peer does not read, little bulk", "peer.not-reading")
def deaf_little(trial):
    peers = trial.connect(receive_buffer=8192)
    trial.loop.become(peers, "deaf")
    trial.strike(trial.bulk, peers, LITTLE)
    trial.expect(peers, deadline="either")


@fault("peer talks and does not read", "peer.not-reading")
def deaf_talker(trial):
    peers = trial.connect(kind=Talker, receive_buffer=8192)
    trial.loop.become(peers, "deaf")
    trial.strike(trial.bulk, peers)
    trial.expect(peers, deadline="write")


# --- No fault ---------------------------------------------------------------------------------------------------------


@fault("slow path")
def slow_path(trial):
    bear(trial, BULK, PATH)


@fault("slow path, long round trips", bound=2.0)
def slow_path_long_round_trips(trial):
    # The queue takes 1.3 s: acknowledgements are further apart than half of the bound.
    bear(trial, BULK // 2, PATH * 3 // 8)


def bear(trial, size, rate):
    """Nobody is closed as long as bytes of the bulk are acknowledged, nor afterwards."""
    trial.lab.router.shape("client", rate, QUEUE)
    peers = trial.connect(kind=Reader, receive_buffer=8192)
    whole = size // CHUNK * CHUNK
    trial.strike(trial.bulk, peers, size)
    longest = 0
    while any(peer.message_bytes < whole for peer in peers) and now() - trial.struck < 40 * SECOND:
        time.sleep(0.1)
        trial.closed = trial.server.log.of("connection.closed")
        if trial.closed:
            break
        longest = max([longest] + [now() - at for _, at in trial.acked.copy().values()])
    took = (now() - trial.struck) / SECOND
    for event in trial.closed:
        still = (event.at - trial.acked[event.remote][1]) / SECOND
        trial.refuse("closed %.2f s after bytes moved, write deadline %g s" % (still, trial.write), event.remote, event)
    if not trial.closed:
        check(all(peer.message_bytes >= whole for peer in peers), "the bulk did not come through")
        check(took >= 10 * trial.bound, "the path was not slow: %.1f s" % took)
        pings = [peer.pings for peer in peers]
        time.sleep(2 * trial.bound)
        check(all(peer.pings > before for peer, before in zip(peers, pings)), "no heartbeats afterwards")
        trial.closed = trial.server.log.of("connection.closed")
        check(not trial.closed, "closed after the bulk had come through", trial.closed)
    trial.remark = "%.1f s, at most %.0f ms between acknowledgements" % (took, milliseconds(longest))


# --- All of them ------------------------------------------------------------------------------------------------------


def scenario(stage):
    sweep()
    chosen = [one for one in FAULTS if not CHOSEN or any(word in one[0] for word in CHOSEN)]
    with watched() as notes:
        trials = [trial for _ in range(RUNS) for trial in run_once(stage, chosen, notes)]
    judge(stage, trials)


def run_once(stage, chosen, notes):
    loop = stage.peers()
    trials = [Trial(stage, loop, Lateness(notes), name, reasons, bound, **options)
              for name, reasons, bound, options, _ in chosen]
    threads = [threading.Thread(target=trial.run, args=(one[-1],), daemon=True) for trial, one in zip(trials, chosen)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if RUNS > 1:
        stage.retire()
    return trials


def judge(stage, trials):
    if os.environ.get("FAULT_TABLE") or any(trial.wrong for trial in trials):
        for trial in trials:
            print("     %s" % trial)
    wrong = [(trial.name,) + one for trial in trials for one in trial.wrong]
    if wrong:
        lines, shown = [], collections.Counter()
        for name, what, address, facts in wrong:
            shown[name, what] += 1
            if shown[name, what] <= SHOWN:
                lines += ["%s, %s: %s" % (name, address, what)] + ["  " + fact for fact in facts]
        verdicts = sum(len(trial.closed) for trial in trials)
        raise Failure("%d things wrong with %d verdicts" % (len(wrong), verdicts), lines)
    counts = collections.Counter(event.reason for trial in trials for event in trial.closed)
    shares = [event.data["silenceMs"] / event.data["boundMs"] for trial in trials for event in trial.closed
              if event.reason != "peer.reset" and trial.write == trial.bound]
    stage.note("%d faults x %d peers x %d: %s" % (len(trials) // RUNS, PEERS, RUNS,
                                                  ", ".join("%s %d" % pair for pair in counts.most_common())))
    if shares:
        stage.note("silence %.3f to %.3f of the bound" % (min(shares), max(shares)))
    stage.note("%d peers beside them untouched" % (BESIDE * len(trials)))


if __name__ == "__main__":
    main(scenario, limit=60 + 36 * RUNS, needs=lacking)
