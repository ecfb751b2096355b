# ===----------------------------------------------------------------------===
# This source file is part of the Belay open source project.
# Copyright (c) 2026 the Belay project authors.
# Licensed under Apache License v2.0; see LICENSE for details.
# SPDX-License-Identifier: Apache-2.0
# ===----------------------------------------------------------------------===
"""Faults of the programs: stopped, continued, killed, one of them or both."""

import signal
import time

from catalogue import fault
from expectation import LIVES, View, always, sees
from ground import ENDS, other
from harness import check, now

GROUP = "programs"
FROZEN = View(sees("peer.frozen"), sees("peer.silent", why="it only answers: its peer's kernel was told nothing that "
              "it could acknowledge, so a stopped program and a lost path look alike"))
GONE = always(sees("peer.closed", "peer.reset", within="at once",
                   why="its kernel sends FIN, or RST where bytes lay unread"))


def stop(end, view):
    """Stopped for 2.5 bounds: the other end judges. When it runs again it finds out that it was given up."""
    def strike(scene):
        scene.strike(scene.signal, end, signal.SIGSTOP)

    def seen(name):
        return view if name == other(end) else None

    fault("%s stopped" % end, GROUP, "stopped", strike=strike, server=seen("server"), client=seen("client"),
          heal=lambda scene: go_on(scene, end))


def go_on(scene, end):
    if end == "server":
        scene.signal("server", signal.SIGCONT)
        for server in scene.servers.values():
            server.log.wait_for("node.stalled", 5, after=0)
    scene.mend()


for end in ENDS:
    stop(end, FROZEN)


def pause(ends, share):
    """Stopped for this share of the bound and continued: nobody may be declared dead."""
    def strike(scene):
        marks = {program: program.log.mark() for end in ENDS for program in scene.programs(end)}
        for end in ends:
            scene.signal(end, signal.SIGSTOP)
        time.sleep(share * scene.bound)
        for end in ends:
            scene.strike(scene.signal, end, signal.SIGCONT)
        if share > 1:
            for end in ends:
                for program in scene.programs(end):
                    program.log.wait_for("node.stalled", 5, after=marks[program])
            time.sleep(0.1)
            for end in ends:
                for program in scene.programs(end):
                    stalls = program.log.of("node.stalled", after=marks[program])
                    # A machine that is late stalls once more by itself.
                    check(len(stalls) == 1 or scene.lateness_until(now()) > scene.interval / 8,
                          "%d node.stalled after one stop" % len(stalls), stalls)
    return strike


for end in ENDS:
    fault("%s stopped for half a bound" % end, GROUP, "stopped", strike=pause([end], 0.5), server=always(LIVES),
          client=always(LIVES))
fault("both stopped for 2.5 bounds", GROUP, "both stopped", strike=pause(ENDS, 2.5), server=always(LIVES),
      client=always(LIVES), note="one node.stalled from each program")


def awaken(end):
    """It was given up while it was stopped; it must say so once for each connection, with the truth."""
    def strike(scene):
        scene.signal(end, signal.SIGSTOP)
        time.sleep(1.5 * scene.bound)
        scene.strike(scene.signal, end, signal.SIGCONT)
    return strike


GIVEN_UP = always(sees("peer.reset", within="at once"))
fault("client continued after its peer gave it up", GROUP, "stopped", strike=awaken("client"), client=GIVEN_UP,
      quick=False)
fault("server continued after its peers gave it up", GROUP, "stopped", strike=awaken("server"), server=GIVEN_UP,
      quick=False)


def kill(end):
    def strike(scene):
        scene.strike(scene.signal, end, signal.SIGKILL)
    return strike


def restart(scene):
    for pinger, server in list(scene.servers.items()):
        server.kill()
        scene.stage.processes.remove(server)
        scene.serve(pinger)


fault("client killed", GROUP, "killed", strike=kill("client"), server=GONE)
fault("server killed", GROUP, "killed", strike=kill("server"), client=GONE, heal=restart)
