# ===----------------------------------------------------------------------===
# This source file is part of the Belay open source project.
# Copyright (c) 2026 the Belay project authors.
# Licensed under Apache License v2.0; see LICENSE for details.
# SPDX-License-Identifier: Apache-2.0
# ===----------------------------------------------------------------------===
"""Paths that lose packets at random, in both directions: which bound holds there is for the planner to say.

`belay plan --measure` looks at the path with real heartbeats and answers with the shortest bound on which mistakes are
as rare as asked, whatever the delays do together. On that bound nobody who lives may be declared dead, and all who die
are found in time.
"""

import fcntl
import json
import subprocess
import time
from pathlib import Path

from catalogue import fault
from expectation import View, sees
from ground import ADDRESS, Ground
from harness import BINARY, check

RULE = "numgen random mod 100 < %d drop"  # of the packets that cross the router, in either direction
MISTAKES_EVERY = "1h"                     # of one connection, at worst; the laboratory watches some hours of them
MEASURED = 12                             # seconds
# Silence may be old when nothing comes through any more, and a pong that was sent again is as old as its ping (R15).
LOSSY = {"after": 0, "apart": "a pong that was sent again proves life for when its ping was sent"}
LOST = View(sees("path.lost", **LOSSY), sees("path.lost", "peer.silent", **LOSSY, why="it only answers: the kernel's "
                                             "keepalive has asked in vain, or is itself not sure yet"))


def planned(percent):
    """Bound and interval in seconds, worked out once for all scenes of a run of the laboratory."""
    def plan(scene):
        path = Path(scene.lateness.path).parent / ("plan-%d" % percent)
        with open(path, "a+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            text = file.read() or measure(scene, percent)
            file.seek(0)
            file.truncate()
            file.write(text)
        found = json.loads(text)
        check(found["feasible"], "no plan for %d %% of loss: %s" % (percent, text))
        measured, recurrence = found["measured"], found["mistakeRecurrenceSeconds"]
        scene.notes.append(
            "`belay plan --measure` saw answers after %.0f ms on average (deviation %.0f ms, the longest %.0f ms) and "
            "planned a bound of %.1f s with a ping every %.1f s: a mistake of one connection every hour at worst, "
            "every %s if delays are independent" % (
                measured["meanMs"], measured["deviationMs"], measured["longestMs"], found["detectWithinMs"] / 1000,
                found["intervalMs"] / 1000, years(recurrence["independent"])))
        # In whole tenths: a plan is not that exact, and flags are read by people.
        bound = -(-found["detectWithinMs"] // 100) / 10
        return bound, found["intervalMs"] / 1000
    return plan


def years(seconds):
    days = seconds / 86_400
    return "%.0f years" % (days / 365) if days > 730 else "%.0f days" % days


def measure(scene, percent):
    ground = scene.stage.adopt(Ground())
    with ground.server:
        server = scene.stage.run("serve", "--listen", "lines://0.0.0.0:7400", "--threads", "1", "--events", "-")
    server.await_listeners(1)
    ground.router.filter("forward", RULE % percent)
    with ground.client:
        done = subprocess.run([BINARY, "plan", "--measure", "lines://%s:7400" % ADDRESS["server"], "--for",
                               "%ds" % MEASURED, "--mistakes-every", MISTAKES_EVERY, "--json"],
                              capture_output=True, text=True, timeout=MEASURED + 60)
    server.kill()
    check(done.stdout.strip(), "belay plan: status %d, %s" % (done.returncode, done.stderr[-500:]))
    return done.stdout


def lose(percent, lives):
    """Everybody lives for a while on the path as it is; then it carries nothing more."""
    def strike(scene):
        scene.ground.router.filter("forward", RULE % percent)
        time.sleep(lives * scene.bound)
        scene.strike(scene.ground.drop)
    return strike


for percent, lives, shards, slow in ((2, 2, 1, 40), (10, 1.5, 2, 90), (30, 1, 5, 300)):
    fault("loss of %d %%" % percent, "loss", "loss", strike=lose(percent, lives), server=LOST, client=LOST, settle=0.05,
          bound=planned(percent), shards=shards, slow=slow, waits=True, quick=percent == 2,
          note="nobody is declared dead while packets are lost; then nothing comes through")
