# ===----------------------------------------------------------------------===
# This source file is part of the Belay open source project.
# Copyright (c) 2026 the Belay project authors.
# Licensed under Apache License v2.0; see LICENSE for details.
# SPDX-License-Identifier: Apache-2.0
# ===----------------------------------------------------------------------===
"""At the limit of open files the server refuses with a reason, does not spin, and recovers.

First with a limit of 100 from the start and 200 peers: the server keeps a reserve and counts, so the peers beyond are
closed with `policy.too-many-connections` and nothing fails. Once the others have left, new ones are served.

Then the limit is lowered under the running server's feet with prlimit(2), so that accept(2) fails with EMFILE. The
kernel leaves the connection in the accept queue then, and the listening socket stays readable: a level-triggered loop
that only tries again burns a whole core for nothing. Measured is the processor time from /proc/PID/stat while
connections wait in that queue, and the service for a peer that was there before.
"""

import resource
import time

from harness import EchoPeer, allow_descriptors, check, main, quantile, milliseconds

LIMIT = 100
PEERS = 200
ALLOWED_LOAD = 0.20  # of one core


def scenario(stage):
    allow_descriptors(2048)
    loop = stage.peers()
    server = stage.serve("--detect-within", "10s", listen=["raw", "lines"], descriptors=LIMIT)
    peers = attempt(loop, server, PEERS // 2, "raw") + attempt(loop, server, PEERS // 2, "lines")
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        served = [peer for peer in peers if peer.round_trips and peer.gone_at is None]
        refused = server.log.of("connection.closed")
        if len(served) + len(refused) == PEERS:
            break
        time.sleep(0.05)
    check(len(served) + len(refused) == PEERS, "%d served and %d refused of %d" % (len(served), len(refused), PEERS),
          refused[-5:])
    check(LIMIT // 4 <= len(served) < LIMIT, "%d served with a limit of %d files" % (len(served), LIMIT))
    wrong = [event for event in refused if event.reason != "policy.too-many-connections"]
    check(not wrong, "%d refused with another reason" % len(wrong), wrong[:5])
    load = measure_load(server, 2)
    check(load < ALLOWED_LOAD, "%.0f %% of a core while nothing happens" % (load * 100))
    stage.note("limit %d: %d served, %d refused, %.1f %% of a core" % (LIMIT, len(served), len(refused), load * 100))

    for peer in served:
        peer.finish()
    for peer in served:
        server.log.wait_for("connection.closed", 3, remote=peer.address)
    serve_anew(loop, server, len(served))
    stage.note("then %d new ones served" % len(served))

    server = stage.serve("--detect-within", "10s", "--messages", "echo", listen=["lines"], descriptors=400)
    before, = stage.connect(loop, server, "lines", 1, kind=EchoPeer)
    _, hard = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (server.descriptors() + 20, hard))
    crowd = attempt(loop, server, 60)
    time.sleep(0.5)
    load = measure_load(server, 2)
    check(load < ALLOWED_LOAD, "%.0f %% of a core at EMFILE" % (load * 100), server.log.events[-5:])
    waiting = [peer for peer in crowd if not peer.round_trips and peer.gone_at is None]
    before.check_served(server.log, slowest=1)
    stage.note("EMFILE with %d in the queue: %.1f %% of a core, a peer beside served in %.1f ms (p50)" %
               (len(waiting), load * 100, milliseconds(quantile(before.round_trips, 0.5))))
    for peer in crowd:
        peer.finish()
    deadline = time.monotonic() + 5
    while any(peer.gone_at is None for peer in crowd):
        check(time.monotonic() < deadline, "%d of %d who left are still held" %
              (sum(peer.gone_at is None for peer in crowd), len(crowd)), server.log.events[-5:])
        time.sleep(0.05)
    serve_anew(loop, server, 10)
    stage.note("after they left 10 new ones served")


def measure_load(server, seconds):
    """Share of one core that the server uses."""
    began = server.processor_seconds()
    time.sleep(seconds)
    return (server.processor_seconds() - began) / seconds


def attempt(loop, server, count, protocol="lines"):
    """The peers that got a connection, of `count`: whoever is refused by RST may learn it from connect(2) already."""
    peers = []
    for _ in range(count):
        try:
            peers.append(loop.connect(server.address(protocol), protocol, greet=True))
        except ConnectionResetError:
            pass
    return peers


def serve_anew(loop, server, count):
    peers = attempt(loop, server, count)
    deadline = time.monotonic() + 3
    while sum(bool(peer.round_trips) for peer in peers) < count:
        check(time.monotonic() < deadline, "only %d of %d new peers are served" %
              (sum(bool(peer.round_trips) for peer in peers), count), server.log.events[-5:])
        time.sleep(0.02)


if __name__ == "__main__":
    main(scenario, limit=45)
