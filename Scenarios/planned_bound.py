# ===----------------------------------------------------------------------===
# This source file is part of the Belay open source project.
# Copyright (c) 2026 the Belay project authors.
# Licensed under Apache License v2.0; see LICENSE for details.
# SPDX-License-Identifier: Apache-2.0
# ===----------------------------------------------------------------------===
"""A bound planned for a lossy path holds on it: nobody who lives is declared dead, all who die are, in time and once.

Servers and 200 clients each in labs of their own (`lab.py`), whose routers drop packets at random in both directions.
First `belay plan --measure` looks at the path that loses 2 %, and says which bound and interval are possible on it. Then, with
these, on a path that loses 2 % and on one that loses 10 %:

* for a while everybody lives. On the path that was planned for nobody may be closed; on the other one, which is worse
  than what was promised, false verdicts are only counted;
* 100 clients vanish one after the other, without FIN or RST: the router drops all packets of theirs. Each is reported
  exactly once, as lost, within the bound after its last sign of life;
* the others outlive them by another bound.

    FULL=1 Scenarios/run planned_bound             everybody lives for 10 minutes, not 30 s
    PLANNED=3000,1000 Scenarios/run planned_bound  this bound and interval in milliseconds in place of the planned ones
    DETECTOR= Scenarios/run planned_bound          with another detector than nfde; empty for the program's own choice
"""

import collections
import json
import os
import random
import subprocess
import threading
import time
import traceback

from harness import BINARY, SECOND, Failure, check, main, now, quantile
from lab import Lab, lacking, sweep

FULL = os.environ.get("FULL", "") not in ("", "0")
PLANNED = os.environ.get("PLANNED")
DETECTOR = os.environ.get("DETECTOR", "nfde")
MISTAKES_EVERY = "30d" if FULL else "1d"  # of one connection
MEASURED = 30 if FULL else 10  # seconds that a plan measures the path
PROMISED, WORSE = 2, 10    # percent of the packets that are lost, in each direction
CLIENTS = 200
KILLS = 100
KILL_EVERY = 0.1           # seconds
LIVE = 600 if FULL else 30  # seconds in which everybody lives
LATE = 60                  # milliseconds in which a line is written, scheduled and read (see faults.py)
RULE = "numgen random mod 100 < %d drop"
HEADINGS = ("loss", "bound", "interval", "clients", "alive for", "pings", "suspected", "false verdicts", "deaths",
            "reported after")


def needs():
    """What this machine lacks, or None."""
    missing = lacking()
    if missing:
        return missing
    table = "table ip belay_try {\n chain lab {\n type filter hook forward priority 0\n %s\n }\n}\n" % (RULE % 2)
    tried = subprocess.run(["nft", "--check", "--file", "-"], input=table, text=True, capture_output=True)
    return "nft with numgen" if tried.returncode else None


def lossy(lab, percent, vanished=()):
    """Drops this share of what crosses the router, and all packets of the clients with these ports."""
    rules = [RULE % percent]
    if vanished:
        ports = ", ".join(map(str, vanished))
        rules = ["ip saddr %s tcp sport { %s } drop" % (lab.client_address, ports),
                 "ip daddr %s tcp dport { %s } drop" % (lab.client_address, ports)] + rules
    lab.router.filter("forward", "\n ".join(rules))


def plan(stage):
    """Bound and interval in milliseconds: those of PLANNED, or the shortest that are possible on the path as it is."""
    if PLANNED:
        bound, interval = PLANNED.split(",")
        return float(bound), float(interval)
    lab = stage.adopt(Lab())
    with lab.server:
        server = stage.serve("--threads", "1", host="0.0.0.0")
    lossy(lab, PROMISED)
    url = "lines://%s:%d" % (lab.server_address, server.address("lines")[1])
    command = [BINARY, "plan", "--mistakes-every", MISTAKES_EVERY, "--measure", url, "--for", "%ds" % MEASURED, "--json"]
    with lab.client:
        done = subprocess.run(command, capture_output=True, text=True, timeout=MEASURED + 30)
    lab.router.unfilter()
    try:
        planned = json.loads(done.stdout)
    except ValueError:
        raise Failure("belay %s: status %d, %s" % (" ".join(command[1:]), done.returncode, done.stderr.strip()))
    check(planned["feasible"] and done.returncode == 0, "not feasible: %s" % done.stdout.strip())
    measured = planned["measured"]
    print("measured at %d %% loss: %d heartbeats, mean %.1f ms, deviation %.1f ms, 99 %% within %.0f ms, longest %.0f ms"
          % (PROMISED, measured["heartbeats"], measured["meanMs"], measured["deviationMs"], measured["p99Ms"],
             measured["longestMs"]))
    return planned["detectWithinMs"], planned["intervalMs"]


