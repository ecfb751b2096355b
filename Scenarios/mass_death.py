# ===----------------------------------------------------------------------===
# This source file is part of the Belay open source project.
# Copyright (c) 2026 the Belay project authors.
# Licensed under Apache License v2.0; see LICENSE for details.
# SPDX-License-Identifier: Apache-2.0
# ===----------------------------------------------------------------------===
"""15,000 connections die at the same instant: 15,000 closed events, none twice, none lost.

Three processes hold 5,000 sockets each, all with SO_LINGER 0, and are killed with SIGKILL. On exit the kernel closes
their descriptors one after the other and sends an RST for each: the server wakes up to sockets that have failed with
ECONNRESET by the thousand, and each failed socket may show up as readable, writable and failed at once. A peer that
lives on keeps getting its echo meanwhile.

The peers come from 127.0.0.2 and on, one address per process: one address has only some 28,000 ports to give.
"""

import signal
import time

from harness import EchoPeer, allow_descriptors, check, main, milliseconds, spread

PROCESSES = 3
WANTED = 15000


def scenario(stage):
    # The server needs one descriptor per connection, and some for itself.
    each = min(WANTED, allow_descriptors(WANTED + 1000) - 600) // PROCESSES
    total = each * PROCESSES
    loop = stage.peers()
    server = stage.serve("--detect-within", "30s", "--messages", "echo", listen=["raw", "lines", "frames"])
    living, = stage.connect(loop, server, "lines", 1, kind=EchoPeer)
    processes = [stage.peer_process() for _ in range(PROCESSES)]
    addresses = []
    began = time.monotonic()
    for process, protocol in zip(processes, ("raw", "lines", "frames")):
        addresses += stage.connect_process(process, server, protocol, each, greet=True, abort_on_close=True)
    opening = time.monotonic() - began
    early = server.log.of("connection.closed")
    check(not early, "%d closed before anything happened" % len(early), early[:8])
    memory = server.resident()

    time.sleep(0.5)
    before = len(living.round_trips)
    died_at = [process.signal(signal.SIGKILL) for process in processes][0]
    server.log.wait_count("connection.closed", total, 20)
    time.sleep(0.5)
    closed = server.log.of("connection.closed")
    check(len(closed) == total, "%d closed for %d deaths" % (len(closed), total))
    check({event.remote for event in closed} == set(addresses), "other connections than those that died were closed")
    wrong = [event for event in closed if event.reason != "peer.reset"]
    check(not wrong, "%d of %d have another reason than peer.reset" % (len(wrong), total), wrong[:8])
    server.log.check_balance(all_closed=False)
    living.check_served(server.log, slowest=1)
    stage.note("%d opened in %.1f s, %.1f MiB resident" % (total, opening, memory / (1 << 20)))
    stage.note("%d resets: first line after %.1f ms, last after %.1f ms" %
               (total, milliseconds(closed[0].at - died_at), milliseconds(closed[-1].at - died_at)))
    stage.note("the living one meanwhile: %s" % spread(living.round_trips[before:]))


if __name__ == "__main__":
    main(scenario, limit=60)
