# ===----------------------------------------------------------------------===
# This source file is part of the Belay open source project.
# Copyright (c) 2026 the Belay project authors.
# Licensed under Apache License v2.0; see LICENSE for details.
# SPDX-License-Identifier: Apache-2.0
# ===----------------------------------------------------------------------===
"""Whatever arrives on a listener ends with a reason, in bounded memory, and disturbs nobody else.

Each attack has its own connection: random bytes, much data without a newline, a frame that claims 4 GiB, NULs, invalid
UTF-8, and one byte a second (slow loris), which keeps a connection that is judged by its last byte alive for ever and
is what the handshake deadline is for. Memory is the kernel's own high-water mark (VmHWM). One well-behaved peer per
protocol sends a message every 50 ms all the while. No control character that a peer sent may reach the log or a text of
an event, not even escaped.

GARBAGE_BYTES in the environment sets the size of the large attacks; 64 MiB if absent, 1073741824 for a night.
"""

import os
import random
import unicodedata

from harness import EchoPeer, Peer, check, frame, main, milliseconds, quantile

SIZE = int(os.environ.get("GARBAGE_BYTES", 64 << 20))
PROTOCOLS = ["raw", "lines", "frames"]
ALLOWED_MEMORY = 64 << 20
HANDSHAKE = 3.0

# The raw protocol knows no wrong bytes: all is delivered, and the end is the peer's own.
ENDED = {"peer.closed"}
LARGE = {"policy.message-too-large"}
WRONG = {"policy.protocol-violation"}
FLOOD = {"policy.ping-flood"}


class Loris(Peer):
    """One byte a second of a line or a frame that is longer than the handshake may take, so never a whole element."""

    mode = "silent"

    def started(self):
        element = b"x" * 1000 if self.protocol == "lines" else frame(0, b"x" * 1000)
        self.rest = iter(element)
        self.drip()

    def drip(self):
        if self.sock is not None:
            self.send(bytes([next(self.rest)]))
            self.loop.later(1, self.drip)


def attacks():
    noise = random.Random(7).getrandbits(8 << 20).to_bytes(1 << 20, "big")
    pieces = max(1, SIZE >> 20)
    torn = b"\xff\xfe\xc3\x28\xed\xa0\x80\xf8\x88\n" * 200
    for protocol, reasons in (("raw", ENDED), ("lines", ENDED | LARGE | WRONG), ("frames", LARGE | WRONG)):
        yield "random", protocol, [noise] * 4, reasons
    for protocol, reasons in (("raw", ENDED), ("lines", LARGE), ("frames", LARGE)):
        yield "endless", protocol, [b"x" * (1 << 20)] * pieces, reasons
    for protocol, reasons in (("raw", ENDED), ("lines", LARGE | WRONG), ("frames", LARGE | WRONG)):
        yield "NULs", protocol, [b"\0" * (1 << 20)] * 4, reasons
    yield "short NULs", "lines", [b"\0\0\0\n" * 1000], ENDED | WRONG
    yield "torn UTF-8", "raw", [torn], ENDED
    yield "torn UTF-8", "lines", [torn], ENDED | WRONG
    yield "torn hello", "frames", [frame(3, b"{\"id\":\"\xff\xc3\x28")], WRONG
    yield "empty frame", "frames", [b"\0\0\0\0"], WRONG
    yield "unknown type", "frames", [frame(99, b"")], WRONG
    # Nothing follows: the length alone must be enough, and must not be believed.
    yield "4 GiB frame", "frames", [b"\xff\xff\xff\xff\0"], LARGE
    yield "pings unended", "lines", [b"ping" * 100_000], LARGE
    # As many messages as bytes, or nearly.
    yield "empty lines", "lines", [b"\n" * (1 << 18)] * 2, ENDED
    yield "empty messages", "frames", [frame(0, b"") * 100_000] * 2, ENDED
    yield "tokens", "raw", [b"ping" * 100_000] * 16, FLOOD
    yield "hellos", "lines", [b"hello a every=1s\n" * 50_000] * 8, FLOOD
    yield "hellos", "frames", [frame(3, b'{"id":"a","every":"1s"}') * 50_000] * 8, FLOOD
    # What a terminal or a log would obey must be in neither.
    yield "escapes", "lines", [b"hello \x1b[2J\nbye \x1b[2J\nhello a every=\x1b[2J\n"], ENDED | WRONG
    yield "escapes", "frames", [frame(3, b'{"id":"\\u001b[2J\\n\\u0085"}')], WRONG
    yield "escapes", "frames", [frame(6, b'{"code":"a","message":"\\u001b[2J\\n\\u0085"}') + b"\0\0\0\0"], WRONG


