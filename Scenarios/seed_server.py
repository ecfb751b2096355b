# ===----------------------------------------------------------------------===
# This source file is part of the Belay open source project.
# Copyright (c) 2026 the Belay project authors.
# Licensed under Apache License v2.0; see LICENSE for details.
# SPDX-License-Identifier: Apache-2.0
# ===----------------------------------------------------------------------===
"""Existing peers that speak bare `ping` and `pong` over TCP stay up, and the shapes of their timing are kept.

The protocol has no delimiter, and TCP has no messages: what one send(2) wrote may come out of two recv(2), and two
sends may come out of one. The peers here make that happen on purpose. With TCP_NODELAY the kernel sends `po` at once
and `ng` in a segment of its own; `pongpong` leaves in one segment; `pongping` is an answer and a question in one.

Five servers run side by side:
* interval 100 ms, bound 300 ms, 200 peers with split and joined tokens: nobody is closed, every ping has its pong, and
  no byte of a token is taken for a message (the server echoes messages, so the peer would see it);
* the same with peers that only ping and never answer: the reverse direction;
* interval 15 s, bound 30 s: the peer does not say a byte before the first ping comes, and is not closed for that;
* interval 500 ms, answer within 300 ms: an answer after 200 ms is in time, and silence is reported within 800 ms;
* interval 5 s, answer within 3 s: silence is reported within 8 s.
"""

import random
import time

from harness import (MILLISECOND, SECOND, SILENCE_REASONS, Peer, allow_descriptors, check, main, milliseconds, now,
                     spread)

PEERS = 200
RUN = 12.0


class SplittingPeer(Peer):
    """Answers with its tokens cut, held back and joined; now and then it asks, too."""

    def started(self):
        self.random = random.Random(self.address)
        self.owed = b""
        self.questions = 0
        self.asked_last = time.monotonic()

    def ping_received(self, token):
        self.pings += 1
        if self.mode != "answer":
            return
        self.owed += b"pong"
        way = self.random.random()
        if way < 0.10 and time.monotonic() - self.asked_last > 1:
            self.owed += b"ping"
            self.questions += 1
            self.asked_last = time.monotonic()
        elif way < 0.25:
            self.owed += b"pong"
        elif way < 0.35:
            # Held until the next ping, if it comes in time: then both answers leave in one segment.
            self.loop.later(0.1, lambda: self.pay(len(self.owed)))
            return
        if way < 0.85:
            self.pay(self.random.randint(0, len(self.owed)))
            self.loop.later(self.random.uniform(0, 0.015), lambda: self.pay(len(self.owed)))
        else:
            self.pay(len(self.owed))

    def pay(self, count):
        data, self.owed = self.owed[:count], self.owed[count:]
        if data:
            self.send(data)


class AskingPeer(Peer):
    """Pings every 100 ms, ignores the server's pings and counts how long each answer takes."""

    mode = "silent"

    def started(self):
        self.questions = 0
        self.question()

    def question(self):
        if self.sock is not None and self.questions < RUN * 10:
            self.send_ping()
            self.questions += 1
            self.loop.later(0.1, self.question)


class SlowPeer(Peer):
    """Answers after 200 ms."""

    def ping_received(self, token):
        self.pings += 1
        if self.mode == "answer":
            self.loop.later(0.2, lambda: self.send(b"pong"))


def within(event, peer, bound, what):
    """How long the peer was silent when its end was reported; at most the bound."""
    silence = event.at - peer.last_sent
    check(event.reason in SILENCE_REASONS, "%s: reason %s" % (what, event.reason), [event])
    check(0.9 * bound <= milliseconds(silence) <= bound + 10,
          "%s: reported after %.1f ms of silence, bound %g ms" % (what, milliseconds(silence), bound), [event])
    check(event.data["boundMs"] == bound, "%s: boundMs is %s" % (what, event.data["boundMs"]), [event])
    return silence


