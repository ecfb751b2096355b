# ===----------------------------------------------------------------------===
# This source file is part of the Belay open source project.
# Copyright (c) 2026 the Belay project authors.
# Licensed under Apache License v2.0; see LICENSE for details.
# SPDX-License-Identifier: Apache-2.0
# ===----------------------------------------------------------------------===
"""`belay connect raw://` keeps up with existing servers that speak bare `ping` and `pong`.

The servers here are what people write from a tutorial: one pings every 100 ms and drops the connection when its read
deadline of 300 ms passes without a byte; the other never pings and answers `pong` to `ping`. Both take nothing but
these tokens, in any split or join that TCP makes of them, and report every other byte.

* default client against the pinging server, and one that only answers: one connection for the whole time;
* client that pings, server that answers (with `po` and `ng` in two segments): one connection;
* then each server falls silent without FIN or RST: the client reports it within its bound of 300 ms;
* a server that resets the connection is found again: the client reconnects, unless told not to.
"""

import time

from harness import SILENCE_REASONS, Peer, check, main, milliseconds, spread

RUN = 6.0


class SeedServer(Peer):
    """Pings every 100 ms, drops the connection when 300 ms pass without a byte."""

    accepts_pings = True

    def started(self):
        self.rounds = 0
        self.dropped = False
        self.heard = time.monotonic()
        self.tick()

    def tick(self):
        if self.sock is None or self.mode == "silent":
            return
        if time.monotonic() - self.heard > 0.3:
            self.dropped = True
            self.release()
            return
        self.send(b"ping")
        self.rounds += 1
        self.loop.later(0.1, self.tick)

    def received(self, data):
        self.heard = time.monotonic()
        super().received(data)

    def ping_received(self, token):
        if not self.accepts_pings:
            self.message_received(b"ping")
        super().ping_received(token)


class StrictSeedServer(SeedServer):
    """The same, but it does not know what a `ping` from a client is."""

    accepts_pings = False


class AnsweringServer(Peer):
    """Only answers, in two segments."""

    def ping_received(self, token):
        self.pings += 1
        if self.mode == "answer":
            self.send(b"po")
            self.loop.later(0.005, lambda: self.send(b"ng"))


def scenario(stage):
    loop = stage.peers()
    bound = ["--interval", "100ms", "--detect-within", "300ms", "--events", "-"]
    shapes = []
    for name, kind, arguments in (("both", SeedServer, []), ("answer", StrictSeedServer, ["--heartbeats", "answer"]),
                                  ("ping", AnsweringServer, ["--heartbeats", "ping"])):
        address, accepted = loop.listen("raw", kind)
        client = stage.run("connect", "raw://%s:%d" % address, *bound, *arguments, "--no-reconnect")
        shapes.append((name, client, accepted))
    for _, client, _ in shapes:
        client.log.wait_for("connection.opened", 5)
    time.sleep(RUN)

    for name, client, accepted in shapes:
        ends = client.log.of("connection.closed")
        check(not ends and len(accepted) == 1 and accepted[0].gone_at is None,
              "%s: %d connections, server saw %s" % (name, len(accepted), accepted[0].gone_how), ends)
        server = accepted[0]
        check(server.messages == 0, "%s: the client sent %r" % (name, server.first_message))
        if isinstance(server, SeedServer):
            check(server.rounds >= RUN * 10 * 0.8, "%s: only %d rounds" % (name, server.rounds))
            # A pong for every ping, save one that is just on its way.
            check(server.rounds - 1 <= server.pongs <= server.rounds, "%s: %d pongs for %d pings" %
                  (name, server.pongs, server.rounds))
            stage.note("%s: %d rounds in one connection" % (name, server.rounds))
        else:
            check(server.pings >= RUN * 8, "%s: the client pinged %d times" % (name, server.pings))
            stage.note("%s: %d pings answered" % (name, server.pings))

    # Silence without a segment: the server's kernel acknowledges, its program says nothing any more.
    silences = []
    for name, client, accepted in shapes:
        accepted[0].become("silent")
        event = client.log.wait_for("connection.closed", 3)
        silence = event.at - accepted[0].last_sent
        check(event.reason in SILENCE_REASONS, "%s: reason %s" % (name, event.reason), [event])
        check(270 <= milliseconds(silence) <= 310, "%s: reported after %.1f ms, bound 300 ms" %
              (name, milliseconds(silence)), [event])
        silences.append(silence)
        client.wait(5)  # --no-reconnect: nothing is left to do
        client.log.check_balance()
    stage.note("silence at the report: %s" % spread(silences))

    # With reconnecting, the default, a server that resets the connection is found again.
    address, accepted = loop.listen("raw", SeedServer)
    client = stage.run("connect", "raw://%s:%d" % address, *bound)
    client.log.wait_for("connection.opened", 5)
    mark = client.log.mark()
    while not accepted:
        time.sleep(0.01)
    accepted[0].reset()
    client.log.wait_for("connection.closed", 3, reason="peer.reset")
    event = client.log.wait_for("connection.opened", 10, after=mark)
    stage.note("reconnected after %.0f ms" % milliseconds(event.at - accepted[0].ended_at))

    # A line on standard input is a message, and leaves between the heartbeats as it is.
    client.write("data")
    deadline = time.monotonic() + 2
    while not (len(accepted) > 1 and accepted[1].message_bytes >= 4):
        check(time.monotonic() < deadline, "a line on standard input did not become a message")
        time.sleep(0.01)
    check(accepted[1].first_message.startswith(b"data"), "%r arrived for `data`" % accepted[1].first_message)


if __name__ == "__main__":
    main(scenario, limit=40)
