# ===----------------------------------------------------------------------===
# This source file is part of the Belay open source project.
# Copyright (c) 2026 the Belay project authors.
# Licensed under Apache License v2.0; see LICENSE for details.
# SPDX-License-Identifier: Apache-2.0
# ===----------------------------------------------------------------------===
"""`belay swarm` finds nothing wrong with `belay serve`, and finds what is wrong with others.

* 1,000 connections of each protocol with every fault that it has, and 300 ms in which the swarm stands still: each fault
  is reported with a reason that fits, no other connection is, and the ends at the end are, too; status 0;
* a server that echoes finds those that stop reading by what does not drain;
* events of which one end is left out, one has another reason and one is made up: missed, wrong, false; status 1;
* a swarm that is over before the bound says so with 3; one whose events are those of another server, too;
* several processes share a swarm that is past the limit on open files; SIGINT ends it early, and it still reports;
* a port where nobody listens, a server that hangs up, and one that speaks something else: status 1.
"""

import json
import os
import signal
import socket
import tempfile
import threading
import time

from harness import check, main

EVERY = ["silence", "close", "reset", "bye", "stop-reading", "babble", "flap"]
EXPECTED = {"silence": "peer.frozen", "close": "peer.closed", "reset": "peer.reset", "bye": "peer.goodbye",
            "stop-reading": "peer.frozen", "babble": "policy.protocol-violation", "flap": "peer.closed"}
BOUND = 2000  # milliseconds


def serve(stage, events, *arguments):
    server = stage.run("serve", *("--listen=%s://127.0.0.1:0" % protocol for protocol in ("raw", "lines", "frames")),
                       "--detect-within", "2s", "--events", events, *arguments, events=False)
    server.await_listeners(3)
    return server


def start(stage, url, *arguments, descriptors=None):
    return stage.run("swarm", url, "--json", *arguments, events=False, descriptors=descriptors)


def result(swarm, status, timeout=30):
    """The document of a swarm, which must end with `status`."""
    ended = swarm.wait(timeout)
    shown = "belay " + " ".join(swarm.arguments)
    check(ended == status, "%s: status %s\n%s\n%s" % (shown, ended, swarm.errors.text(), swarm.log.text()))
    lines = [line for _, line in swarm.log.lines]
    check(len(lines) == 1, "%s: %d lines on standard output" % (shown, len(lines)))
    return json.loads(lines[0])


def every_fault(stage, server, events):
    swarms = []
    for protocol in ("raw", "lines", "frames"):
        kinds = [kind for kind in EVERY if protocol != "raw" or kind not in ("bye", "babble")]
        faults = ["--fault=%s=10%%@500ms+5s" % kind for kind in kinds] + ["--fault=freeze=300ms@3s"]
        swarms.append((protocol, kinds, start(stage, server.url(protocol), "--connections", "1000", "--for", "8500ms",
                                              "--ping-every", "1s", "--seed", "7", "--events", events, *faults)))
    latest = []
    for protocol, kinds, swarm in swarms:
        document = result(swarm, 0)
        verdicts = document["verdicts"]
        check(document["connections"]["made"] == 1100 and document["connections"]["failed"] == 0, "%s" % document)
        check(document["dropped"]["unprovoked"] == 0, "%s: %s" % (protocol, document["dropped"]))
        check([verdicts[key] for key in ("right", "missed", "wrong", "false", "undecided", "repeated", "known")] ==
              [1100, 0, 0, 0, 0, 0, 1100], "%s: %s" % (protocol, verdicts))
        for kind in kinds:
            check(document["struck"][kind] == 100, "%s: %s" % (protocol, document["struck"]))
            check(verdicts["faults"][kind]["reasons"] == {EXPECTED[kind]: 100}, "%s: %s" % (protocol, verdicts["faults"]))
        lateness = verdicts["faults"]["silence"]["lateness"]
        # Early by as much as the answers before were late: a pong proves life when its ping was sent.
        check(lateness["count"] == 100 and -0.1 * BOUND - 300 <= lateness["leastMs"] <= lateness["mostMs"] <= 200,
              "%s: %s" % (protocol, lateness))
        latest.append(lateness["mostMs"])
        heartbeats = document["heartbeats"]
        check(0 < heartbeats["roundTrip"]["count"] <= heartbeats["pongsReceived"] <= heartbeats["pingsSent"],
              "%s: %s" % (protocol, heartbeats))
    stage.note("3 x 1,000 connections, %d faults: all verdicts right, silences at most %.0f ms past the bound" %
               (1900, max(latest)))


# Each of these starts its swarms and returns what waits for them and checks: they run side by side.


def echoing(stage, server, events):
    swarm = start(stage, server.url("lines"), "--connections", "200", "--for", "5s", "--message-rate", "5",
                  "--message-size", "500", "--fault=stop-reading=50%@1s", "--events", events)

    def finish():
        document = result(swarm, 0)
        check(document["verdicts"]["faults"]["stop-reading"]["reasons"] == {"peer.not-reading": 100}, "%s" % document)
        check(document["messages"]["received"] > 0, "%s" % document["messages"])

    return finish


