# ===----------------------------------------------------------------------===
# This source file is part of the Belay open source project.
# Copyright (c) 2026 the Belay project authors.
# Licensed under Apache License v2.0; see LICENSE for details.
# SPDX-License-Identifier: Apache-2.0
# ===----------------------------------------------------------------------===
"""Connections that come and go in every way leave nothing behind.

500 connections in five rounds, in nine ways: FIN, RST, farewell, a close directly after connect, an RST directly after
connect, half-close, silence until the verdict, a frame of no known type, a message that is too large. On one host the
handshake is over when connect(2) returns, before the server has called accept(2): it then gets a socket that has
already failed or ended (getpeername says ENOTCONN, setsockopt EINVAL), and must close that, too. After each round the
number of descriptors in /proc/PID/fd is what it was before the first, and so is the number of threads.
"""

import socket
import struct
import time

from harness import allow_descriptors, check, frame, main

ROUNDS = 5
EACH = 12


def at_once(address, reset):
    """Connects and closes without a pause."""
    sock = socket.create_connection(address, 5)
    if reset:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def scenario(stage):
    allow_descriptors(4096)
    loop = stage.peers()
    protocols = ["raw", "lines", "frames"]
    server = stage.serve("--detect-within", "1s", listen=protocols)

    def peers(protocol_list, count, **parameters):
        return [peer for protocol in protocol_list
                for peer in stage.connect(loop, server, protocol, count // len(protocol_list), **parameters)]

    def one_round(count):
        for index in range(count):
            at_once(server.address(protocols[index % 3]), reset=True)
            at_once(server.address(protocols[index % 3]), reset=False)
        quiet()
        ending = peers(protocols, count, greet=True)
        resetting = peers(protocols, count, greet=True)
        leaving = peers(["lines", "frames"], count, greet=True)
        silent = peers(protocols, count, greet=True)
        babbling = peers(["frames"], count)
        shouting = peers(["lines", "frames"], count)
        halves = peers(protocols, count, mode="dead")
        time.sleep(0.05)
        loop.become(silent, "silent")
        for peer in ending + halves:
            peer.finish()
        for peer in resetting:
            peer.reset()
        for peer in leaving:
            peer.goodbye()
        for peer in babbling:
            peer.write(frame(200, b"what is this"))
        for peer in shouting:
            # The length alone, or a line that does not end.
            peer.write(b"\x7f\xff\xff\xff\x00" if peer.protocol == "frames" else b"x" * 200_000)
        quiet()
        for peer in halves:
            peer.become("answer")
        return 9 * count

    def quiet():
        """Waits until every connection that was opened is closed, for at most four bounds."""
        deadline = time.monotonic() + 4
        calm = 0
        while calm < 5:
            check(time.monotonic() < deadline, "%d opened, %d closed" % (server.log.count("connection.opened"),
                                                                       server.log.count("connection.closed")))
            same = server.log.count("connection.opened") == server.log.count("connection.closed")
            calm = calm + 1 if same else 0
            time.sleep(0.02)

    def settled(expected):
        deadline = time.monotonic() + 3
        while server.descriptors() > expected and time.monotonic() < deadline:
            time.sleep(0.05)
        return server.descriptors()

    one_round(6)  # whatever is created once and kept is created now
    time.sleep(0.3)
    descriptors, threads, memory = server.descriptors(), server.threads(), server.resident()
    made = 0
    for number in range(ROUNDS):
        made += one_round(EACH)
        left = settled(descriptors)
        check(left == descriptors, "round %d: %d descriptors, %d before" % (number + 1, left, descriptors))
    check(made >= 500, "only %d" % made)
    # A pool may take a thread or two; one per connection would show.
    check(server.threads() <= threads + 4, "%d threads, %d before" % (server.threads(), threads))
    reasons = sorted({event.reason for event in server.log.of("connection.closed")})
    for reason in ("peer.closed", "peer.reset", "peer.goodbye", "policy.protocol-violation",
                   "policy.message-too-large"):
        check(reason in reasons, "%s never came; there were %s" % (reason, ", ".join(reasons)))
    stage.note("%d connections: %d descriptors before and after, %d threads, memory %+.1f MiB" %
               (made, descriptors, server.threads(), (server.resident() - memory) / (1 << 20)))
    stage.note("reasons: %s" % " ".join(reasons))


if __name__ == "__main__":
    main(scenario, limit=60)
