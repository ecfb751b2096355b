# ===----------------------------------------------------------------------===
# This source file is part of the Belay open source project.
# Copyright (c) 2026 the Belay project authors.
# Licensed under Apache License v2.0; see LICENSE for details.
# SPDX-License-Identifier: Apache-2.0
# ===----------------------------------------------------------------------===
"""A fault: what strikes whom, in which phase, and what either end must make of it."""

from dataclasses import dataclass
from typing import Callable

from expectation import View
from resources import WARM
from scene import EVERY_PAIR, Scene

FAULTS = []


@dataclass(frozen=True)
class Fault:
    """One row of the laboratory's table, for all pairs that it is made for.

    kind: one of those in `coverage`. strike: makes it happen, through `scene.strike`.
    server, client: what the two ends see; None where an end is gone.
    heal: undoes it after the run; by default the network is mended. prepare: once, before the servers start.
    play: takes the place of the run with real clients. real_server: whether `belay serve` is one end.
    bound: seconds, or what works out bound and interval. settle: bounds for which all is well before the fault.
    outlive: bounds for which the living are watched. slow: seconds that a run takes at most.
    serve, connect: flags of the two programs. messages: what the server does with messages.
    shards: how many scenes of it run side by side. waits: whether it does little but wait. alone: whether it needs the
    machine for itself. quick: whether it is in the quick part.
    """

    name: str
    group: str
    kind: str
    strike: Callable = None
    server: View = None
    client: View = None
    phase: str = "active"
    pairs: tuple = EVERY_PAIR
    fewer: str = ""       # why these are not all
    bound: object = 1.0
    heal: Callable = None
    prepare: Callable = None
    play: Callable = None
    settle: float = 1.0
    outlive: float = 1.5
    shards: int = 1
    serve: tuple = ()
    connect: tuple = ()
    real_server: bool = True
    messages: str = "echo"
    waits: bool = False
    alone: bool = False
    quick: bool = True
    warm: int = WARM      # runs before memory is judged
    slow: float = 8.0     # seconds that a run takes at most
    note: str = ""

    @property
    def stage(self):
        """Where in its life the connection is struck; the reason itself knows of no messages."""
        return "mid-message" if self.group == "mid-message" else self.phase

    def seen(self, end, pair):
        view = {"server": self.server, "client": self.client}[end]
        return view and view.of(end, pair.pinger)

    def run(self, scene, number):
        (self.play or Scene.run)(scene, number)


def fault(name, group, kind, **options):
    """Adds a fault to the table."""
    FAULTS.append(Fault(name, group, kind, **options))


def named(name):
    return next(one for one in FAULTS if one.name == name)