class Trial:
    """One share of loss: a lab, a server with the planned bound, its clients, and what was seen."""

    def __init__(self, stage, loop, percent, bound, interval):
        self.percent, self.bound, self.interval = percent, bound, interval
        self.struck, self.closed, self.failure = {}, [], None
        self.lab = stage.adopt(Lab())
        arguments = ["--detect-within", text(bound), "--interval", text(interval), "--threads", "1"]
        arguments += ["--detector", DETECTOR] if DETECTOR else []
        with self.lab.server:
            self.server = stage.serve(*arguments, host="0.0.0.0")
        # A path that loses nothing yet: a lost SYN would take a second for each of them.
        address = self.lab.server_address, self.server.address("lines")[1]
        self.peers = []
        for _ in range(CLIENTS):
            with self.lab.client:
                self.peers.append(loop.connect(address, "lines", source=self.lab.client_address, greet=True))
            time.sleep(interval / 1000 / CLIENTS)  # spread over the phases of a heartbeat
        self.server.log.wait_count("connection.opened", CLIENTS, 10)

    def run(self):
        """The whole of it, in a thread of its own."""
        try:
            lossy(self.lab, self.percent)
            time.sleep(LIVE)
            self.check_living()
            self.kill()
            self.await_verdicts()
            time.sleep(self.bound / 1000)
            self.judge()
            self.lab.router.unfilter()  # the farewells of the server need not be repeated
        except Failure as failure:
            self.failure = failure
        except Exception:
            self.failure = Failure(traceback.format_exc().strip())

    def kill(self):
        ports = []
        for peer in random.sample(self.peers, CLIENTS):
            if len(ports) == KILLS:
                break
            if self.server.log.of("connection.closed", remote=peer.address):
                continue  # a false verdict was first
            ports.append(peer.address.rsplit(":", 1)[1])
            lossy(self.lab, self.percent, ports)
            self.struck[peer.address] = now()
            time.sleep(random.uniform(0.5, 1.5) * KILL_EVERY)

    def await_verdicts(self):
        for address, struck in self.struck.items():
            left = self.bound / 1000 + 2 - (now() - struck) / SECOND
            self.closed.append(self.server.log.wait_for("connection.closed", max(left, 0.1), remote=address))

    def judge(self):
        for event in self.closed:
            silence, bound = event.data["silenceMs"], event.data["boundMs"]
            check(abs(bound - self.bound) < 1, "boundMs is %s" % bound, [event])
            check(0.9 * bound <= silence <= bound + 10, "silenceMs %s of %s" % (silence, bound), [event])
            late = self.after(event) - self.bound
            check(late <= LATE, "reported %.0f ms after the bound" % late, [event])
            check(event.reason == "path.lost", "%s for a client that vanished" % event.reason, [event])
        events = self.server.log.of("connection.closed")
        counts = collections.Counter(event.remote for event in events)
        check(self.percent > PROMISED or len(self.closed) == KILLS, "%d of %d were killed" % (len(self.closed), KILLS))
        twice = [event for event in self.closed if counts[event.remote] > 1]
        check(not twice, "%d deaths were reported more than once" % len(twice), twice[:8])
        self.check_living()

    @property
    def mistaken(self):
        """False verdicts. Whatever the reason says: nobody else ends the connection of one who lives here."""
        return [event for event in self.server.log.of("connection.closed") if self.lived(event)]

    def lived(self, event):
        return event.at < self.struck.get(event.remote, event.at + 1)

    def check_living(self):
        check(self.percent > PROMISED or not self.mistaken, "%d who live were declared dead at %d %% of loss" %
              (len(self.mistaken), self.percent), self.mistaken[:8])

    def after(self, event):
        """Milliseconds from the death to the line that reports it."""
        return (event.at - self.struck[event.remote]) / SECOND * 1000

    def row(self):
        after = [self.after(event) for event in self.closed]
        suspected = [event for event in self.server.log.of("connection.suspected") if self.lived(event)]
        return ("%d %%" % self.percent, text(self.bound), text(self.interval), str(CLIENTS), "%d s" % LIVE,
                str(sum(peer.pings for peer in self.peers)), str(len(suspected)), str(len(self.mistaken)),
                "%d" % len(after), "%.0f to %.0f ms, p50 %.0f ms" % (min(after), max(after), quantile(after, 0.5))
                if after else "")


def text(milliseconds):
    """A duration as flags have it."""
    return ("%.3f" % milliseconds).rstrip("0").rstrip(".") + "ms"


def show(trials):
    rows = [HEADINGS] + [trial.row() for trial in trials]
    widths = [max(len(cell) for cell in column) for column in zip(*rows)]
    for row in rows:
        print("     " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip(), flush=True)


def scenario(stage):
    sweep()
    bound, interval = plan(stage)
    loop = stage.peers()
    trials = [Trial(stage, loop, percent, bound, interval) for percent in (PROMISED, WORSE)]
    threads = [threading.Thread(target=trial.run, daemon=True) for trial in trials]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    show(trials)
    for trial in trials:
        if trial.failure:
            raise trial.failure
    stage.note("bound %s, interval %s %s" % (text(bound), text(interval), "given" if PLANNED else "planned"))
    for trial in trials:
        stage.note("%d %% lost: %d deaths reported in time, %d false verdicts" %
                   (trial.percent, len(trial.closed), len(trial.mistaken)))


if __name__ == "__main__":
    main(scenario, limit=LIVE + MEASURED + 180, needs=needs)
