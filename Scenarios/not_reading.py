# ===----------------------------------------------------------------------===
# This source file is part of the Belay open source project.
# Copyright (c) 2026 the Belay project authors.
# Licensed under Apache License v2.0; see LICENSE for details.
# SPDX-License-Identifier: Apache-2.0
# ===----------------------------------------------------------------------===
"""A peer that writes and never reads is found by the write deadline, at a bounded cost in memory.

The server echoes. The peer's receive queue fills, its kernel announces a window of zero, the server's send queue fills
and its socket is no longer writable. The peer's kernel goes on acknowledging the window probes, so for TCP all is well,
for ever. Two mistakes are possible: to queue the echo in memory without end, or to take the peer's own stream of data
for life although nothing that is sent to it gets through. Here no byte moves for the write deadline (2 s; the bound is
10 s), and the reason is `peer.not-reading`.

* lines peers that write as fast as they can and never read;
* peers in a process that is stopped by SIGSTOP while an echo streams to it: the same.

A peer that reads is served all the while on another connection.
"""

import array
import fcntl
import signal
import termios
import threading
import time

from harness import MILLISECOND, EchoPeer, check, main, message_bytes, now, spread

WRITE_WITHIN = 2000
ALLOWED_MEMORY = 64 << 20


def unread(sock):
    """Bytes in the receive queue (SIOCINQ)."""
    size = array.array("i", [0])
    fcntl.ioctl(sock, termios.FIONREAD, size)
    return size[0]


class Watch(threading.Thread):
    """Notes when a deaf peer's receive queue grew for the last time: then its window was closed."""

    def __init__(self, peers):
        super().__init__(daemon=True)
        self.sizes = {peer: (0, now()) for peer in peers}
        self.done = threading.Event()

    def run(self):
        while not self.done.wait(0.005):
            for peer, (size, _) in list(self.sizes.items()):
                try:
                    current = unread(peer.sock)
                except (OSError, AttributeError, TypeError, ValueError):
                    continue  # closed meanwhile
                if current != size:
                    self.sizes[peer] = (current, now())


def scenario(stage):
    loop = stage.peers()
    arguments = ["--detect-within", "10s", "--write-within", "2s", "--messages", "echo"]
    server = stage.serve(*arguments, listen=["lines", "raw", "frames"])
    reader, = stage.connect(loop, server, "lines", 1, kind=EchoPeer)
    # One peer writes a little first, so that the server's buffers have the size that they have in use.
    warm, = stage.connect(loop, server, "lines", 1, greet=True)
    for _ in range(20):
        warm.say(b"x" * 60000)
    time.sleep(0.3)
    before = server.forget_peak()

    deaf = stage.connect(loop, server, "lines", 3, mode="deaf", greet=True)
    deaf += stage.connect(loop, server, "raw", 1, mode="deaf", greet=True)
    deaf += stage.connect(loop, server, "frames", 1, mode="deaf", greet=True)
    watch = Watch(deaf)
    watch.start()
    for peer in deaf:
        data = message_bytes(peer.protocol, b"x" * 60000)
        peer.feed(lambda data=data: data)

    delays = []
    for peer in deaf:
        event = server.log.wait_for("connection.closed", WRITE_WITHIN / 1000 * 3, remote=peer.address)
        check(event.reason == "peer.not-reading", "reason %s" % event.reason, server.log.about(peer.address))
        delays.append(event.at - watch.sizes[peer][1])
    watch.done.set()
    growth = server.peak() - before
    check(growth < ALLOWED_MEMORY, "resident memory grew by %.1f MiB" % (growth / (1 << 20)))
    # The two ends do not see the last movement at the same moment: the server when its kernel took or the peer's
    # acknowledged bytes, this watch when the receive queue grew. Hence the wide lower limit.
    check(0.5 * WRITE_WITHIN <= min(delays) / MILLISECOND and max(delays) / MILLISECOND <= WRITE_WITHIN + 500,
          "write deadline %d ms, reported after %s" % (WRITE_WITHIN, spread(delays)))
    stage.note("%d that never read: %s after the last byte moved, memory +%.1f MiB" %
               (len(deaf), spread(delays), growth / (1 << 20)))

    # The small receive buffer makes the way back the narrow one: the server always has something left to send.
    before = server.forget_peak()
    process = stage.peer_process()
    streaming = [stage.connect_process(process, server, protocol, 1, greet=True, receive_buffer=16384)[0]
                 for protocol in ("lines", "raw", "frames")]
    process.do("stream", size=60000)
    time.sleep(1.0)
    moved = [event for address in streaming for event in server.log.of("connection.closed", remote=address)]
    check(not moved, "a peer that reads slowly was closed", moved)
    stopped_at = process.signal(signal.SIGSTOP)
    delays = []
    for address in streaming:
        event = server.log.wait_for("connection.closed", WRITE_WITHIN / 1000 * 3, remote=address)
        check(event.reason == "peer.not-reading", "reason %s" % event.reason, server.log.about(address))
        delays.append(event.at - stopped_at)
    growth = server.peak() - before
    check(growth < ALLOWED_MEMORY, "resident memory grew by %.1f MiB" % (growth / (1 << 20)))
    check(0.5 * WRITE_WITHIN <= min(delays) / MILLISECOND and max(delays) / MILLISECOND <= WRITE_WITHIN + 500,
          "write deadline %d ms, reported %s after SIGSTOP" % (WRITE_WITHIN, spread(delays)))
    stage.note("%d stopped: %s after SIGSTOP, memory +%.1f MiB" % (len(delays), spread(delays), growth / (1 << 20)))

    reader.check_served(server.log, slowest=1)
    stage.note("the reader beside them: %s" % spread(reader.round_trips))


if __name__ == "__main__":
    main(scenario, limit=40)
