# ===----------------------------------------------------------------------===
# This source file is part of the Belay open source project.
# Copyright (c) 2026 the Belay project authors.
# Licensed under Apache License v2.0; see LICENSE for details.
# SPDX-License-Identifier: Apache-2.0
# ===----------------------------------------------------------------------===
"""Real servers and real clients on a ground, and one fault that strikes them as often as asked.

The servers live through all runs, so that what a dead peer leaves behind adds up and shows; the clients are new in each
run. A pair is one connection: a protocol, and who pings. All pairs of a fault are struck at the same moment.
"""

import functools
import os
import random
import signal
import time
from dataclasses import dataclass

from ground import ENDS, Ground  # first: it says where the modules of the scenarios are
from harness import SECOND, Failure, check, now
from lateness import waited
from observation import Observation, Watch
from resources import Resources

PROTOCOLS = ("raw", "lines", "frames")
PINGERS = ("server", "client", "both")
HEARTBEATS = {"server": {"server": "ping", "client": "answer"}, "client": {"server": "answer", "client": "ping"},
              "both": {"server": "both", "client": "both"}}
STARTED = 10  # seconds in which a program starts or a connection is made, on the busiest machine
ENDED = 10    # seconds in which a client that has nothing left to do ends


@dataclass(frozen=True)
class Pair:
    """A connection: what is spoken on it, and who pings."""

    protocol: str
    pinger: str

    @property
    def port(self):
        return 7400 + 10 * PINGERS.index(self.pinger) + PROTOCOLS.index(self.protocol)

    def asks(self, end):
        return self.pinger in (end, "both")

    def __str__(self):
        return "%s/%s" % (self.protocol, self.pinger)


EVERY_PAIR = tuple(Pair(protocol, pinger) for protocol in PROTOCOLS for pinger in PINGERS)
BOTH_PING = tuple(Pair(protocol, "both") for protocol in PROTOCOLS)


def few(number):
    """Three pairs with each protocol and each pinger once; another choice for each fault."""
    return tuple(Pair(protocol, PINGERS[(index + number) % 3]) for index, protocol in enumerate(PROTOCOLS))


class Link:
    """A pair in one run: what is at its two ends, and the names of the connection in their events.

    `peer` is a scripted end, in the place of a client or a server of ours.
    """

    def __init__(self, pair, client=None, peer=None):
        self.pair, self.client, self.peer, self.started = pair, client, peer, now()
        self.port = None         # of the client, as the server sees it
        self.connections = {}    # of each end
        self.opened = {}

    def sockets(self, end):
        """The addresses of an end's socket, its own and the other's."""
        return tuple(self.opened[end].data[name] for name in ("local", "remote"))