class Forger(threading.Thread):
    """Copies events to another file: leaves out an end by RST, renames one by FIN, and makes one up."""

    def __init__(self, source, target):
        super().__init__(daemon=True)
        self.source, self.target = source, target
        self.ready = threading.Event()
        self.done = threading.Event()
        self.left_out = self.renamed = self.made_up = None

    def run(self):
        with open(self.source) as source, open(self.target, "a") as target:
            source.seek(0, os.SEEK_END)
            self.ready.set()
            rest = ""
            while not self.done.is_set():
                *lines, rest = (rest + source.read()).split("\n")
                for line in lines:
                    target.writelines(forged + "\n" for forged in self.forged(line))
                target.flush()
                time.sleep(0.02)

    def forged(self, line):
        event = json.loads(line)
        data = event["data"]
        if event["type"].endswith("connection.opened") and self.made_up is None:
            self.made_up = data["remote"]
            fiction = dict(event, type="dev.belay.connection.closed", data=dict(data, reason="peer.frozen"))
            return [line, json.dumps(fiction)]
        if not event["type"].endswith("connection.closed"):
            return [line]
        if data["remote"] == self.made_up:
            return []
        if data["reason"] == "peer.reset" and self.left_out is None:
            self.left_out = data["remote"]
            return []
        if data["reason"] == "peer.closed" and self.renamed is None:
            self.renamed = data["remote"]
            return [json.dumps(dict(event, data=dict(data, reason="local.failed")))]
        return [line]


def forgery(stage, server, events, folder):
    forged = os.path.join(folder, "forged")
    open(forged, "w").close()
    forger = Forger(events, forged)
    forger.start()
    check(forger.ready.wait(5), "the forger does not start")
    swarm = start(stage, server.url("frames"), "--connections", "100", "--for", "2s", "--fault=reset=20%@500ms+500ms",
                  "--fault=close=20%@500ms+500ms", "--events", forged)

    def finish():
        document = result(swarm, 1)
        forger.done.set()
        verdicts = document["verdicts"]
        counts = [verdicts[key] for key in ("right", "missed", "wrong", "false")]
        # Whether it was struck before its end was made up is left to chance; the end is false either way.
        check(counts == [97, 1, 1, 1] and verdicts["falseReasons"] == {"peer.frozen": 1}, "%s" % verdicts)
        check({example.split(": ")[0] for example in verdicts["examples"]} ==
              {forger.left_out, forger.renamed, forger.made_up}, "%s" % verdicts["examples"])

    return finish


def undecided(stage, server, events, folder):
    soon = start(stage, server.url("raw"), "--connections", "50", "--for", "1s", "--fault=silence=50%@500ms", "--events",
                 events)
    other = os.path.join(folder, "other")
    open(other, "w").close()
    elsewhere = start(stage, server.url("raw"), "--connections", "20", "--for", "0s", "--events", other)

    def finish():
        verdicts = result(soon, 3)["verdicts"]
        check(verdicts["undecided"] == 25 and verdicts["missed"] == 0, "%s" % verdicts)
        check(result(elsewhere, 3)["verdicts"]["known"] == 0, "events of another server are taken for these")

    return finish


def processes(stage, server, events):
    shared = start(stage, server.url("frames"), "--connections", "600", "--for", "4s", "--fault=silence=10%@500ms",
                   "--fault=flap=10%@500ms", "--id-prefix", "client", "--events", events, descriptors=300)
    endless = start(stage, server.url("lines"), "--connections", "300", "--for", "1h", "--events", events, descriptors=200)

    def finish():
        time.sleep(2)
        endless.signal(signal.SIGINT)
        document = result(endless, 0)
        check(document["interrupted"] and document["verdicts"]["right"] == 300, "%s" % document)
        document = result(shared, 0)
        check(document["connections"]["made"] == 660 and document["verdicts"]["right"] == 660, "%s" % document)

    return finish


def other_servers(stage):
    refusing = socket.socket()
    refusing.bind(("127.0.0.1", 0))
    document = result(start(stage, "raw://127.0.0.1:%d" % refusing.getsockname()[1], "--connections", "20", "--for", "0s"), 1)
    check(document["connections"]["failures"] == {"ECONNREFUSED": 20} and document["verdicts"] is None, "%s" % document)
    refusing.close()
    for says, kept, judge in ((b"", False, lambda document: document["dropped"]["fin"] == 20),
                              (b"bye full\n", False, lambda document: document["dropped"]["goodbyes"] == {"full": 20}),
                              (b"\xff\n", True, lambda document: document["violations"] == 20)):
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        swarm = start(stage, "lines://127.0.0.1:%d" % listener.getsockname()[1], "--connections", "20", "--for", "500ms")
        connections = []
        for _ in range(20):
            connection, _ = listener.accept()
            connection.sendall(says)
            if kept:
                connections.append(connection)
            else:
                connection.close()
        document = result(swarm, 1)
        check(judge(document), "%r: %s" % (says, document))
        listener.close()


def scenario(stage):
    with tempfile.TemporaryDirectory() as folder:
        events = os.path.join(folder, "events")
        echoes = os.path.join(folder, "echoes")
        server = serve(stage, events)
        echo = serve(stage, echoes, "--messages", "echo")
        every_fault(stage, server, events)
        # Nobody forges for two, so the others have a server of their own.
        rest = [forgery(stage, server, events, folder), echoing(stage, echo, echoes),
                undecided(stage, echo, echoes, folder), processes(stage, echo, echoes)]
        other_servers(stage)
        for finish in rest:
            finish()
        for each in (server, echo):
            each.signal(signal.SIGTERM)
            check(each.wait(10) == 0, "the server does not end with 0:\n%s" % each.errors.text())
    stage.note("a forged file found out, 2 that cannot be judged, 5 processes, 4 other servers")


if __name__ == "__main__":
    main(scenario, limit=60)
