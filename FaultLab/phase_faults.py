# ===----------------------------------------------------------------------===
# This source file is part of the Belay open source project.
# Copyright (c) 2026 the Belay project authors.
# Licensed under Apache License v2.0; see LICENSE for details.
# SPDX-License-Identifier: Apache-2.0
# ===----------------------------------------------------------------------===
"""The same faults before anything was said, in the middle of a message, and while the server drains."""

import signal
import time

from catalogue import fault
from expectation import SILENT, View, always, sees
from ground import ENDS
from harness import Peer, SECOND, check, now
from scene import BOTH_PING, EVERY_PAIR, STARTED
from scripted import halve, play, pour, serve

# --- Handshake --------------------------------------------------------------------------------------------------------

NO_HELLO = always(sees("policy.handshake-timeout", phase="handshake", since="opened"))
BEFORE = {"phase": "handshake", "settle": 0.1}


def fall_silent(scene, peers):
    scene.strike(scene.loop.become, peers, "silent")


class Mute(Peer):
    mode = "silent"


fault("client says nothing", "handshake", play=play(fall_silent, Mute, greet=False), server=NO_HELLO, **BEFORE)
fault("server says nothing", "handshake", play=serve(fall_silent, Mute), client=NO_HELLO, real_server=False, **BEFORE)
fault("dropped both ways before the first byte", "handshake", server=NO_HELLO,
      play=play(lambda scene, peers: scene.strike(scene.ground.drop), Mute, greet=False), quick=False, **BEFORE)
fault("RST before the first byte", "handshake", quick=False,
      play=play(lambda scene, peers: scene.strike(lambda: [peer.reset() for peer in peers]), Mute, greet=False),
      server=always(sees("peer.reset", within="at once", phase="handshake")), **BEFORE)
fault("FIN before the first byte", "handshake", quick=False,
      play=play(lambda scene, peers: scene.strike(lambda: [peer.finish() for peer in peers]), Mute, greet=False),
      server=always(sees("peer.closed", within="at once", phase="handshake")), **BEFORE)


def knock(scene, number):
    """Nobody answers the SYN: there is no connection, so there is nothing to report but that."""
    scene.strike(scene.ground.drop)
    for pair in scene.pairs:
        scene.connect(pair)
    for link in scene.links:
        status = link.client.wait(STARTED)
        took = (now() - link.started) / SECOND
        if status != 1 or link.client.log.events or took > 1.5 + scene.lateness_until(now()):
            scene.refuse("status %d after %.2f s" % (status, took), facts=link.client.log.events, observer="client",
                         protocol=link.pair.protocol, pinger=link.pair.pinger, run=number)
        else:
            scene.fine(link, "client", number, "no event")
    scene.part()
    scene.mend()


fault("SYN dropped", "handshake", play=knock, connect=("--connect-within", "1s"), client=View(sees()),
      phase="handshake", note="no event at all, and status 1 after --connect-within of 1 s")

# --- Mid-message ------------------------------------------------------------------------------------------------------

FRAMED = tuple(pair for pair in EVERY_PAIR if pair.protocol != "raw")
MIDDLE = {"group": "mid-message", "pairs": FRAMED}


def half_and(action):
    def strike(scene, peers):
        halve(peers)
        time.sleep(0.02)  # it has arrived
        scene.strike(action, scene, peers)
    return play(strike)


fault("dropped both ways in a message", play=half_and(lambda scene, _: scene.ground.drop()), **MIDDLE,
      server=View(sees("path.lost"), SILENT))
fault("client stops in a message", play=half_and(lambda scene, _: None), **MIDDLE,
      server=View(sees("peer.frozen"), SILENT), quick=False)
fault("cable pulled in a message", play=half_and(lambda scene, _: scene.ground.switch_off("client")), **MIDDLE,
      server=View(sees("path.lost"), SILENT), quick=False)
fault("RST in a message", play=half_and(lambda _, peers: [peer.reset() for peer in peers]), **MIDDLE,
      server=always(sees("peer.reset", within="at once")), quick=False)
