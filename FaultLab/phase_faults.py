# ===----------------------------------------------------------------------===
# This source file is part of the Belay open source project.
# Copyright (c) 2026 the Belay project authors.
# Licensed under Apache License v2.0; see LICENSE for details.
# SPDX-License-Identifier: Apache-2.0
# ===----------------------------------------------------------------------===
"""The same faults before anything was said, in the middle of a message, and while the server drains."""

import signal
import time
from dataclasses import replace

import coverage
from catalogue import fault
from expectation import SILENT, View, always, sees
from ground import ENDS, TO
from harness import Peer, SECOND, check, now
from path_faults import NO_ROUTE, come_back, delete
from resources import WARM_UNDER_BULK
from scene import BOTH_PING, EVERY_PAIR, STARTED
from scripted import deafen, halve, play, pour, serve

# --- Handshake --------------------------------------------------------------------------------------------------------

NO_HELLO = always(sees("policy.handshake-timeout", phase="handshake", since="opened"))
BEFORE = {"phase": "handshake", "settle": 0.1}


def fall_silent(scene, peers):
    scene.strike(scene.loop.become, peers, "silent")


class Mute(Peer):
    mode = "silent"


def before(strike):
    """A run in which a client that has said nothing yet is struck; `strike` gets the scene and the peers."""
    return play(strike, Mute, greet=False)


def cut(action, late=True):
    """The path does this before the first byte, which comes too late then, or not at all."""
    def strike(scene, peers):
        scene.strike(action, scene)
        if late:
            scene.loop.call(lambda: [peer.send_ping() for peer in peers])
    return before(strike)


def way_to(end):
    return lambda scene: scene.ground.drop(TO[end])


def refused_with(answer):
    return lambda scene: scene.ground.refuse(answer)


def drop(scene):
    scene.ground.drop()


def interface_down(scene):
    scene.ground.switch_off("client")


def clients_get(number):
    return lambda scene: scene.signal("client", number)


def host_deleted(scene):
    delete(scene, "client")


def host_comes_back(scene):
    come_back(scene, "client")


RST, ICMP = refused_with("tcp reset"), refused_with("icmp type host-unreachable")


fault("client says nothing", "handshake", "stopped", play=before(fall_silent), server=NO_HELLO, **BEFORE)
fault("server says nothing", "handshake", "stopped", play=serve(fall_silent, Mute), client=NO_HELLO, real_server=False,
      **BEFORE)
fault("RST before the first byte", "handshake", "RST", quick=False,
      play=before(lambda scene, peers: scene.strike(lambda: [peer.reset() for peer in peers])),
      server=always(sees("peer.reset", within="at once", phase="handshake")), **BEFORE)
fault("FIN before the first byte", "handshake", "killed", quick=False,
      play=before(lambda scene, peers: scene.strike(lambda: [peer.finish() for peer in peers])),
      server=always(sees("peer.closed", within="at once", phase="handshake")), **BEFORE)
for name, kind, play_it in (
        ("dropped both ways before the first byte", "drop", cut(drop)),
        ("dropped on the way to the server before the first byte", "one way", cut(way_to("server"))),
        ("dropped on the way to the client before the first byte", "one way", cut(way_to("client"), late=False)),
        ("refused with ICMP before the first byte", "refused with ICMP", cut(ICMP)),
        ("the client's interface down before the first byte", "cable", cut(interface_down))):
    fault(name, "handshake", kind, play=play_it, server=NO_HELLO, quick=False, **BEFORE)
fault("refused with RST before the first byte", "handshake", "refused with RST", play=cut(RST, late=False), quick=False,
      server=View(sees("peer.reset", within="next ping", phase="handshake"), NO_HELLO.answers), **BEFORE)
fault("the client's host deleted before the first byte", "handshake", "host deleted", quick=False,
      play=cut(host_deleted, late=False), heal=host_comes_back, server=NO_HELLO, **BEFORE)

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


