# ===----------------------------------------------------------------------===
# This source file is part of the Belay open source project.
# Copyright (c) 2026 the Belay project authors.
# Licensed under Apache License v2.0; see LICENSE for details.
# SPDX-License-Identifier: Apache-2.0
# ===----------------------------------------------------------------------===
"""A peer that goes silent is reported within the bound and not before 0.9 of it; whoever speaks is not.

The silent peer's socket stays open and its kernel acknowledges everything, so no system call of the server will ever
fail: only the time since the last received byte tells. It is measured here from before the send(2) of the peer's last
byte to the read of the event line, and must agree with the event's own figures.

* three protocols, staggered: `suspected` first, then `closed` between 0.9 and 1.0 of the bound of 1 s;
* a peer that speaks again after the suspicion: `recovered`, and no `closed`;
* a peer that sends messages and never a pong stays; any received byte is a proof of life;
* the server's own bytes are not: pings and a long echo go out to the silent peers and change nothing. That the kernel
  took them, or that they were acknowledged, says nothing about the program at the other end.
"""

import time

from harness import SILENCE_REASONS, Peer, check, main, message_bytes, milliseconds, pong_bytes, spread

BOUND = 1000
PROTOCOLS = ["raw", "lines", "frames"]


class TalkingPeer(Peer):
    """Never answers a ping; sends a message every 200 ms."""

    mode = "silent"

    def started(self):
        self.talk()

    def talk(self):
        if self.sock is not None:
            self.send(message_bytes(self.protocol, b"data"))
            self.loop.later(0.2, self.talk)


def scenario(stage):
    loop = stage.peers()
    server = stage.serve("--detect-within", "1s", "--messages", "echo", listen=PROTOCOLS)
    talking, silent, recovering = [], [], []
    for protocol in PROTOCOLS:
        talking += stage.connect(loop, server, protocol, 5, kind=TalkingPeer)
        silent += stage.connect(loop, server, protocol, 12)
        recovering += stage.connect(loop, server, protocol, 5)
    time.sleep(1.2)

    for index, peer in enumerate(silent):
        if index % 2:
            # 256 KiB to be sent back: the server writes long after the peer's last byte was read.
            peer.chunk = 1 << 16
            peer.say(b"x" * 60000 if peer.protocol == "lines" else b"x" * 262144)
        peer.become("silent")
        time.sleep(0.013)

    for peer in recovering:
        peer.become("silent")
    for index, peer in enumerate(recovering):
        suspected = server.log.wait_for("connection.suspected", 3, remote=peer.address)
        check(milliseconds(suspected.at - peer.last_sent) < BOUND * 0.9, "suspected too late to be of use", [suspected])
        # The ping that came with the suspicion was read and not answered: say something unasked.
        peer.write(message_bytes(peer.protocol, b"here") if index % 2 else pong_bytes(peer.protocol))
        peer.become("answer")
        server.log.wait_for("connection.recovered", 1, remote=peer.address)

    silences, warnings = [], []
    for peer in silent:
        closed = server.log.wait_for("connection.closed", 3, remote=peer.address)
        suspected = server.log.of("connection.suspected", remote=peer.address)
        check(closed.reason in SILENCE_REASONS, "reason %s for a silent peer" % closed.reason, [closed])
        check(suspected and suspected[-1].at <= closed.at, "closed without suspicion", server.log.about(peer.address))
        check(closed.data["boundMs"] == BOUND, "boundMs is %s" % closed.data["boundMs"], [closed])
        check(0.9 * BOUND <= closed.data["silenceMs"] <= BOUND,
              "silenceMs %s, bound %d ms" % (closed.data["silenceMs"], BOUND), [closed])
        silence = closed.at - peer.last_sent
        check(0.9 * BOUND <= milliseconds(silence), "reported after %.1f ms, before 0.9 of the bound" %
              milliseconds(silence), [closed])
        silences.append(silence)
        warnings.append(suspected[-1].at - peer.last_sent)
    # The verdict falls within the bound; the line may need some milliseconds more to be written, scheduled and read.
    late = [silence for silence in silences if milliseconds(silence) > BOUND]
    check(milliseconds(max(silences)) <= BOUND + 10, "reported after %.1f ms" % milliseconds(max(silences)))
    check(len(late) * 2 < len(silences), "%d of %d were reported after the bound: %s" %
          (len(late), len(silences), spread(silences)))
    stage.note("%d silent peers, bound %d ms: %s" % (len(silences), BOUND, spread(silences)))
    stage.note("suspected at %s" % spread(warnings))

    time.sleep(1.2)
    for peer in talking + recovering:
        closed = server.log.of("connection.closed", remote=peer.address)
        check(not closed, "a peer that speaks was closed", server.log.about(peer.address))
    check(all(peer.messages > 0 for peer in talking), "messages did not come back")
    suspects = [event for peer in talking for event in server.log.of("connection.suspected", remote=peer.address)]
    check(not suspects, "a peer that sends messages was suspected", suspects)
    stage.note("%d recovered, %d kept by messages alone" % (len(recovering), len(talking)))


if __name__ == "__main__":
    main(scenario, limit=30)
