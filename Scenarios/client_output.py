# ===----------------------------------------------------------------------===
# This source file is part of the Belay open source project.
# Copyright (c) 2026 the Belay project authors.
# Licensed under Apache License v2.0; see LICENSE for details.
# SPDX-License-Identifier: Apache-2.0
# ===----------------------------------------------------------------------===
"""A client whose standard output is not read ends all the same; what it could still write is written.

* Messages that came before the server's end are all there, also where the reader is slow.
* Nobody reads: SIGTERM ends the client with 0 after its goodbye and two seconds of patience, and it says that messages were lost.
* The reader went away: the client says so in one line, says goodbye, and ends with 1.
"""

import os
import signal
import time

from harness import Peer, check, main

LINES = 5000
PATIENCE = 2  # seconds that the client gives its reader at the end
CLOSING = 5  # seconds in which its server may say goodbye as well; this one talks on
TOLERANCE = 2  # seconds; the scenario is about whether it ends, not how fast
FULL = 1 << 18  # bytes; a pipe holds a quarter of it


class Speaker(Peer):
    """Says the numbers from 0 and closes its writing half, or goes on without end."""

    last = LINES

    def started(self):
        self.number = 0
        self._feed(self.more)

    def more(self):
        numbers = range(self.number, min(self.number + 100, self.last))
        self.number += len(numbers)
        if not numbers:
            self._finish()
        return b"".join(b"%08d\n" % number for number in numbers)


class EndlessSpeaker(Speaker):
    last = 1 << 62


def connect(stage, loop, kind):
    """A client, the end of the pipe that takes its output, and what it is connected to."""
    address, accepted = loop.listen("lines", kind)
    reading, writing = os.pipe()
    client = stage.run("connect", "lines://%s:%d" % address, "--no-reconnect", output=writing)
    os.close(writing)
    deadline = time.monotonic() + 10
    while not accepted:
        check(time.monotonic() < deadline, "the client did not connect:\n%s" % client.errors.text())
        time.sleep(0.01)
    return client, reading, accepted[0]


def scenario(stage):
    loop = stage.peers()
    everything_is_written(stage, loop)
    nobody_reads(stage, loop)
    reader_goes_away(stage, loop)


def everything_is_written(stage, loop):
    client, reading, _ = connect(stage, loop, Speaker)
    with os.fdopen(reading, "rb", buffering=0) as output:
        text = b""
        while chunk := output.read(4096):
            text += chunk
            time.sleep(0.001)
    check(text == b"".join(b"%08d\n" % number for number in range(LINES)),
          "%d of %d lines were written" % (text.count(b"\n"), LINES))
    status = client.wait(5)
    check(status == 1 and "peer.closed" in client.errors.text(), "status %d:\n%s" % (status, client.errors.text()))
    stage.note("%d lines before the end were written" % LINES)


def nobody_reads(stage, loop):
    client, reading, server = connect(stage, loop, EndlessSpeaker)
    deadline = time.monotonic() + 10
    while server.number * 9 < FULL:
        check(time.monotonic() < deadline, "the client took %d lines only" % server.number)
        time.sleep(0.01)
    at = time.monotonic()
    client.signal(signal.SIGTERM)
    status = client.wait(CLOSING + PATIENCE + TOLERANCE)
    check(status == 0, "status %d:\n%s" % (status, client.errors.text()))
    check("messages were lost" in client.errors.text(), client.errors.text())
    os.close(reading)
    stage.note("a client whose output nobody reads ended %.1f s after SIGTERM" % (time.monotonic() - at))


def reader_goes_away(stage, loop):
    client, reading, server = connect(stage, loop, EndlessSpeaker)
    os.read(reading, 4096)
    os.close(reading)
    status = client.wait(5)
    lines = client.errors.text().splitlines()
    check(status == 1 and lines == ["belay: standard output cannot be written: Broken pipe"],
          "status %d:\n%s" % (status, client.errors.text()))
    deadline = time.monotonic() + 5
    while server.gone_at is None:
        check(time.monotonic() < deadline, "the server saw no end")
        time.sleep(0.01)
    stage.note("one whose reader went away ended with 1, and a %s" % server.gone_how)


if __name__ == "__main__":
    main(scenario, limit=60)
