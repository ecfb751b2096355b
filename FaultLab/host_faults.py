# ===----------------------------------------------------------------------===
# This source file is part of the Belay open source project.
# Copyright (c) 2026 the Belay project authors.
# Licensed under Apache License v2.0; see LICENSE for details.
# SPDX-License-Identifier: Apache-2.0
# ===----------------------------------------------------------------------===
"""Faults of the server's own host: no file descriptors, no disk, nobody who takes the events. Nobody dies of them."""

import fcntl
import os
import resource
import shutil
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from catalogue import fault
from expectation import LIVES, always
from ground import ADDRESS
from harness import EventLog, check
from scene import BOTH_PING, STARTED

GROUP = "the server's host"
BOTH = {"pairs": BOTH_PING, "fewer": "the accept queue and the events of a server know nothing of who pings"}
ROOM = 64 << 10
CROWD = 12
SPARE = 4


# --- File descriptors -------------------------------------------------------------------------------------------------


def exhaust(scene):
    """The limit falls below what is needed for those who come next; they wait, and are served when there is room."""
    for server in scene.servers.values():
        soft, hard = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
        scene.strike(resource.prlimit, server.pid, resource.RLIMIT_NOFILE, (server.descriptors() + SPARE, hard))
        with scene.ground.client:
            crowd = [scene.loop.connect((ADDRESS["server"], pair.port), pair.protocol, source=ADDRESS["client"],
                                        greet=True) for pair in scene.pairs for _ in range(CROWD // len(scene.pairs))]
        before = server.processor_seconds()
        time.sleep(1.5 * scene.bound)
        load = (server.processor_seconds() - before) / (1.5 * scene.bound)
        check(load < 0.3, "%.0f %% of a core without descriptors" % (load * 100))
        waiting = [peer for peer in crowd if not peer.round_trips]
        check(waiting, "descriptors were not exhausted")
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (soft, hard))
        deadline = time.monotonic() + 5
        while any(not peer.round_trips for peer in waiting):
            check(time.monotonic() < deadline, "who waited is not served when there is room again")
            time.sleep(0.02)
        scene.loop.call(lambda: [peer.release() for peer in crowd])


fault("file descriptors exhausted", GROUP, "descriptors", strike=exhaust, server=always(LIVES),
      client=always(LIVES), **BOTH,
      note="who is connected lives; who comes waits in the accept queue and is served when there is room")


# --- Events that cannot be written ------------------------------------------------------------------------------------


class Program:
    """A server whose events go elsewhere than to this program."""

    def __init__(self, scene, events, output=subprocess.DEVNULL):
        listen = [part for pair in scene.pairs
                  for part in ("--listen", "%s://0.0.0.0:%d" % (pair.protocol, pair.port))]
        self.server = scene.stage.run("serve", *listen, "--detect-within", "%gs" % scene.bound, "--threads", "1",
                                      "--drain-within", "2s", "--events", events, events=False, output=output)
        self.server.await_listeners(len(scene.pairs), STARTED)
        self.resources = scene.resources
        self.resources.begin(self.server, len(scene.pairs))

    def end(self):
        """Ends with 0, once everything of those who were connected is gone."""
        self.resources.look([self.server])
        self.server.signal(15)
        status = self.server.wait(STARTED)
        check(status == 0, "the server ended with %d:\n%s" % (status, self.server.errors.text()))


def come_and_go(scene, times):
    """Connections that cause events."""
    for _ in range(times):
        with scene.ground.client:
            peers = [scene.loop.connect((ADDRESS["server"], pair.port), pair.protocol, source=ADDRESS["client"],
                                        greet=True) for pair in scene.pairs]
        deadline = time.monotonic() + STARTED
        while any(not peer.round_trips for peer in peers):
            check(time.monotonic() < deadline, "a new connection is not served")
            time.sleep(0.005)
        scene.loop.call(lambda peers=peers: [peer.release() for peer in peers])


def judged(lines):
    """Checks events as `harness` does: none missing, none twice, no half line."""
    read, write = os.pipe()
    with os.fdopen(read, "rb") as stream:
        with os.fdopen(write, "wb") as sink:
            log = EventLog(stream)
            sink.write(lines)
        log.join(STARTED)
    return log.check_balance()


def living(scene, number, program, disturb, restore, lines):
    """Clients who live through it; `lines` gives all events in the end."""
    for pair in scene.pairs:
        scene.meet(scene.connect(pair))
    scene.settle()
    scene.strike(disturb)
    come_and_go(scene, 10)
    time.sleep(scene.bound)
    restore()
    come_and_go(scene, 1)
    scene.judge(number)
    scene.part()
    program.end()
    count = judged(lines())
    expected = len(scene.pairs) * 12
    check(count == expected, "%d connections in the events, %d were made" % (count, expected))


def fill_disk(scene, number):
    folder = tempfile.mkdtemp(prefix="belay-lab-disk-")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=%d" % ROOM, "belay-lab", folder], check=True)
    try:
        path = Path(folder)
        with scene.ground.server:
            program = Program(scene, str(path / "events.jsonl"))

        def fill():
            with open(path / "other", "wb", buffering=0) as other:
                try:
                    while True:
                        other.write(b"x" * 4096)
                except OSError:
                    pass

        def free():
            (path / "other").unlink()
            time.sleep(1.5)

        living(scene, number, program, fill, free, lambda: (path / "events.jsonl").read_bytes())
    finally:
        for process in scene.stage.processes:
            process.kill()
        subprocess.run(["umount", "-l", folder], check=True)
        shutil.rmtree(folder, ignore_errors=True)


fault("disk full under the event file", GROUP, "disk", play=fill_disk, real_server=False, client=always(LIVES), **BOTH,
      note="events wait in memory and are written when there is room: none is missing, none is torn")


def stop_consumer(scene, number):
    read, write = os.pipe()
    taken = []
    with scene.ground.server:
        program = Program(scene, "-", output=write)
    os.close(write)

    def take():
        while chunk := os.read(read, 1 << 16):
            taken.append(chunk)

    def go_on():
        threading.Thread(target=take, daemon=True).start()
        time.sleep(0.2)

    def lines():
        time.sleep(0.2)
        return b"".join(taken)

    # A small pipe, which some events fill.
    fcntl.fcntl(read, fcntl.F_SETPIPE_SZ, 4096)
    living(scene, number, program, lambda: None, go_on, lines)
    os.close(read)


fault("consumer of standard output stops reading", GROUP, "consumer", play=stop_consumer, real_server=False,
      client=always(LIVES), **BOTH, note="events wait in memory; when it reads again it gets all of them")


def lose_consumer(scene, number):
    read, write = os.pipe()
    with scene.ground.server:
        program = Program(scene, "-", output=write)
    os.close(write)
    for pair in scene.pairs:
        scene.meet(scene.connect(pair))
    scene.settle()
    scene.strike(os.close, read)
    come_and_go(scene, 3)
    scene.judge(number)
    scene.part()
    words = program.server.errors.text()
    check("events cannot be written" in words, "not a word about it on standard error: %s" % words)
    program.end()


fault("consumer of standard output goes away", GROUP, "consumer", play=lose_consumer, real_server=False,
      client=always(LIVES), **BOTH, note="the server goes on, and says on standard error that events cannot be written")