fault("FIN in a message", play=half_and(lambda _, peers: [peer.finish() for peer in peers]), **MIDDLE,
      server=always(sees("peer.closed", within="at once")), quick=False)


def server_stops(scene, peers):
    scene.strike(halve, peers)


fault("server stops in a message", play=serve(server_stops, greet=True), real_server=False, **MIDDLE,
      client=View(sees("peer.frozen"), SILENT), quick=False)

# Our own client in the middle of long messages, which come back to it, on a path that is not too fast for that.

RATE, QUEUE = 4_000_000, 100_000  # bytes a second, bytes
UNDER_BULK = {"group": "mid-message", "pairs": BOTH_PING, "quick": False,
              "prepare": lambda scene: [scene.ground.router.shape(end, RATE, QUEUE) for end in ENDS]}
MOVED = "the write deadline counts from the last byte that moved"


def under_bulk(action):
    def strike(scene):
        pour(scene.links, 0.4 * scene.bound)
        time.sleep(0.3 * scene.bound)
        scene.strike(action, scene)
    return strike


fault("dropped both ways under bulk", strike=under_bulk(lambda scene: scene.ground.drop()), **UNDER_BULK,
      server=always(sees("path.lost", within=1.5, why=MOVED)), client=always(sees("path.lost", within=1.5, why=MOVED)))
fault("client stopped under bulk", strike=under_bulk(lambda scene: scene.signal("client", signal.SIGSTOP)),
      server=always(sees("peer.not-reading", "peer.frozen", within=1.5, why="its window closes behind what is echoed, "
                         "or the echo was small enough to fit into it")), **UNDER_BULK)
fault("client killed under bulk", strike=under_bulk(lambda scene: scene.signal("client", signal.SIGKILL)),
      server=always(sees("peer.reset", "peer.closed", within=0.5, why="its kernel sends RST where bytes lay unread, "
                         "else FIN; either stands behind what was said before, in the queue of a slow path")),
      **UNDER_BULK)

# --- Draining ---------------------------------------------------------------------------------------------------------

DRAIN = 2.0  # seconds of --drain-within
TOLD = always(sees("local.shutdown", within=DRAIN, phase="draining"))


def drain(before=None, during=None):
    """SIGTERM to the servers, with a fault before it or just after it."""
    def strike(scene):
        if before:
            before(scene)
        scene.strike(scene.signal, "server", signal.SIGTERM)
        if during:
            during(scene)
    return strike


def served_again(scene):
    """The drained servers ended with 0 in time, and new ones take their places."""
    for pinger, server in list(scene.servers.items()):
        status = server.wait(STARTED)
        took = (now() - scene.done) / SECOND
        check(status == 0, "the server ended with %d" % status)
        check(took < DRAIN + 6, "the drain took %.1f s" % took)
        server.log.check_balance()
        server.kill()
        scene.stage.processes.remove(server)
    scene.mend()
    for pinger in list(scene.servers):
        scene.serve(pinger)


DRAINING = {"group": "draining", "phase": "draining", "heal": served_again}
fault("drained", strike=drain(), server=TOLD, **DRAINING,
      client=always(sees("peer.goodbye", "peer.closed", within=0.3, why="raw has no farewell, only FIN")))
fault("drained behind a lost path", strike=drain(before=lambda scene: scene.ground.drop()), server=TOLD,
      client=View(sees("path.lost"), SILENT), **DRAINING)
fault("drained with stopped clients", strike=drain(before=lambda scene: scene.signal("client", signal.SIGSTOP)),
      server=TOLD, quick=False, **DRAINING)


def kill_clients(scene):
    """Once everybody was told; what remains is to wait for their ends."""
    for link in scene.links:
        scene.servers[link.pair.pinger].log.wait_for("connection.closed", STARTED,
                                                     connection=link.connections["server"])
    scene.signal("client", signal.SIGKILL)


fault("drained while clients are killed", strike=drain(during=kill_clients), server=TOLD, quick=False, **DRAINING)
