# ===----------------------------------------------------------------------===
# This source file is part of the Belay open source project.
# Copyright (c) 2026 the Belay project authors.
# Licensed under Apache License v2.0; see LICENSE for details.
# SPDX-License-Identifier: Apache-2.0
# ===----------------------------------------------------------------------===
"""A command that cannot be carried out ends with 2 and says in one line what is wrong with which flag.

The line goes to standard error and names the flag (or the address that is taken), so that a person finds it in a unit
file and a script can show it. Standard output stays empty: who reads events from it gets no half event. A port in use
is found by bind(2) or listen(2) with EADDRINUSE, at the start and not later.
"""

import socket

from harness import check, main

LINES = ["--listen", "lines://127.0.0.1:0"]

CASES = [
    ("--listen", ["serve"]),
    ("--listen", ["serve", "--listen", "gopher://127.0.0.1:0"]),
    ("--listen", ["serve", "--listen", "127.0.0.1:7400"]),
    ("--listen", ["serve", "--listen", "lines://127.0.0.1:99999"]),
    ("--listen", ["serve", "--listen", "lines://127.0.0.1"]),
    ("--detect-within", ["serve"] + LINES + ["--detect-within", "soon"]),
    ("--detect-within", ["serve"] + LINES + ["--detect-within", "10 parsecs"]),
    ("--detect-within", ["serve"] + LINES + ["--detect-within", "0s"]),
    ("--detect-within", ["serve"] + LINES + ["--detect-within=-5s"]),
    ("--interval", ["serve"] + LINES + ["--interval", "x"]),
    ("--interval", ["serve"] + LINES + ["--interval", "30s", "--detect-within", "30s"]),
    ("--interval", ["serve"] + LINES + ["--interval", "1m", "--detect-within", "30s"]),
    ("--reply-within", ["serve"] + LINES + ["--interval", "5s", "--reply-within", "3s", "--detect-within", "2s"]),
    ("--attempts", ["serve"] + LINES + ["--attempts", "0"]),
    ("--attempts", ["serve"] + LINES + ["--attempts", "many"]),
    ("--handshake-within", ["serve"] + LINES + ["--handshake-within", "later"]),
    ("--write-within", ["serve"] + LINES + ["--write-within", ""]),
    ("--drain-within", ["serve"] + LINES + ["--drain-within", "1y"]),
    ("--max-connections", ["serve"] + LINES + ["--max-connections", "lots"]),
    ("--max-connections-per-address", ["serve"] + LINES + ["--max-connections-per-address", "1.5"]),
    ("--max-message-size", ["serve"] + LINES + ["--max-message-size", "big"]),
    ("--messages", ["serve"] + LINES + ["--messages", "shout"]),
    ("--log-level", ["serve"] + LINES + ["--log-level", "loud"]),
    ("--frobnicate", ["serve"] + LINES + ["--frobnicate"]),
    ("gopher", ["connect", "gopher://127.0.0.1:1"]),
    ("--heartbeats", ["connect", "lines://127.0.0.1:1", "--heartbeats", "sometimes"]),
    ("--detect-within", ["connect", "lines://127.0.0.1:1", "--detect-within", "soon"]),
    ("--detector", ["serve"] + LINES + ["--detector", "crystal-ball"]),
    ("--detector", ["serve"] + LINES + ["--detector", "nfde", "--heartbeats", "answer"]),
    ("--detector", ["connect", "lines://127.0.0.1:1", "--detector", "phi", "--heartbeats", "listen"]),
    ("--detect-within", ["plan", "--detect-within", "1ms"]),
    ("--loss", ["plan", "--loss", "100%"]),
    ("--loss", ["plan", "--loss", "some"]),
    ("--delay", ["plan", "--delay", "2d"]),
    ("--jitter", ["plan", "--jitter", "x"]),
    ("--jitter", ["plan", "--distribution", "exponential", "--jitter", "1s"]),
    ("--mistakes-every", ["plan", "--mistakes-every", "never"]),
    ("--min-heartbeats", ["plan", "--min-heartbeats", "0"]),
    ("--min-interval", ["plan", "--min-interval", "1ms"]),
    ("--max-bytes-per-second", ["plan", "--max-bytes-per-second", "0"]),
    ("--for", ["plan", "--for", "3s"]),
    ("--for", ["plan", "--measure", "lines://127.0.0.1:1", "--for", "1d"]),
    ("--measure", ["plan", "--measure", "gopher://127.0.0.1:1"]),
    ("--measure", ["plan", "--measure", "lines://127.0.0.1:1", "--delay", "3ms"]),
    ("--connections", ["swarm", "raw://127.0.0.1:1"]),
    ("--connections", ["swarm", "raw://127.0.0.1:1", "--connections", "0"]),
    ("gopher", ["swarm", "gopher://127.0.0.1:1", "--connections", "1"]),
    ("--ramp", ["swarm", "raw://127.0.0.1:1", "--connections", "1", "--ramp", "0"]),
    ("--for", ["swarm", "raw://127.0.0.1:1", "--connections", "1", "--for", "2d"]),
    ("--ping-every", ["swarm", "raw://127.0.0.1:1", "--connections", "1", "--ping-every", "1ms"]),
    ("--message-rate", ["swarm", "raw://127.0.0.1:1", "--connections", "1", "--message-rate", "1001"]),
    ("--message-size", ["swarm", "raw://127.0.0.1:1", "--connections", "1", "--message-size", "0"]),
    ("--id-prefix", ["swarm", "raw://127.0.0.1:1", "--connections", "1", "--id-prefix", "x"]),
    ("--events", ["swarm", "raw://127.0.0.1:1", "--connections", "1", "--events", "/nowhere/events"]),
    ("--fault", ["swarm", "raw://127.0.0.1:1", "--connections", "1", "--fault", "thirst=5%@1s"]),
    ("--fault", ["swarm", "raw://127.0.0.1:1", "--connections", "1", "--fault", "babble=5%@1s"]),
    ("--fault", ["swarm", "raw://127.0.0.1:1", "--connections", "1", "--fault", "close=60%@1s", "--fault", "bye=60%@1s"]),
    ("--fault", ["swarm", "lines://127.0.0.1:1", "--connections", "1", "--for", "5s", "--fault", "close=5%@4s+2s"]),
]