fault("SYN dropped", "handshake", "drop", play=knock, connect=("--connect-within", "1s"), client=View(sees()),
      phase="handshake", note="no event at all, and status 1 after --connect-within of 1 s")

# --- Mid-message ------------------------------------------------------------------------------------------------------

FRAMED = tuple(pair for pair in EVERY_PAIR if pair.protocol != "raw")
MIDDLE = {"group": "mid-message", "pairs": FRAMED, "fewer": "raw has no message that could be half there: any bytes "
          "are one"}


def half_and(action, peers_too=False):
    def strike(scene, peers):
        halve(peers)
        time.sleep(0.02)  # it has arrived
        scene.strike(action, peers if peers_too else scene)
    return play(strike)


def reset(peers):
    for peer in peers:
        peer.reset()


def finish_writing(peers):
    for peer in peers:
        peer.finish()


fault("dropped both ways in a message", kind="drop", play=half_and(drop), **MIDDLE,
      server=View(sees("path.lost"), SILENT))
fault("client stops in a message", kind="stopped", play=half_and(lambda scene: None), **MIDDLE,
      server=View(sees("peer.frozen"), SILENT), quick=False)
for end in ENDS:
    fault("dropped on the way to the %s in a message" % end, kind="one way", play=half_and(way_to(end)), **MIDDLE,
          server=View(sees("path.lost"), SILENT), quick=False)
fault("cable pulled in a message", kind="cable", play=half_and(interface_down), **MIDDLE,
      server=View(sees("path.lost"), SILENT), quick=False)
fault("refused with RST in a message", kind="refused with RST", play=half_and(RST), **MIDDLE,
      server=View(sees("peer.reset", within="next ping"),
                  sees("peer.silent", "peer.reset", after=0, why="it only answers, and the acknowledgement of the "
                       "first half may be refused")), quick=False)
fault("refused with ICMP in a message", kind="refused with ICMP", play=half_and(ICMP), **MIDDLE,
      server=View(sees("path.unreachable"), SILENT), quick=False)
fault("the client's host deleted in a message", kind="host deleted", play=half_and(host_deleted), heal=host_comes_back,
      server=NO_ROUTE, quick=False, **MIDDLE)
fault("RST in a message", kind="RST", play=half_and(reset, peers_too=True), **MIDDLE,
      server=always(sees("peer.reset", within="at once")), quick=False)
fault("FIN in a message", kind="killed", play=half_and(finish_writing, peers_too=True), **MIDDLE,
      server=always(sees("peer.closed", within="at once")), quick=False)


def server_stops(scene, peers):
    scene.strike(halve, peers)


fault("server stops in a message", kind="stopped", play=serve(server_stops, greet=True), real_server=False, **MIDDLE,
      client=View(sees("peer.frozen"), SILENT), quick=False)

# Our own client in the middle of long messages, which come back to it, on a path that is not too fast for that.

RATE, QUEUE = 4_000_000, 100_000  # bytes a second, bytes
UNDER_BULK = {"warm": WARM_UNDER_BULK, "group": "mid-message", "pairs": BOTH_PING, "quick": False,
              "fewer": "where both ask, either end is judged by all that it can know",
              "prepare": lambda scene: [scene.ground.router.shape(end, RATE, QUEUE) for end in ENDS]}
MOVED = {"after": 2 / 3, "apart": "bytes of ours that it took prove life as well (rule R8)"}
LAST_MOVED = "the write deadline counts from the last byte that moved"


def under_bulk(action):
    def strike(scene):
        pour(scene.links, 0.4 * scene.bound)
        time.sleep(0.3 * scene.bound)
        scene.strike(action, scene)
    return strike


fault("dropped both ways under bulk", kind="drop", strike=under_bulk(drop), **UNDER_BULK,
      server=always(sees("path.lost", within=1.5, why=LAST_MOVED, **MOVED)),
      client=always(sees("path.lost", within=1.5, why=LAST_MOVED, **MOVED)))