def scenario(stage):
    allow_descriptors(4096)
    loop = stage.peers()
    fast = stage.serve("--interval", "100ms", "--detect-within", "300ms", "--messages", "echo", listen=["raw"])
    reverse = stage.serve("--interval", "100ms", "--detect-within", "300ms", "--messages", "echo", listen=["raw"])
    slow = stage.serve("--interval", "15s", "--detect-within", "30s", listen=["raw"])
    scaled = stage.serve("--interval", "500ms", "--reply-within", "300ms", listen=["raw"])
    real = stage.serve("--interval", "5s", "--reply-within", "3s", listen=["raw"])

    begun = now()
    patient = stage.connect(loop, slow, "raw", 3)
    real_silent, real_live = stage.connect(loop, real, "raw", 2)
    real_silent.write(b"pong")
    real_silent.become("silent")
    scaled_live = stage.connect(loop, scaled, "raw", 5, kind=SlowPeer)
    scaled_silent = stage.connect(loop, scaled, "raw", 10)
    asking = stage.connect(loop, reverse, "raw", 20, kind=AskingPeer)
    splitting = stage.connect(loop, fast, "raw", PEERS, kind=SplittingPeer)
    splitting_since = now()

    # Two rounds of 500 ms, then silence.
    time.sleep(1.2)
    for peer in scaled_silent:
        peer.write(b"pong")
        peer.become("silent")
    silences = [within(scaled.log.wait_for("connection.closed", 3, remote=peer.address), peer, 800, "500 ms + 300 ms")
                for peer in scaled_silent]
    stage.note("800 ms bound: silence %s" % spread(silences))

    closed = real.log.wait_for("connection.closed", 9, remote=real_silent.address)
    silence = within(closed, real_silent, 8000, "5 s + 3 s")
    stage.note("8 s bound: silence %.0f ms" % milliseconds(silence))

    time.sleep(max(0, RUN - (now() - splitting_since) / SECOND))
    loop.become(splitting, "silent")  # no more questions; what is owed is still paid
    time.sleep(0.15)
    rounds = sum(peer.pings for peer in splitting)
    for server, name in ((fast, "splitting"), (reverse, "asking")):
        dead = server.log.of("connection.closed")
        check(not dead, "%d of the %s peers were closed" % (len(dead), name), dead[:8])
    check(rounds >= PEERS * RUN * 10 * 0.7, "only %d rounds" % rounds)
    for peer in splitting:
        check(peer.messages == 0, "%r came back: a token was taken for a message" % peer.first_message)
        check(peer.pongs == peer.questions, "%d pongs for %d pings" % (peer.pongs, peer.questions),
              fast.log.about(peer.address))
    questions = sum(peer.questions for peer in splitting)
    answers = [trip for peer in asking for trip in peer.round_trips]
    for peer in asking:
        check(peer.messages == 0 and len(peer.round_trips) == peer.questions,
              "%d answers to %d pings" % (len(peer.round_trips), peer.questions), reverse.log.about(peer.address))
    check(max(answers) < 300 * MILLISECOND, "an answer took %.0f ms" % milliseconds(max(answers)))
    stage.note("%d rounds of split and joined tokens, %d pings to the server answered" % (rounds, questions))
    stage.note("reverse: %d answers, %s" % (len(answers), spread(answers)))

    # The first ping of the slow server is due 11.25 to 15 s after the connection was opened.
    time.sleep(max(0, 15.5 - (now() - begun) / SECOND))
    for server in (slow, scaled, real):
        alive = {peer.address for peer in patient + scaled_live + [real_live]}
        dead = [event for event in server.log.of("connection.closed") if event.remote in alive]
        check(not dead, "a live peer was closed", dead)
    check(all(1 <= peer.pings <= 2 for peer in patient), "pings within 15.5 s at an interval of 15 s: %s" %
          [peer.pings for peer in patient])
    check(all(peer.pings >= 10 for peer in scaled_live), "an answer after 200 of 300 ms did not keep a peer alive")


if __name__ == "__main__":
    main(scenario, limit=45)
