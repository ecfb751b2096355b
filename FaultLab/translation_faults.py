# ===----------------------------------------------------------------------===
# This source file is part of the Belay open source project.
# Copyright (c) 2026 the Belay project authors.
# Licensed under Apache License v2.0; see LICENSE for details.
# SPDX-License-Identifier: Apache-2.0
# ===----------------------------------------------------------------------===
"""Routers that remember connections, and forget them: NAT and stateful filters."""

from catalogue import fault
from expectation import LIVES, View, always, sees

GROUP = "NAT and stateful filters"
LONG = 432_000  # seconds; the kernel's own, five days


def forget(scene):
    scene.strike(scene.ground.forget_connections)


def mend(scene):
    """Old connections are forgotten once more, so that their ports can be used again."""
    scene.mend()
    scene.ground.forget_connections()


def translate(scene):
    scene.ground.translate()
    # What comes for nobody that it knows is the router's own, and is dropped unless the fault says otherwise.
    scene.ground.rules("own", "filter hook input priority 0", 'iifname "server" ip protocol tcp drop')


fault("NAT entry dropped", GROUP, "NAT entry dropped", strike=forget, prepare=translate, heal=mend,
      server=View(sees("path.lost")), client=View(sees("path.lost")),
      note="the router stays silent about connections that it does not know")

fault("NAT entry dropped, router answers", GROUP, "NAT entry dropped", strike=forget, heal=mend,
      prepare=lambda scene: scene.ground.translate(), server=View(sees("peer.reset", within="next ping")),
      client=View(sees("path.lost")),
      note="the server's ping reaches the router itself, whose kernel answers with RST")


def guard(scene):
    scene.ground.guard()
    scene.ground.forget_idle()


def expire(seconds):
    """From now on idle connections are forgotten after so long; each packet begins the time anew."""
    return lambda scene: scene.strike(scene.ground.forget_idle, seconds)


def restore(scene):
    scene.ground.forget_idle(LONG)
    mend(scene)


fault("conntrack expiry beyond the interval", GROUP, "idle entry expired", strike=expire(2), prepare=guard,
      heal=restore, server=always(LIVES), client=always(LIVES), bound=3.0, outlive=3.0, slow=16,
      note="an interval of 1 s keeps an entry that lives 2 s idle")

EXPIRED = always(sees("path.lost", within="idle", why="the bound counts from the last byte, which comes up to an "
                      "interval later than the fault; who only answers knows by the kernel's keepalive"))
fault("conntrack expiry before the interval", GROUP, "idle entry expired", strike=expire(1), prepare=guard,
      heal=restore, server=EXPIRED, client=EXPIRED, bound=6.0, slow=20, quick=False, shards=3, waits=True,
      note="an interval of 2 s is too long for an entry that lives 1 s idle")