fault("client stopped under bulk", kind="stopped", strike=under_bulk(clients_get(signal.SIGSTOP)),
      server=always(sees("peer.not-reading", "peer.frozen", within=1.5, **MOVED, why="its window closes behind what "
                         "is echoed, or the echo was small enough to fit into it")), **UNDER_BULK)
fault("client killed under bulk", kind="killed", strike=under_bulk(clients_get(signal.SIGKILL)),
      server=always(sees("peer.reset", "peer.closed", within=0.5, why="its kernel sends RST where bytes lay unread, "
                         "else FIN; either stands behind what was said before, in the queue of a slow path")),
      **UNDER_BULK)

# --- Draining ---------------------------------------------------------------------------------------------------------

DRAIN = 2.0  # seconds of --drain-within
FAREWELL = always(sees("peer.goodbye", "peer.closed", within=0.3, why="raw has no farewell, only FIN"))
CUT = 0.5    # seconds from which a verdict is right: the path is cut a moment before the drain begins
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
fault("drained", kind=coverage.NONE, strike=drain(), server=TOLD, **DRAINING,
      client=FAREWELL)
fault("drained behind a lost path", kind="drop", strike=drain(before=drop), server=TOLD, **DRAINING,
      client=View(sees("path.lost", after=CUT), replace(SILENT, after=CUT)))
fault("drained, dropped on the way to the client", kind="one way", strike=drain(before=way_to("client")), server=TOLD,
      client=View(sees("path.lost", after=CUT), replace(SILENT, after=CUT)), quick=False, **DRAINING)
fault("drained, dropped on the way to the server", kind="one way", strike=drain(before=way_to("server")), server=TOLD,
      client=FAREWELL, quick=False, **DRAINING)
fault("drained, refused with ICMP", kind="refused with ICMP", strike=drain(before=ICMP), server=TOLD,
      client=View(sees("path.unreachable", after=CUT), replace(SILENT, after=CUT)), quick=False, **DRAINING)
fault("drained with the client's interface down", kind="cable", strike=drain(before=interface_down), server=TOLD,
      client=View(sees("local.cannot-send", after=CUT), replace(SILENT, after=CUT)), quick=False, **DRAINING)
fault("drained with stopped clients", kind="stopped", strike=drain(before=clients_get(signal.SIGSTOP)),
      server=TOLD, quick=False, **DRAINING)


def await_reasons(scene):
    """Until everybody was told; what remains is to wait for the ends of the connections."""
    for link in scene.links:
        scene.servers[link.pair.pinger].log.wait_for("connection.closed", STARTED,
                                                     connection=link.connections["server"])


def kill_clients(scene):
    await_reasons(scene)
    scene.signal("client", signal.SIGKILL)


fault("drained while clients are killed", kind="killed", strike=drain(during=kill_clients), server=TOLD, quick=False,
      **DRAINING)


def bury_clients(scene):
    """New servers first: a host that comes back waits for a path between the two."""
    served_again(scene)
    host_comes_back(scene)


fault("drained after the client's host was deleted", kind="host deleted", strike=drain(before=host_deleted),
      server=TOLD, quick=False, **dict(DRAINING, heal=bury_clients))


def drain_the_deaf(scene, peers):
    deafen(scene, peers)
    scene.strike(scene.signal, "server", signal.SIGTERM)


def drain_and_reset(scene, peers):
    scene.loop.become(peers, "dead")  # they do not react to a farewell
    scene.strike(scene.signal, "server", signal.SIGTERM)
    await_reasons(scene)
    reset(peers)


fault("drained with clients that never read", kind="never reads", play=play(drain_the_deaf), server=TOLD, quick=False,
      **DRAINING)
fault("RST while draining", kind="RST", play=play(drain_and_reset), server=TOLD, quick=False, **DRAINING)
