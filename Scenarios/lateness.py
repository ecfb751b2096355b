# ===----------------------------------------------------------------------===
# This source file is part of the Belay open source project.
# Copyright (c) 2026 the Belay project authors.
# Licensed under Apache License v2.0; see LICENSE for details.
# SPDX-License-Identifier: Apache-2.0
# ===----------------------------------------------------------------------===
"""How late this machine runs what is due, measured while the faults are judged.

Others build and test on the same cores. A line that is read late was not written late, and a program that waits for a
core cannot judge. Two measures: a program on each core sleeps 2 ms at a time and notes by how much each sleep was too
long; and the kernel counts how long each thread was ready to run and did not (/proc/PID/task/*/schedstat). A verdict
may be later than its bound by as much, and by nothing else.
"""

import contextlib
import glob
import os
import subprocess
import sys
import tempfile
import time

NAP = 2_000_000        # nanoseconds
NOTED = 5_000_000      # from this on
COLUMNS = "%d %d\n"    # until when, and by how much, in nanoseconds of CLOCK_MONOTONIC


def watch(path, core):
    """Notes in the file, for ever."""
    os.sched_setaffinity(0, {core})
    parent = os.getppid()
    with open(path, "a", buffering=1) as notes:
        while os.getppid() == parent:
            for _ in range(200):
                due = time.monotonic_ns() + NAP
                time.sleep(NAP / 1e9)
                late = time.monotonic_ns() - due
                if late >= NOTED:
                    notes.write(COLUMNS % (due + late, late))


@contextlib.contextmanager
def watched():
    """The file of notes, while a program on each core writes into it."""
    with tempfile.TemporaryDirectory(prefix="belay-lateness-") as folder:
        path = os.path.join(folder, "notes")
        watches = [subprocess.Popen([sys.executable, __file__, path, str(core)]) for core in os.sched_getaffinity(0)]
        try:
            yield path
        finally:
            for one in watches:
                one.kill()
                one.wait()


class Lateness:
    """What was noted."""

    def __init__(self, path):
        self.path, self.place, self.notes = path, 0, []

    def worst(self, since, until):
        """The longest delay between two moments, in nanoseconds; both in nanoseconds of CLOCK_MONOTONIC."""
        if os.path.exists(self.path):
            with open(self.path) as lines:
                lines.seek(self.place)
                for line in iter(lines.readline, ""):
                    if not line.endswith("\n"):
                        break
                    self.place += len(line)
                    self.notes.append(tuple(map(int, line.split())))
        return max((late for at, late in self.notes if at >= since and at - late <= until), default=0)


def waited(pid):
    """Nanoseconds in which the threads of a process were ready to run and did not; 0 where it has ended."""
    total = 0
    for path in glob.glob("/proc/%d/task/*/schedstat" % pid):
        try:
            with open(path) as figures:
                total += int(figures.read().split()[1])
        except (OSError, IndexError):
            pass
    return total


if __name__ == "__main__":
    watch(sys.argv[1], int(sys.argv[2]))
