# ===----------------------------------------------------------------------===
# This source file is part of the Belay open source project.
# Copyright (c) 2026 the Belay project authors.
# Licensed under Apache License v2.0; see LICENSE for details.
# SPDX-License-Identifier: Apache-2.0
# ===----------------------------------------------------------------------===
"""One run: a server, its load, what is done to both, and what came of it."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import time

from digest import Wrong, match, read_load
from servers import MILLISECOND, PROCESSORS, load, pinned

SPARE = 60  # seconds that a run may take longer than asked for, before it is ended


class Trial:
    """Connections, interval in milliseconds, seconds after all are connected, faults as `load` takes them."""

    def __init__(self, connections, interval, seconds, faults=(), protocol="raw", stop=None, hogs=0, others=None,
                 during=None):
        self.connections, self.interval, self.seconds = connections, interval, seconds
        self.faults, self.protocol = list(faults), protocol
        self.stop, self.hogs, self.others, self.during = stop, hogs, others, during

    @property
    def longest(self):
        """About how many seconds it takes."""
        return self.seconds + 2 + self.connections / 12000

    def run(self, server, folder, environment=None):
        """Returns the digest of the load's log, with `matched`."""
        log, reports = folder / "load.log", folder / "server.log"
        for path in (log, reports):
            path.unlink(missing_ok=True)
        running = server.start(self.interval, self.seconds + SPARE, reports, protocol=self.protocol,
                               environment=environment)
        try:
            self._drive(running, log)
            running.stop()
            result = read_load(log.open())
            ends = list(running.ends())
        except (ChildProcessError, subprocess.SubprocessError) as error:
            raise Wrong(str(error)) from error
        finally:
            running.kill()
        # Peers that were held up themselves were silent indeed.
        if result["longest_turn"] > self.interval * MILLISECOND:
            raise Wrong("the load was held up for %.0f ms" % (result["longest_turn"] / MILLISECOND))
        if result["connected"]["count"] != self.connections:
            raise Wrong("%d connections in place of %d" % (result["connected"]["count"], self.connections))
        if self.others:
            # The others die as they please; they only have to be seen.
            others = read_load((folder / "others.log").open())["faults"]
            died = [end for end in ends if end[1] in others]
            if len(died) != len(others):
                raise Wrong("%d of %d others seen to end" % (len(died), len(others)))
            ends = [end for end in ends if end[1] not in others]
        result["matched"] = match(result["faults"], ends, result["end"], 2 * self.interval * MILLISECOND)
        return result

    def _drive(self, running, log):
        options = ["--pid", running.pid, "--protocol", self.protocol]
        for fault in self.faults:
            options += ["--fault", fault]
        with contextlib.ExitStack() as stack:
            main = self._start(stack, load(running.port, self.connections, self.seconds, log, *options), -1)
            self._await_samples(log, main)
            for _ in range(self.hogs):
                self._start(stack, ["sh", "-c", "while :; do :; done"], 0)
            if self.others:
                count, seconds, faults = self.others
                options = [option for fault in faults for option in ("--fault", fault)]
                self._start(stack, load(running.port, count, seconds, log.parent / "others.log", *options), -1)
            if self.stop:
                after, lasting = self.stop
                time.sleep(after)
                running.process.send_signal(signal.SIGSTOP)
                time.sleep(lasting)
                running.process.send_signal(signal.SIGCONT)
            if self.during:
                self.during(running, main)
            if main.wait(self.seconds + SPARE) != 0:
                raise Wrong("the load failed")

    @staticmethod
    def _start(stack, command, processor):
        process = subprocess.Popen(command, preexec_fn=pinned(PROCESSORS[processor]), stdin=subprocess.DEVNULL)

        def end():
            if process.poll() is None:
                process.kill()
            process.wait()

        stack.callback(end)
        return process

    def _await_samples(self, log, main):
        until = time.monotonic() + SPARE
        while not (log.exists() and "\nS " in log.read_text()):
            if main.poll() is not None or time.monotonic() > until:
                raise Wrong("not all connections were made")
            time.sleep(0.02)
