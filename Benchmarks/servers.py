# ===----------------------------------------------------------------------===
# This source file is part of the Belay open source project.
# Copyright (c) 2026 the Belay project authors.
# Licensed under Apache License v2.0; see LICENSE for details.
# SPDX-License-Identifier: Apache-2.0
# ===----------------------------------------------------------------------===
"""The servers that are measured: how each is started, asked for its port, stopped, and what it says ended.

All do the same work: `ping` to each connection every interval, `pong` expected, dead after two intervals of silence.
A server runs on the first processor alone, everything that is not measured on the last one.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
BUILT = HERE / ".build" / "peers"
SWIFT = HERE / ".build" / "release"
BELAY = Path(os.environ.get("BELAY") or HERE.parent / ".build" / "release" / "belay")
PROCESSORS = sorted(os.sched_getaffinity(0))
MILLISECOND = 1_000_000
SECOND = 1_000_000_000
STARTS_WITHIN = 30  # seconds, under valgrind too

# Belay draws each interval from 75-100 % of its nominal length (rule R2), and counts it from the answer; the peers' are
# whole. This nominal length makes about as many heartbeats; what is missing to it is found out by a first run.
DRAWN = 1 / 0.875


def pinned(processor):
    return lambda: os.sched_setaffinity(0, {processor})


def instrument():
    """What only measures waits for nobody, where it may: it shares its processor with a load that is busy."""
    os.sched_setaffinity(0, {PROCESSORS[-1]})
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except PermissionError:
        pass


def load(*arguments):
    return [str(BUILT / "load"), *(str(argument) for argument in arguments)]


class Running:
    """A server that runs. Stopped, it says what ended: (time, connection as the load names it, kind) of each."""

    def __init__(self, server, process, port, log, reader=None):
        self.server, self.process, self.port, self.log, self._reader = server, process, port, log, reader
        self.pid = process.pid

    def stop(self, within=60):
        """Ends it in order; a failure when it had ended before or does not."""
        if self.process.poll() is not None:
            raise ChildProcessError("%s ended with %s" % (self.server.name, self.process.returncode))
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(within)
            if self._reader:
                self._reader.wait(within)
        finally:
            self.kill()

    def kill(self):
        for process in (self.process, self._reader):
            if process and process.poll() is None:
                process.kill()
                process.wait()
        self.process.stdout.close()

    def ends(self):
        return self.server.read_ends(self.log)


class Peer:
    """A program of `Peers/` or `Sources/`: PROGRAM PORT INTERVAL_MS SECONDS LOG."""

    def __init__(self, name, program, environment=None):
        self.name, self.program, self.environment = name, Path(program), environment or {}

    def lacking(self):
        return None if self.program.exists() else "not built"

    def start(self, interval, seconds, log, wrapper=(), protocol="raw", environment=None, program=None):
        command = [*wrapper, str(program or self.program), "0", str(interval), str(seconds), str(log)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL,
                                   env={**os.environ, **self.environment, **(environment or {})},
                                   preexec_fn=pinned(PROCESSORS[0]))
        words = process.stdout.readline().split()
        if len(words) != 2 or words[0] != b"READY":
            process.kill()
            process.wait()
            raise ChildProcessError("%s did not start" % self.name)
        return Running(self, process, int(words[1]), log)

    @staticmethod
    def read_ends(log):
        for line in log.open():
            if line.startswith("D "):
                _, at, connection, kind, _ = line.split()
                yield int(at), connection, kind


class Belay:
    """`belay serve`, its events read from its standard output and timed by `stamp`."""

    name = "belay"
    program = BELAY
    # What stands behind the reasons, as the peers call them.
    kinds = {"peer.closed": "fin", "peer.reset": "rst", "peer.frozen": "silent", "peer.silent": "silent"}

    def __init__(self):
        self.pace = 1.0

    def lacking(self):
        return None if self.program.exists() else "not built"

    def start(self, interval, seconds, log, wrapper=(), protocol="raw", environment=None, program=None):
        command = [*wrapper, str(program or self.program), "serve", "--listen", protocol + "://127.0.0.1:0",
                   "--threads", "1", "--interval", "%dus" % (1000 * interval * DRAWN * self.pace),
                   "--detect-within", "%dms" % (2 * interval), "--events", "-"]
        errors = log.with_name(log.name + ".errors")
        with errors.open("wb") as stderr:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr,
                                       env={**os.environ, **(environment or {})}, preexec_fn=pinned(PROCESSORS[0]))
        reader = subprocess.Popen([str(BUILT / "stamp"), str(log)], stdin=process.stdout, preexec_fn=instrument)
        process.stdout.close()
        until = time.monotonic() + STARTS_WITHIN
        while time.monotonic() < until and process.poll() is None:
            found = re.search(r"^listening [a-z]+://.*:(\d+)$", errors.read_text(), re.MULTILINE)
            if found:
                return Running(self, process, int(found[1]), log, reader)
            time.sleep(0.02)
        process.kill()
        process.wait()
        reader.wait()
        raise ChildProcessError("belay did not start: %s" % errors.read_text()[-500:])

    def read_ends(self, log):
        """Each `connection.closed` and the time at which the end of its line was read."""
        reads = [tuple(map(int, line.split())) for line in log.with_name(log.name + ".times").open()]
        position, read = 0, 0
        for line in log.open("rb"):
            position += len(line)
            while reads[read][0] < position:
                read += 1
            if b"connection.closed" in line:
                data = json.loads(line)["data"]
                yield reads[read][1], number_of(data["remote"]), self.kinds.get(data["reason"], data["reason"])


def number_of(remote):
    """`127.0.0.2:40000` as the C programs write it."""
    address, port = remote.rsplit(":", 1)
    return "%d:%s" % (int.from_bytes(socket.inet_aton(address), "big"), port)


PEERS = [
    Peer("epoll-loop", BUILT / "epoll-loop"),
    Peer("nio-best", SWIFT / "nio-best"),
    Peer("nio-best-direct", SWIFT / "nio-best", {"DIRECT": "1"}),
    Peer("nio-idle-state", SWIFT / "nio-idle-state"),
    Peer("go-lazy", BUILT / "go-lazy", {"GOMAXPROCS": "1"}),
    Peer("go-tutorial", BUILT / "go-tutorial", {"GOMAXPROCS": "1"}),
]
SERVERS = {server.name: server for server in [Belay(), *PEERS]}
