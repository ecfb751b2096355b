# ===----------------------------------------------------------------------===
# This source file is part of the Belay open source project.
# Copyright (c) 2026 the Belay project authors.
# Licensed under Apache License v2.0; see LICENSE for details.
# SPDX-License-Identifier: Apache-2.0
# ===----------------------------------------------------------------------===
"""Faults between the two hosts, and of the hosts themselves. Each is made for every protocol and every pinger."""

import signal
import time

from catalogue import fault
from expectation import LIVES, View, always, sees
from forge import Forger
from ground import TO, other
from harness import check

UNREACHABLE = View(sees("path.unreachable"))
NO_ROUTE = View(sees("path.unreachable", "path.lost", why="a router that has no way there says so five times and then "
                     "once a second to each host (net.ipv4.route.error_cost), and we are many"))
OWN_CABLE = ("local.cannot-send", "path.lost", "path.unreachable")
OWN_CABLE_WHY = "without a carrier the interface takes some packets and refuses others: each word is true"
FIRST = "the other end judges as well, and its RST gets through"
LOST = View(sees("path.lost"))
RESET = sees("peer.reset", within="at once")
RESET_LATER = sees("peer.reset", within="next ping")
UNANSWERED = "it only answers, and the end that was reset is gone; "


def path(name, kind, strike, server, client, group="the path", **options):
    fault(name, group, kind, strike=strike, server=server, client=client, **options)


# --- Cables -----------------------------------------------------------------------------------------------------------

for end in ("server", "client"):
    near = View(sees(*OWN_CABLE, why=OWN_CABLE_WHY))
    # The router has no way there any more, and says so.
    far = NO_ROUTE
    path("cable pulled at the %s's end" % end, "cable", lambda scene, end=end: scene.strike(scene.ground.pull, end),
         near if end == "server" else far, far if end == "server" else near, group="cables")
    near, far = View(sees("local.cannot-send")), LOST  # the router still has a way there, where nobody answers
    path("the %s's interface down" % end, "cable", lambda scene, end=end: scene.strike(scene.ground.switch_off, end),
         near if end == "server" else far, far if end == "server" else near, group="cables")

# --- Packets thrown away ----------------------------------------------------------------------------------------------

path("dropped both ways", "drop", lambda scene: scene.strike(scene.ground.drop), LOST, LOST)
# With whole seconds to spare the kernel's keepalive asks where the program does not.
path("dropped both ways, bound of 4 s", "drop", lambda scene: scene.strike(scene.ground.drop),
     always(sees("path.lost")), always(sees("path.lost")), bound=4.0, slow=14,
     note="the kernel's keepalive asks, also where the program does not")


def one_way(end):
    """Nothing reaches `end` any more; what it says gets through."""
    deaf = View(
        # It asks: its pings arrive, their acknowledgements do not.
        sees("path.lost"),
        # It only answers: the pings that it heard are answered; it hears no more.
        sees("peer.silent", "path.lost", why="it only answers: the last pong is acknowledged or is not"),
        both=sees("path.lost"))
    heard = View(
        sees("path.lost", "peer.reset", why=FIRST),
        sees("path.lost", "peer.reset", "peer.silent", why=FIRST + "; it only answers"),
        both=sees("peer.reset", "path.lost", why=FIRST))
    views = {end: deaf, other(end): heard}
    path("dropped on the way to the %s" % end, "one way", lambda scene: scene.strike(scene.ground.drop, TO[end]),
         views["server"], views["client"])


one_way("client")
one_way("server")

# --- Refused ----------------------------------------------------------------------------------------------------------


def refuse(kind):
    return lambda scene: scene.strike(scene.ground.refuse, kind)


# Whoever sends gets the answer; who waits hears nothing.
path("refused with RST", "refused with RST", refuse("tcp reset"), View(RESET_LATER), View(RESET_LATER))
path("refused with ICMP", "refused with ICMP", refuse("icmp type host-unreachable"), UNREACHABLE, UNREACHABLE)


