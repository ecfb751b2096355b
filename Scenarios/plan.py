# ===----------------------------------------------------------------------===
# This source file is part of the Belay open source project.
# Copyright (c) 2026 the Belay project authors.
# Licensed under Apache License v2.0; see LICENSE for details.
# SPDX-License-Identifier: Apache-2.0
# ===----------------------------------------------------------------------===
"""`belay plan` says which heartbeats meet a bound, or that none do and what would help; it measures when asked to.

The JSON is one document with the same keys whatever the answer, and its figures agree with each other. A measurement
needs a server that answers heartbeats: one that refuses, or accepts and says nothing, is reported with status 1.
"""

import json
import socket
import subprocess
import threading
import time

from harness import BINARY, check, main

KEYS = {"feasible", "measured", "detectWithinMs", "intervalMs", "marginMs", "heartbeatsPerWindow",
        "mistakeRecurrenceSeconds", "mistakeDurationSeconds", "toleratedBlackoutMs", "bytesPerSecond", "kernel", "why"}


def plan(*arguments, status):
    """The document that `belay plan --json` prints, which must end with `status`."""
    done = subprocess.run([BINARY, "plan", "--json", *arguments], capture_output=True, text=True, timeout=30)
    check(done.returncode == status, "plan %s: status %d\n%s" % (" ".join(arguments), done.returncode, done.stderr))
    document = json.loads(done.stdout)
    check(set(document) == KEYS, "plan %s: keys %s" % (" ".join(arguments), sorted(document)))
    check(document["feasible"] is (status == 0) and document["why"], "plan %s: %s" % (" ".join(arguments), document))
    return document


def planned():
    # The row "wan, 3 s" of the reference's table, and the optimum of the literature with a single heartbeat.
    row = plan("--detect-within", "3s", "--delay", "50ms", "--jitter", "20ms", "--loss", "1%", "--min-heartbeats", "1",
               status=0)
    check(abs(row["intervalMs"] / 728.8 - 1) < 1e-3 and abs(row["marginMs"] / 2221.2 - 1) < 1e-3, "not the table: %s" % row)
    check(row["detectWithinMs"] == 3000 and row["measured"] is None, "%s" % row)
    check(row["mistakeRecurrenceSeconds"]["independent"] >= 30 * 86400 - 1, "%s" % row)
    check(0 < row["mistakeRecurrenceSeconds"]["dependenceFree"] < 30 * 86400, "%s" % row)
    check(row["kernel"]["userTimeoutMs"] == 6000 and row["bytesPerSecond"] > 0, "%s" % row)
    # What is impossible names a bound that is possible.
    none = plan("--detect-within", "1s", "--delay", "150ms", "--min-interval", "100ms", status=1)
    check(none["intervalMs"] is None and none["kernel"] is None, "%s" % none)
    bounds = [line.split("a bound of ")[1].split(" ")[0] for line in none["why"] if "a bound of " in line]
    check(len(bounds) == 1, "%s" % none["why"])
    plan("--detect-within", bounds[0], "--delay", "150ms", "--min-interval", "100ms", status=0)


def measured(stage):
    for protocol in ("lines", "frames", "raw"):
        server = stage.serve(listen=(protocol,))
        url = "%s://127.0.0.1:%d" % (protocol, server.address(protocol)[1])
        document = plan("--measure", url, "--for", "2s", status=0)
        figures = document["measured"]
        check(figures["heartbeats"] >= 16 and 0 < figures["meanMs"] <= figures["longestMs"], "%s: %s" % (url, figures))
        check(document["detectWithinMs"] >= 1000, "%s: %s" % (url, document))


def answering(seconds):
    """A server in Python that answers pings for so long and goes on reading afterwards; returns its URL."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(64)

    def serve(connection):
        until = time.monotonic() + seconds
        with connection, connection.makefile("rb") as lines:
            try:
                for line in lines:
                    if line.startswith(b"ping") and time.monotonic() < until:
                        connection.sendall(line.replace(b"ping", b"pong"))
            except OSError:
                pass

    def accept():
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return "lines://127.0.0.1:%d" % listener.getsockname()[1]


def unanswered():
    # What was not answered at the end took at least as long as it had waited, and counts.
    whole = plan("--measure", answering(60), "--for", "4s", status=0)
    most = plan("--measure", answering(3), "--for", "4s", status=0)
    check(whole["measured"]["unanswered"] == 0 and whole["measured"]["connectionsLost"] == 0, "%s" % whole["measured"])
    check(most["measured"]["unanswered"] >= 8 and most["measured"]["longestMs"] >= 400, "%s" % most["measured"])
    check(most["detectWithinMs"] > 2 * whole["detectWithinMs"], "%s against %s" % (most, whole))
    url = answering(1)
    done = subprocess.run([BINARY, "plan", "--measure", url, "--for", "4s"], capture_output=True, text=True, timeout=30)
    check(done.returncode == 1 and "heartbeats were answered" in done.stderr, "%d: %s" % (done.returncode, done.stderr))


def failing():
    silent = socket.socket()
    silent.bind(("127.0.0.1", 0))
    silent.listen(64)
    refusing = socket.socket()
    refusing.bind(("127.0.0.1", 0))
    for listener, why in ((silent, "no heartbeat was answered"), (refusing, "ECONNREFUSED")):
        url = "lines://127.0.0.1:%d" % listener.getsockname()[1]
        done = subprocess.run([BINARY, "plan", "--measure", url, "--for", "2s", "--json"], capture_output=True, text=True,
                              timeout=30)
        check(done.returncode == 1 and not done.stdout, "%s: status %d, %s" % (url, done.returncode, done.stdout))
        check(why in done.stderr.splitlines()[-1] and url in done.stderr, "%s: %s" % (url, done.stderr))
    silent.close()
    refusing.close()


def scenario(stage):
    planned()
    measured(stage)
    unanswered()
    failing()
    stage.note("a row of the table, what is impossible, 3 protocols measured, 2 servers that answer in part, 2 that do not")


if __name__ == "__main__":
    main(scenario, limit=60)
