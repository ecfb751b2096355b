# ===----------------------------------------------------------------------===
# This source file is part of the Belay open source project.
# Copyright (c) 2026 the Belay project authors.
# Licensed under Apache License v2.0; see LICENSE for details.
# SPDX-License-Identifier: Apache-2.0
# ===----------------------------------------------------------------------===
"""What a dead peer leaves behind in a server: nothing.

Descriptors are counted before the first connection and after each run. Memory is resident memory after each run; the
allocator keeps some of it, so that what counts is whether it goes on growing. One connection that is forgotten costs
some 2.6 KB. What counts is what the usual run adds, so that a buffer which grows once does not, and no more than what
the last third of the runs has beyond the first. Where bulk goes through, the allocator takes some 40 runs to find its
size, some hundred KiB at a time: memory is judged there with more runs only.
"""

import time

from harness import check

CLOSED = 3               # seconds in which the last descriptor must be closed
WARM = 3                 # runs in which buffers get the size that they have in use
WARM_UNDER_BULK = 40
ENOUGH = 8               # runs after them from which on something can be told
ALLOWED = 600            # bytes for each connection of a run
KIB = 1 << 10


class Resources:
    """Descriptors and memory of some processes, run by run."""

    def __init__(self, warm=WARM):
        self.warm = warm
        self.descriptors, self.connections, self.memory = {}, {}, {}

    def begin(self, process, connections):
        """Before the first connection; of these there are so many in each run."""
        self.descriptors[process.pid], self.connections[process.pid] = process.descriptors(), connections
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

    def check(self):
        for growth, allowed in self._growths():
            check(growth <= allowed, "resident memory grows by %.1f KiB with each run, %.1f are allowed" %
                  (growth / KIB, allowed / KIB))

    @property
    def growth(self):
        """KiB a run and what was allowed, of the process that comes nearest to it; None where runs are too few."""
        worst = max(self._growths(), key=lambda one: one[0] - one[1], default=None)
        return worst and [figure / KIB for figure in worst]

    def _growths(self):
        for pid, sizes in self.memory.items():
            if len(sizes) >= self.warm + ENOUGH:
                yield growth(sizes[self.warm:], self.connections[pid])


def growth(sizes, connections):
    """Bytes by which memory grows with each run, and what is allowed."""
    steps = sorted(later - earlier for earlier, later in zip(sizes, sizes[1:]))
    usual = steps[len(steps) // 4:len(steps) - len(steps) // 4]
    third = len(sizes) // 3
    lasting = min(sizes[-third:]) - max(sizes[:third])
    return max(0, min(sum(usual) / len(usual), lasting / (len(sizes) - 2 * third + 1))), ALLOWED * connections