def forge(end):
    """Resets `end`; the other one knows nothing of it until it asks."""
    def strike(scene):
        forger = Forger(scene.ground, end)
        try:
            flows = [(link.pair.port, link.port) if end == "server" else (link.port, link.pair.port)
                     for link in scene.links]
            check(forger.learn(flows), "a connection said nothing in its time")
            scene.strike(forger.strike, flows)
        finally:
            forger.close()

    # The kernel's keepalive of whole seconds asks at about the bound of one.
    left = sees("peer.silent", "peer.reset", why=UNANSWERED + "its own kernel may just have asked by keepalive")
    views = {end: always(RESET), other(end): View(RESET_LATER, left)}
    path("RST forged to the %s" % end, "RST", strike, views["server"], views["client"], group="resets")


forge("server")
forge("client")

# --- Hosts ------------------------------------------------------------------------------------------------------------


def kill(scene, end):
    for program in scene.programs(end):
        program.signal(signal.SIGKILL)
        program.process.wait()


def delete(scene, end):
    scene.ground.vanish(end)  # first: programs that die on a host that lives say so
    kill(scene, end)
    scene.ground.bury(end)


def forget(scene, end):
    """The host is gone and back within a moment, and its kernel knows of no connection."""
    delete(scene, end)
    scene.ground.raise_again(end)
    if end == "server":
        serve_again(scene)


def serve_again(scene):
    for pinger, server in list(scene.servers.items()):
        server.kill()
        scene.stage.processes.remove(server)
        scene.serve(pinger)


def come_back(scene, end):
    scene.ground.raise_again(end)
    if end == "server":
        serve_again(scene)
    scene.ground.mend()


def hosts(end):
    gone = NO_ROUTE
    path("the %s's host deleted" % end, "host deleted", lambda scene: scene.strike(delete, scene, end),
         None if end == "server" else gone, None if end == "client" else gone, group="hosts",
         heal=lambda scene: come_back(scene, end))
    # Its kernel answers what it does not know with RST, also when it is the kernel's keepalive that asks; at the next
    # question, however soon.
    back = always(sees("peer.reset", after=0))
    path("the %s's host back without memory" % end, "host back without memory",
         lambda scene: scene.strike(forget, scene, end),
         None if end == "server" else back, None if end == "client" else back, group="hosts", bound=3.0, slow=16,
         note="a new interface may need a second until it carries; the kernel's keepalive asks where the program only "
         "answers")


hosts("client")
hosts("server")

# --- Too large for the path -------------------------------------------------------------------------------------------

HOLE = "meta length > 1200"
LARGE = "x" * 20_000
FROZEN_HOLE = ("what the other end says stands behind the large message; its kernel acknowledges ours, which looks the "
               "same from here as a program that does not answer")


def black_hole(scene):
    """Packets beyond 1,200 bytes vanish without a word; then a large message and its echo set out."""
    scene.ground.drop(HOLE)
    time.sleep(0.02)
    scene.strike(lambda: [link.client.write(LARGE) for link in scene.links])


def black_hole_back(scene):
    """Only the way back is narrow: the message arrives, its echo does not."""
    scene.ground.drop("%s %s" % (TO["client"], HOLE))
    time.sleep(0.02)
    scene.strike(lambda: [link.client.write(LARGE) for link in scene.links])


def probing(mode):
    return lambda scene: scene.ground.probe_sizes(mode)


BLOCKED = "its own large message is sent again and again; the other end may judge first, and its RST is small"
DEAF_HOLE = View(sees("peer.frozen", "peer.reset", why=FROZEN_HOLE),
                 sees("peer.silent", "peer.reset", why="it only answers, and what it is told waits behind the message"))
STUCK = always(sees("path.lost", "peer.reset", why=BLOCKED))
path("MTU black hole, echo to the client", "MTU black hole", black_hole_back, STUCK, DEAF_HOLE, group="too large",
     prepare=probing(0))
path("MTU black hole, message to the server", "MTU black hole", black_hole, DEAF_HOLE, STUCK, group="too large",
     prepare=probing(0))
path("MTU black hole, kernels that probe", "MTU black hole", black_hole, always(LIVES), always(LIVES),
     group="too large", prepare=probing(1), messages="count", bound=12.0, settle=0.3, outlive=1.1, slow=35, shards=3,
     waits=True, quick=False,
     note="net.ipv4.tcp_mtu_probing is 1: after four retransmissions the kernel tries smaller segments, which a bound "
     "of 12 s outlasts and one of 6 s does not")
