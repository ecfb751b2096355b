# ===----------------------------------------------------------------------===
# This source file is part of the Belay open source project.
# Copyright (c) 2026 the Belay project authors.
# Licensed under Apache License v2.0; see LICENSE for details.
# SPDX-License-Identifier: Apache-2.0
# ===----------------------------------------------------------------------===
"""Half an hour with 10,000 connections and more, 200 of which go and come back each second, and faults of every kind.

    Scenarios/run endurance                 half an hour; not one of those that run by themselves
    MINUTES=3 Scenarios/run endurance       a tenth of it

Three swarms beside each other: 4,000 connections on frames and 3,000 on lines that talk, ping and are struck by faults, and
5,000 on raw that flap, all begun anew in rounds. Each swarm compares its faults with the server's events: none may be
missed, told wrong or made up. Memory is the server's, from the end of the first round on; what the allocator keeps for the
busiest moment is in it. Descriptors and threads are as many afterwards as before, and each opened has one closed.
"""

import datetime
import json
import os
import tempfile
import threading
import time

from harness import check, main, quantile

MINUTES = float(os.environ.get("MINUTES", "30"))
ROUND = 90.0  # seconds in which a swarm of those that are struck lives
CHURN = 200  # a second
AT_ONCE = 10_000  # connections
BOUND = 6.0
SAMPLE = 1.0
ALLOWED_GROWTH = 4 << 20
# Milliseconds after the bound: what two stalls too short for an event leave out; the swarms have the same processors.
LATE = 500
STRUCK = ["silence=5%", "close=5%", "reset=5%", "bye=5%", "stop-reading=3%", "babble=3%", "flap=10%"]
SPREAD = "@1s+%ds" % (ROUND - 25)