class Scene:
    """One fault, its ground, its servers, and what was seen of them."""

    def __init__(self, stage, fault, pairs, lateness):
        self.stage, self.fault, self.pairs, self.lateness = stage, fault, pairs, lateness
        self.settled = self.struck = self.done = None  # the moments of a run, in nanoseconds
        self.waited = {}                               # what each program had waited for a core, at these moments
        self.links, self.observations, self.resources, self.notes = [], [], Resources(fault.warm), []
        self.timing = []  # flags of both ends
        if callable(fault.bound):
            self.bound, self.interval = fault.bound(self)
            self.timing = ["--interval", "%dms" % (self.interval * 1000)]
        else:
            self.bound, self.interval = fault.bound, fault.bound / 3
        self.ground = stage.adopt(Ground())
        self.servers = {}
        if fault.prepare:
            fault.prepare(self)
        if fault.real_server:
            for pinger in dict.fromkeys(pair.pinger for pair in pairs):
                self.serve(pinger)

    # Programs.

    def serve(self, pinger):
        """A server for those who ping like this; its ports are free, the host is its own."""
        listen = [part for pair in self.pairs if pair.pinger == pinger
                  for part in ("--listen", "%s://0.0.0.0:%d" % (pair.protocol, pair.port))]
        with self.ground.server:
            server = self.stage.run("serve", *listen, "--detect-within", "%gs" % self.bound, "--events", "-",
                                    "--threads", "1", "--messages", self.fault.messages, "--drain-within", "2s",
                                    "--heartbeats", HEARTBEATS[pinger]["server"], *self.timing, *self.fault.serve)
        server.await_listeners(len(listen) // 2, STARTED)
        server.log.wait_for("node.started", STARTED)
        self.servers[pinger] = server
        self.resources.begin(server, len(listen) // 2)

    def connect(self, pair):
        """A client of the pair, which ends with its connection."""
        with self.ground.client:
            client = self.stage.run(
                "connect", "%s://%s:%d" % (pair.protocol, self.ground.server_address, pair.port), "--detect-within",
                "%gs" % self.bound, "--no-reconnect", "--events", "-", "--heartbeats",
                HEARTBEATS[pair.pinger]["client"], *([] if pair.protocol == "raw" else ["--id", str(pair)]),
                *self.timing, *self.fault.connect)
        link = Link(pair, client)
        self.links.append(link)
        return link

    def meet(self, link, after=None):
        """Waits until each end of ours has said `opened`."""
        if link.client:
            event = link.client.log.wait_for("connection.opened", STARTED)
            link.port = int(event.data["local"].rsplit(":", 1)[1])
            link.opened["client"], link.connections["client"] = event, event.connection
        else:
            link.port = int(link.peer.address.rsplit(":", 1)[1])
        if link.pair.pinger not in self.servers:
            return
        log, deadline = self.servers[link.pair.pinger].log, time.monotonic() + STARTED
        while "server" not in link.connections:
            check(time.monotonic() < deadline, "the server does not know of %s" % link.pair)
            for event in log.of("connection.opened", after=after[link.pair.pinger]):
                here, there = (int(event.data[name].rsplit(":", 1)[1]) for name in ("local", "remote"))
                if (here, there) == (link.pair.port, link.port):
                    link.opened["server"], link.connections["server"] = event, event.connection
            time.sleep(0.005)

    def await_peer(self, link, accepted):
        """Waits until a scripted server has taken the connection of a client of ours."""
        deadline = time.monotonic() + STARTED
        while not accepted:
            check(time.monotonic() < deadline, "the client of %s does not come" % link.pair)
            time.sleep(0.005)
        link.peer = accepted.pop()
        self.meet(link)

    def program(self, link, end):
        return link.client if end == "client" else self.servers[link.pair.pinger]

    def programs(self, end):
        clients = [link.client for link in self.links if link.client]
        return clients if end == "client" else list(self.servers.values())

    def signal(self, end, number):
        for program in self.programs(end):
            program.signal(number)

    # A run.

    def gather(self):
        """All clients, connected, at different places in their intervals, and alive for a while."""
        after = self.marks()
        for pair in self.pairs:
            self.connect(pair)
            time.sleep(self.interval / 2 / len(self.pairs))
        for link in self.links:
            self.meet(link, after)
        self.settle()

    def marks(self):
        """The places of the servers' next events."""
        return {pinger: server.log.mark() for pinger, server in self.servers.items()}

    def settle(self):
        """Lets everybody live for a while; the last silence before the fault begins after this moment."""
        self.settled = self.note_waits()
        time.sleep(self.fault.settle * random.uniform(0.7, 1) * self.bound)

    def strike(self, action, *arguments):
        """The moment from which everything counts; it ends when the action has been carried out."""
        self.struck = self.note_waits()
        try:
            action(*arguments)
        finally:
            self.done = now()

    def note_waits(self):
        waits = {pid: waited(pid) for pid in self.pids()}
        moment = now()
        self.waited[moment] = waits
        return moment

    def pids(self):
        """Of all programs that are judged, and of this one, which reads what they say."""
        return [os.getpid()] + [program.pid for end in ENDS for program in self.programs(end)]

    def lateness_until(self, until, since=None):
        """Seconds by which a line may be late since the fault, or since `settled`, because programs did not get to run.

        A client may have ended meanwhile; the others shared its cores.
        """
        since = since or self.struck
        waits = [waited(pid) - before for pid, before in self.waited[since].items()]
        return max([self.lateness.worst(since, until)] + waits) / SECOND

    def run(self, number):
        self.gather()
        self.fault.strike(self)
        self.judge(number)
        self.part()
        (self.fault.heal or Scene.mend)(self)
        self.resources.look(self.servers.values())

    def judge(self, number):
        """One observation for each end of each pair that is there to see something."""
        watches = [Watch(self, link, end, seen, number) for end in ENDS for link in self.links
                   for seen in [self.fault.seen(end, link.pair)] if seen is not None]
        for watch in watches:
            if not watch.seen.lives:
                self.observations.append(watch.death())
        living = [watch for watch in watches if watch.seen.lives]
        if living:
            time.sleep(max(0, self.fault.outlive * self.bound - (now() - self.done) / SECOND))
            quiet = {end: self.ground.quiet(end) for end in {watch.end for watch in living}}
            self.observations += [watch.life(quiet[watch.end].get(watch.sockets)) for watch in living]

    def part(self):
        """Who lives says goodbye; who ended has ended. The programs of the clients are gone then."""
        clients = self.programs("client")
        for client in clients:
            if client.process.poll() is None:
                client.signal(signal.SIGCONT)
                client.signal(signal.SIGTERM)
        for client in clients:
            try:
                status = client.wait(ENDED)
                # Who was killed had no time to say so.
                if status != -signal.SIGKILL:
                    check(status in (0, 1), "a client ended with %d:\n%s" % (status, client.errors.text()))
                    client.log.check_balance()
            except Failure as failure:
                self.refuse(str(failure), facts=failure.events)
            client.kill()
            self.stage.processes.remove(client)
        for link in self.links:
            if link.peer:
                self.loop.call(link.peer.release)
        self.links = []

    @functools.cached_property
    def loop(self):
        """For scripted peers."""
        return self.stage.peers()

    def mend(self):
        self.ground.mend()

    def refuse(self, what, **about):
        """Something wrong that belongs to no single observation."""
        self.observations.append(Observation.of_run(self, what, **about))

    def fine(self, link, end, number, what):
        """What was expected of this end, in a run with expectations of its own."""
        self.observations.append(Observation(self.fault.name, self.fault.phase, end, link.pair.protocol,
                                             link.pair.pinger, number, [what], reason=what))

    def close(self):
        """The servers end with 0, and each connection was opened once and closed once."""
        for server in self.servers.values():
            if server.process.poll() is None:
                server.signal(signal.SIGTERM)
        for server in self.servers.values():
            status = server.wait(STARTED)
            check(status == 0, "the server ended with %d:\n%s" % (status, server.errors.text()))
            server.log.check_balance()
