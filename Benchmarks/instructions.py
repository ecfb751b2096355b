# ===----------------------------------------------------------------------===
# This source file is part of the Belay open source project.
# Copyright (c) 2026 the Belay project authors.
# Licensed under Apache License v2.0; see LICENSE for details.
# SPDX-License-Identifier: Apache-2.0
# ===----------------------------------------------------------------------===
"""Instructions in user mode that a heartbeat costs, counted by callgrind: the figure that does not drift.

Each server runs twice under valgrind with the same connections, for a short and for a longer time. What the longer run
executed more, divided by the heartbeats that it had more, is a heartbeat; start, accepts and shutdown cancel out.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from servers import BUILT, PROCESSORS, SERVERS, load, pinned

# 2,000 heartbeats a second, which valgrind keeps up with. They are answered 50 at once: with how many heartbeats a
# server shares the cost of waking up is otherwise up to the machine.
CONNECTIONS, INTERVAL, HOLD = 1000, 500, 25
SHORT, LONG = 2, 7  # seconds
CONTENDERS = ["belay", "epoll-loop", "nio-best", "nio-best-direct", "nio-idle-state"]


def lacking():
    return None if shutil.which("valgrind") else "valgrind is missing (make bench-deps installs it)"


def count(server, seconds, folder):
    """(instructions, heartbeats) of one run."""
    # Valgrind does not understand Swift's debug information, and gives up at it.
    stripped = folder / server.program.name
    subprocess.run(["strip", "--strip-debug", "-o", str(stripped), str(server.program)], check=True)
    profile = Path(os.environ.get("KEEP") or folder) / ("callgrind.%s.%ds" % (server.name, seconds))
    wrapper = ["valgrind", "--quiet", "--tool=callgrind", "--log-file=%s" % (folder / "valgrind.log"),
               "--callgrind-out-file=%s" % profile]
    reports = folder / "server.log"
    running = server.start(INTERVAL, seconds + 60, reports, wrapper, program=stripped,
                           environment={"LD_PRELOAD": str(BUILT / "sigsuspend.so")})
    try:
        log = folder / "load.log"
        subprocess.run(load(running.port, CONNECTIONS, seconds, log, "--hold", HOLD), timeout=seconds + 60, check=True,
                       preexec_fn=pinned(PROCESSORS[-1]))
        running.stop()
    finally:
        running.kill()
    text = log.read_text()
    closed = len(re.findall("^C ", text, re.MULTILINE))
    if closed:
        raise ChildProcessError("%s ended %d live connections under valgrind" % (server.name, closed))
    pongs = int(re.search(r"^Z \d+ (\d+)", text, re.MULTILINE)[1])
    if b"connection.suspected" in reports.read_bytes():
        raise ChildProcessError("%s was too slow under valgrind and suspected peers" % server.name)
    return int(re.search(r"^(?:summary|totals): (\d+)", profile.read_text(), re.MULTILINE)[1]), pongs


def measure(name, folder):
    """Instructions per heartbeat of one server."""
    short, long = (count(SERVERS[name], seconds, folder) for seconds in (SHORT, LONG))
    heartbeats, expected = long[1] - short[1], (LONG - SHORT) * 1000 * CONNECTIONS / INTERVAL
    if not 0.9 <= heartbeats / expected <= 1.1 or long[0] <= short[0]:
        raise ChildProcessError("%s made %d heartbeats in place of %d under valgrind" % (name, heartbeats, expected))
    return (long[0] - short[0]) / heartbeats