class Watch(threading.Thread):
    """Samples what the server holds, once a second."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server, self.samples, self.done = server, [], threading.Event()

    def run(self):
        while not self.done.wait(SAMPLE):
            self.samples.append((time.monotonic(), self.server.resident(), self.server.descriptors(),
                                 self.server.processor_seconds()))


def rounds(stage, until, failures, totals, arguments):
    """Runs one swarm after the other."""
    number = 0
    try:
        while time.monotonic() < until:
            number += 1
            began = time.time()
            swarm = stage.run("swarm", *arguments, "--seed", str(number), "--json", events=False)
            status = swarm.wait(4 * ROUND)
            lines = [line for _, line in swarm.log.lines]
            check(status == 0, "round %d of %s: status %s\n%s\n%s" %
                  (number, arguments[0], status, swarm.errors.text(), lines))
            totals.append((began, time.time(), json.loads(lines[0])))
    except Exception as failure:  # raised again by the main thread
        failures.append(failure)


def scenario(stage):
    with tempfile.TemporaryDirectory() as folder:
        endure(stage, os.path.join(folder, "events.jsonl"))


def endure(stage, events):
    server = stage.run("serve", *("--listen=%s://127.0.0.1:0" % protocol for protocol in ("raw", "lines", "frames")),
                       "--detect-within", "%gs" % BOUND, "--messages", "echo", "--events", events, events=False)
    server.await_listeners(3)
    before = server.descriptors(), server.threads()
    watch = Watch(server)
    watch.start()
    struck = ["--fault=" + fault + SPREAD for fault in STRUCK] + ["--fault=freeze=2s@%ds" % (ROUND / 2)]
    talk = ["--message-rate", "0.2", "--ping-every", "2s", "--for", "%ds" % ROUND, "--events", events]
    # A round of them lasts some 25 s.
    churned = 25 * CHURN
    kinds = [
        [server.url("frames"), "--connections", "4000", "--id-prefix", "device", *talk, *struck],
        [server.url("lines"), "--connections", "3000", *talk, *struck],
        [server.url("raw"), "--connections", str(churned), "--for", "%gs" % (15 + BOUND + 2), "--events", events,
         "--fault=flap=100%@0s+15s"],
    ]
    began = time.monotonic()
    failures, totals = [], [[] for _ in kinds]
    threads = [threading.Thread(target=rounds, args=(stage, began + 60 * MINUTES, failures, total, kind), daemon=True)
               for kind, total in zip(kinds, totals)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    watch.done.set()
    watch.join()
    for failure in failures:
        raise failure
    check(all(totals), "a swarm has no round")
    finished = [one for total in totals for one in total]
    report(stage, server, watch, [document for _, _, document in finished], before, began)
    server.signal(15)
    check(server.wait(30) == 0, "the server ended with another status than 0")
    stalls = account(stage, events)
    for start, end, document in finished:
        stalled = any(start <= at <= end for at in stalls)
        # After a stall of the server (rule R6) a peer is asked once more, and has the time to answer.
        late, allowed = lateness(document), LATE + (1000 * BOUND / 3 if stalled else 0)
        check(late <= allowed, "a silence was told %.0f ms past the bound, allowed are %.0f" % (late, allowed))


def lateness(document):
    """Milliseconds past the bound, of the latest silence of a round."""
    silences = document["verdicts"]["faults"].get("silence")
    return silences["lateness"]["mostMs"] if silences else 0


def report(stage, server, watch, documents, before, began):
    struck = {}
    for document in documents:
        for kind, count in document["struck"].items():
            struck[kind] = struck.get(kind, 0) + count
    stage.note("%d rounds, %d connections, faults: %s" %
               (len(documents), sum(document["connections"]["made"] for document in documents),
                ", ".join("%s %d" % item for item in sorted(struck.items()))))
    stage.note("silences at most %.0f ms past the bound of %g s" % (max(map(lateness, documents)), BOUND))

    samples = [sample for sample in watch.samples if sample[0] > began + ROUND]
    check(len(samples) > 8, "too short to tell whether memory is flat")
    third = len(samples) // 3
    memory = [resident for _, resident, _, _ in samples]
    first, last = max(memory[:third]), max(memory[-third:])
    processor = (samples[-1][3] - samples[0][3]) / (samples[-1][0] - samples[0][0])
    stage.note("memory %.1f to %.1f MiB, most of the first third %.1f, of the last %.1f; %d descriptors (p50); %.1f %% of a "
               "core" % (min(memory) / 2**20, max(memory) / 2**20, first / 2**20, last / 2**20,
                         quantile([sample[2] for sample in samples], 0.5), 100 * processor))
    check(last - first < ALLOWED_GROWTH, "memory grew from %.1f to %.1f MiB" % (first / 2**20, last / 2**20))
    until = time.monotonic() + 10
    while True:
        after = server.descriptors(), server.threads()
        if all(now <= then for now, then in zip(after, before)) or time.monotonic() > until:
            break
        time.sleep(0.1)
    check(all(now <= then for now, then in zip(after, before)), "%d descriptors and %d threads before, %d and %d after" %
          (*before, *after))


def account(stage, events):
    """Each connection that was opened is closed, once, and there were as many as promised; returns when the server stalled."""
    opened, closed, reasons, stalls, times, most = set(), set(), {}, [], [], 0
    with open(events) as lines:
        for line in lines:
            event = json.loads(line)
            kind, at = event["type"], moment(event)
            if kind.endswith("connection.opened"):
                connection = event["data"]["connection"]
                check(connection not in opened, "opened twice: %s" % line)
                opened.add(connection)
                times.append(at)
            elif kind.endswith("node.stalled"):
                stalls.append(at)
            elif kind.endswith("connection.closed"):
                connection, reason = event["data"]["connection"], event["data"]["reason"]
                check(connection not in closed, "closed twice: %s" % line)
                closed.add(connection)
                reasons[reason] = reasons.get(reason, 0) + 1
            most = max(most, len(opened) - len(closed))
    check(opened == closed, "%d opened, %d closed, %d of them the same" %
          (len(opened), len(closed), len(opened & closed)))
    rate = len(opened) / (times[-1] - times[0])
    stage.note("%d opened and closed, %.0f a second, %d at once; %d stalls of the server; %s" %
               (len(opened), rate, most, len(stalls), ", ".join("%s %d" % item for item in sorted(reasons.items()))))
    check(most >= AT_ONCE, "%d connections at once, %d are promised" % (most, AT_ONCE))
    check(rate >= CHURN, "%.0f new connections a second, %d are promised" % (rate, CHURN))
    return stalls


def moment(event):
    """Seconds since 1970."""
    return datetime.datetime.fromisoformat(event["time"].replace("Z", "+00:00")).timestamp()


if __name__ == "__main__":
    main(scenario, limit=60 * MINUTES + 6 * ROUND)
