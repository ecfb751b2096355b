# ===----------------------------------------------------------------------===
# This source file is part of the Belay open source project.
# Copyright (c) 2026 the Belay project authors.
# Licensed under Apache License v2.0; see LICENSE for details.
# SPDX-License-Identifier: Apache-2.0
# ===----------------------------------------------------------------------===
"""What a dead peer leaves behind in a server: nothing.

Descriptors are counted before the first connection and after each run. Memory is resident memory after each run; the
allocator keeps some of it, so that what counts is whether it goes on growing.
"""

import statistics
import time

from harness import check

CLOSED = 3               # seconds in which the last descriptor must be closed
WARM = 3                 # runs in which buffers get the size that they have in use
ALLOWED = 8 << 10        # bytes a run; nine connections that are forgotten cost more
KIB = 1 << 10


class Resources:
    """Descriptors and memory of some processes, run by run."""

    def __init__(self):
        self.descriptors, self.memory = {}, {}

    def begin(self, process):
        self.descriptors[process.pid] = process.descriptors()
        self.memory[process.pid] = []

    def look(self, processes):
        for process in processes:
            if process.process.poll() is not None or process.pid not in self.descriptors:
                continue
            before, deadline = self.descriptors[process.pid], time.monotonic() + CLOSED
            while process.descriptors() > before and time.monotonic() < deadline:
                time.sleep(0.01)
            check(process.descriptors() <= before, "%d descriptors, %d before the first connection" %
                  (process.descriptors(), before))
            self.memory[process.pid].append(process.resident())

    @property
    def slope(self):
        """KiB a run, of the process that grows fastest; None where there are too few runs to tell."""
        slopes = [_slope(sizes[WARM:]) / KIB for sizes in self.memory.values() if len(sizes) >= WARM + 5]
        return max(slopes) if slopes else None

    def check(self):
        slope = self.slope
        check(slope is None or slope * KIB <= ALLOWED, "resident memory grows by %.0f KiB with each run" % (slope or 0))


def _slope(values):
    """The median of the slopes between any two: a step, as when a buffer grows once, does not count; a leak does."""
    slopes = [(later - earlier) / (index - before) for index, later in enumerate(values)
              for before, earlier in enumerate(values[:index])]
    return statistics.median(slopes)