def refuse(stage, names, arguments):
    """Runs a command that must be refused; the line must contain one of `names`."""
    shown = "belay " + " ".join(arguments)
    process = stage.run(*arguments, events=False)
    status = process.wait(10)
    lines = [line for _, line in process.errors.lines]
    check(status == 2, "%s: status %s\n%s" % (shown, status, process.errors.text()))
    check(len(lines) == 1, "%s: %d lines on standard error\n%s" % (shown, len(lines), process.errors.text()))
    check(any(name in lines[0] for name in names), "%s: does not name %s: %s" % (shown, names[0], lines[0]))
    check(not process.log.lines, "%s: %r on standard output" % (shown, process.log.lines[:1]))


def scenario(stage):
    for flag, arguments in CASES:
        # A line that names both flags of a pair that does not fit together is as good.
        names = [flag, "--detect-within"] if flag in ("--interval", "--reply-within") else [flag]
        refuse(stage, names, arguments)
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    taken.listen(1)
    address = "127.0.0.1:%d" % taken.getsockname()[1]
    for protocol in ("raw", "lines", "frames"):
        refuse(stage, [address], ["serve", "--listen", "%s://%s" % (protocol, address)])
    taken.close()
    stage.note("%d commands refused with 2 and one line that names the flag" % len(CASES))
    stage.note("3 with a port in use, naming the address")


if __name__ == "__main__":
    main(scenario, limit=40)
