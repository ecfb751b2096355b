# ===----------------------------------------------------------------------===
# This source file is part of the Belay open source project.
# Copyright (c) 2026 the Belay project authors.
# Licensed under Apache License v2.0; see LICENSE for details.
# SPDX-License-Identifier: Apache-2.0
# ===----------------------------------------------------------------------===
"""A live peer whose window is closed is not killed by the kernel before its time.

Its program does not read, its kernel acknowledges every window probe. TCP is content with that for ever, but a
TCP_USER_TIMEOUT ends the connection all the same (`DETECTORS.md` 6.4), and a user timeout of the bound would end it far
ahead of the write deadline, as `path.timed-out`: a false word about a path that works. The bound is 1 s here and the
write deadline 8 s. Until then the connections live, then it is Belay that ends them, as `peer.not-reading`:

* peers that write as fast as they can, and peers that now and then say a word, and read nothing;
* peers that read a little every 2 s, from a window that is closed most of the time, are never closed. Linux counts its user
  timeout from the first probe until the window has room for all of the segment that waits, and where it opens by less each
  time, that goes on although bytes move;
* nor are peers with little room that stop twice for a moment and read everything in between. Where their window opened by
  less the first time, Linux counts on although nothing waits any more, and the first probe of the second time would end them.
"""

import re
import time

from harness import SECOND, Talker, check, main, message_bytes, now
from lab import Lab, lacking, sweep

BOUND = 1.0
WRITE_WITHIN = 8.0
SHORT_WITHIN = 3.0  # the user timeout of a bound of 1 s
EACH = 6
PROTOCOLS = ["raw", "lines", "frames"]
BULK = 400_000


class DeafTalker(Talker):
    """Reads nothing and says something every 300 ms."""

    mode = "deaf"
    every = 0.3


class Sipper(DeafTalker):
    """Reads what is there once in 2 s."""

    def started(self):
        super().started()
        self.sip()

    def sip(self):
        if self.sock is not None:
            try:
                self.message_bytes += len(self.sock.recv(1 << 16))
            except BlockingIOError:
                pass
            self.loop.later(2, self.sip)


class Halting(DeafTalker):
    """Has little room, stops reading twice, reads a little the first time, and everything in between and at the end."""

    burst = 21_000
    again = 2 + SHORT_WITHIN + 1  # seconds after the first stop, whose first probe is older than the user timeout then

    def started(self):
        super().started()
        self.wanted = 0
        self.halt()
        for delay in (0.8, 1.1):
            self.loop.later(delay, lambda: self.take(1_000))
        self.loop.later(1.5, self.take_all)
        self.loop.later(self.again, self.halt)
        self.loop.later(self.again + 1.5, self.take_all)

    def halt(self):
        """Has the server echo more than there is room for."""
        if self.sock is not None:
            text = message_bytes(self.protocol, b"x" * (self.burst // 3 - 10))
            self.wanted += 3 * len(text)
            self.send(text * 3)

    def take(self, size):
        try:
            self.message_bytes += len(self.sock.recv(size)) if self.sock is not None else 0
        except BlockingIOError:
            pass

    def take_all(self):
        self.take(1 << 16)
        if self.sock is not None and self.message_bytes < self.wanted:
            self.loop.later(0.02, self.take_all)


def scenario(stage):
    sweep()
    lab = stage.adopt(Lab(routed=False))
    loop = stage.peers()
    with lab.server:
        server, other = (stage.serve("--detect-within", "%gs" % BOUND, "--write-within", "%gs" % within, "--messages", "echo",
                                     listen=PROTOCOLS, host=lab.server_address)
                         for within in (WRITE_WITHIN, SHORT_WITHIN))
    with lab.client:
        connect = {"source": lab.client_address, "receive_buffer": 16384, "mode": "deaf", "greet": True}
        feeding = [peer for name in PROTOCOLS for peer in stage.connect(loop, server, name, EACH // 3, **connect)]
        talking = [peer for name in PROTOCOLS
                   for peer in stage.connect(loop, server, name, EACH // 3, kind=DeafTalker, **connect)]
        sipping = [peer for name in PROTOCOLS
                   for peer in stage.connect(loop, server, name, EACH // 3, kind=Sipper, **connect)]
        halting = [peer for name in PROTOCOLS
                   for peer in stage.connect(loop, other, name, EACH // 3, kind=Halting, **dict(connect, receive_buffer=4096))]
    for peer in feeding:
        text = message_bytes(peer.protocol, b"x" * 29_990)
        peer.feed(lambda text=text: text)
    for peer in talking + sipping:
        text = message_bytes(peer.protocol, b"x" * 29_990)
        peer.write(text * (BULK // len(text)))
    begun = now()

    # What the kernel tells meanwhile: a closed window, since when, and probes of which none stays without an answer for long.
    deaf = {peer.address: peer for peer in feeding + talking}
    acked, closed_since, unanswered, seen = {}, {}, 0, {}
    while (not all(server.log.of("connection.closed", remote=address) for address in deaf)
           and now() - begun < (WRITE_WITHIN + 3) * SECOND):
        for address, line in lab.server.sockets().items():
            if address in deaf and "timer:(persist" in line:
                count = int(re.search(r"bytes_acked:(\d+)", line)[1])
                if acked.get(address) != count:  # a window that is not quite closed takes a little more now and then
                    acked[address], closed_since[address] = count, now()
                unanswered = max(unanswered, int(re.search(r"timer:\(persist,[^,]*,(\d+)\)", line)[1]))
                seen[address] = line
        time.sleep(0.1)

    times = []
    for address in deaf:
        check(address in closed_since, "the window of a deaf peer was never closed", server.log.about(address))
        event = server.log.wait_for("connection.closed", 0.1, remote=address)
        times.append((event.at - closed_since[address]) / SECOND)
        check(event.reason == "peer.not-reading" and not event.data["evidence"]["errno"], "%s after %.2f s" %
              (event.reason, times[-1]), server.log.about(address) + [seen[address]])
    check(WRITE_WITHIN - 0.5 <= min(times) and max(times) <= WRITE_WITHIN + 0.5,
          "write deadline %g s, closed %.2f to %.2f s after the window" % (WRITE_WITHIN, min(times), max(times)))
    stage.note("%d closed windows, bound %g s: peer.not-reading after %.2f to %.2f s" %
               (len(times), BOUND, min(times), max(times)))
    stage.note("at most %d probes unanswered at a time" % unanswered)

    closed = [event for peer in sipping for event in server.log.of("connection.closed", remote=peer.address)]
    check(not closed, "a peer that reads now and then was closed", closed)
    check(all(peer.message_bytes > 0 for peer in sipping), "nothing was read now and then")
    stage.note("%d that read every 2 s live" % len(sipping))

    while (any(peer.wanted < 1.5 * peer.burst or peer.message_bytes < peer.wanted for peer in halting)
           and now() - begun < (WRITE_WITHIN + 6) * SECOND):
        time.sleep(0.1)
    closed = other.log.of("connection.closed")
    check(not closed, "a peer that stopped reading twice, for 1.5 s, was closed", closed)
    check(all(peer.message_bytes >= peer.wanted > 1.5 * peer.burst for peer in halting), "not all of both echoes was read",
          [(peer.message_bytes, peer.wanted) for peer in halting])
    stage.note("%d that stopped twice for 1.5 s live" % len(halting))
    for peer in sipping + halting:
        peer.reset()  # no shutdown waits for them


if __name__ == "__main__":
    main(scenario, limit=30, needs=lacking)
