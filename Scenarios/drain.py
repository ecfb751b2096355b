# ===----------------------------------------------------------------------===
# This source file is part of the Belay open source project.
# Copyright (c) 2026 the Belay project authors.
# Licensed under Apache License v2.0; see LICENSE for details.
# SPDX-License-Identifier: Apache-2.0
# ===----------------------------------------------------------------------===
"""SIGTERM with 5,000 connections, 100 of which react to nothing: the server ends within the drain deadline, with 0.

4,900 peers close when they read the farewell or the FIN. 100 stay as they are: their kernel acknowledges the FIN and
the connection would remain in FIN_WAIT_2 for as long as the server waits for the other half. A server that waits for
every peer never ends; one that only exits loses the events. Each opened connection must have its closed event before
the process is gone.

SIGINT does the same, and a second signal is not needed.
"""

import signal
import time

from harness import allow_descriptors, check, main

CONNECTIONS = 5000
DEAD = 100
DRAIN = 3.0
REASONS = {"local.shutdown", "peer.closed", "peer.goodbye", "peer.reset"}


def scenario(stage):
    allow_descriptors(12000)
    loop = stage.peers()
    server = stage.serve("--detect-within", "30s", "--drain-within", "%gs" % DRAIN, listen=["raw", "lines", "frames"])
    peers = []
    for protocol, count in (("raw", 1600), ("lines", 1700), ("frames", CONNECTIONS - 3300)):
        peers += stage.connect(loop, server, protocol, count, greet=True)
    time.sleep(0.2)
    dead = peers[::CONNECTIONS // DEAD]
    loop.become(dead, "dead")
    check(server.log.count("connection.closed") == 0, "closed before anything happened")

    began = time.monotonic()
    server.signal(signal.SIGTERM)
    status = server.wait(DRAIN + 5)
    took = time.monotonic() - began
    check(status == 0, "the server ended with %d:\n%s" % (status, server.errors.text()))
    check(took <= DRAIN + 0.5, "the drain took %.2f s, deadline %g s" % (took, DRAIN))
    opened = server.log.check_balance()
    check(opened == CONNECTIONS, "%d opened" % opened)
    closed = server.log.of("connection.closed")
    wrong = [event for event in closed if event.reason not in REASONS]
    check(not wrong, "%d closed with a reason that does not fit a shutdown" % len(wrong), wrong[:8])
    silent = {peer.address for peer in dead}
    wrong = [event for event in closed if event.remote in silent and event.reason != "local.shutdown"]
    check(not wrong, "a peer that did nothing got another reason than local.shutdown", wrong[:8])
    check(len(server.log.of("node.stopping")) == 1, "no node.stopping")
    stage.note("%d connections, %d of them dead: ended with 0 after %.2f s (deadline %g s), %d closed events" %
               (opened, len(dead), took, DRAIN, len(closed)))

    server = stage.serve("--drain-within", "5s", listen=["lines"])
    stage.connect(loop, server, "lines", 20, greet=True)
    began = time.monotonic()
    server.signal(signal.SIGINT)
    check(server.wait(8) == 0, "SIGINT: another status than 0")
    took = time.monotonic() - began
    check(took <= 2, "20 peers that close at once were waited for: %.2f s" % took)
    stage.note("SIGINT, everybody answers: %.2f s" % took)


if __name__ == "__main__":
    main(scenario, limit=45)