def texts(value):
    """All texts of a JSON value, names as well, as whoever reads it gets them: without the escapes of JSON."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from texts([*value.keys(), *value.values()])
    elif isinstance(value, list):
        for one in value:
            yield from texts(one)


def scenario(stage):
    loop = stage.peers()
    server = stage.serve("--detect-within", "9s", "--handshake-within", "%gs" % HANDSHAKE, "--messages", "echo",
                         listen=PROTOCOLS)
    good = [stage.connect(loop, server, protocol, 1, kind=EchoPeer)[0] for protocol in PROTOCOLS]
    lorises = [stage.connect(loop, server, protocol, 1, kind=Loris)[0] for protocol in ("lines", "frames")]
    before = server.forget_peak()
    worst = 0
    for name, protocol, pieces, reasons in attacks():
        start = server.forget_peak()
        peer, = stage.connect(loop, server, protocol, 1, mode="silent")
        peer.chunk = 1 << 18
        rest = iter(pieces)

        def source(peer=peer, rest=rest, ends=reasons & ENDED):
            piece = next(rest, b"")
            if not piece and ends:
                # All bytes are with the kernel; the FIN goes behind them.
                peer._finish()
            return piece

        peer.feed(source)
        what = "%s on %s" % (name, protocol)
        event = server.log.wait_for("connection.closed", 10 + SIZE / (16 << 20), remote=peer.address)
        check(event.reason in reasons, "%s: reason %s" % (what, event.reason), server.log.about(peer.address))
        worst = max(worst, server.peak() - start)
        check(server.peak() - start < ALLOWED_MEMORY, "%s: memory grew by %.1f MiB" %
              (what, (server.peak() - start) / (1 << 20)))
    growth = server.resident() - before
    check(growth < ALLOWED_MEMORY, "memory grew by %.1f MiB in all" % (growth / (1 << 20)))

    for loris in lorises:
        event = server.log.wait_for("connection.closed", HANDSHAKE + 2, remote=loris.address)
        opened = server.log.of("connection.opened", remote=loris.address)[0]
        age = milliseconds(event.at - opened.at) / 1000
        check(event.reason == "policy.handshake-timeout", "slow loris: reason %s" % event.reason, [event])
        check(HANDSHAKE * 0.9 <= age <= HANDSHAKE + 0.5, "slow loris: ended after %.2f s" % age, [event])
        stage.note("slow loris on %s ended after %.2f s" % (loris.protocol, age))

    told = [line for _, line in server.errors.lines] + [event.envelope for event in server.log.of()]
    steering = sorted({ascii(c) for text in texts(told) for c in text if unicodedata.category(c) == "Cc"})
    check(not steering, "what peers sent reached log or events: %s" % steering)

    for peer in good:
        peer.check_served(server.log, slowest=1)
    trips = [trip for peer in good for trip in peer.round_trips]
    stage.note("%d attacks of up to %d MiB, memory at most +%.1f MiB" %
               (len(list(attacks())), SIZE >> 20, worst / (1 << 20)))
    stage.note("the good ones: p50 %.1f, max %.1f ms" % (milliseconds(quantile(trips, 0.5)), milliseconds(max(trips))))


if __name__ == "__main__":
    main(scenario, limit=60 + SIZE // (8 << 20))
