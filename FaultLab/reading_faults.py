# ===----------------------------------------------------------------------===
# This source file is part of the Belay open source project.
# Copyright (c) 2026 the Belay project authors.
# Licensed under Apache License v2.0; see LICENSE for details.
# SPDX-License-Identifier: Apache-2.0
# ===----------------------------------------------------------------------===
"""Peers that do not read, or read too little, and bulk that must not drown heartbeats."""

import time

from catalogue import fault
from expectation import LIVES, always, sees
from resources import WARM_UNDER_BULK
from scene import BOTH_PING, EVERY_PAIR, Pair
from scripted import Sipper, TalkingSipper, deafen, play, pour, serve, sip, sip_bulk

GROUP = "reading"
MOVED = {"why": "the write deadline counts from the last byte that moved, which is some time after the fault",
         "after": 2 / 3, "apart": "bytes of ours that it took prove life as well (rule R8)"}
SERVER_ASKS = tuple(pair for pair in EVERY_PAIR if pair.asks("server"))
CLIENT_ASKS = tuple(pair for pair in EVERY_PAIR if pair.asks("client"))

fault("client never reads", GROUP, "never reads", play=play(deafen), warm=WARM_UNDER_BULK,
      server=always(sees("peer.not-reading", within=1.5, **MOVED)),
      note="the server echoes 300 kB to a scripted client")


def deafen_server(scene, peers):
    """The client has much to say to a server that reads nothing any more."""
    scene.loop.become(peers, "deaf")
    scene.strike(pour, scene.links, 3 * scene.bound)


fault("server never reads", GROUP, "never reads", play=serve(deafen_server, greet=True), real_server=False,
      client=always(sees("peer.not-reading", within=1.7, **MOVED)),
      note="the client says as much as fits to a scripted server")

fault("client reads a byte a second, bulk waits", GROUP, "a byte a second", play=play(sip_bulk, Sipper), quick=False,
      warm=WARM_UNDER_BULK,
      server=always(sees("peer.not-reading", within=1.5, **MOVED)),
      note="a byte that is read opens no window (RFC 9293 section 3.8.6.2.2), so that no byte of ours moves")

NO_PING = "who only answers sends nothing that could be read so slowly"
fault("client reads a byte a second, heartbeats only", GROUP, "a byte a second", play=play(sip, Sipper),
      pairs=SERVER_ASKS, fewer=NO_PING, server=always(sees("peer.frozen")),
      note="it never gets to the end of a ping in time")
fault("server reads a byte a second, heartbeats only", GROUP, "a byte a second",
      play=serve(sip, Sipper, greet=True), real_server=False, pairs=CLIENT_ASKS, fewer=NO_PING, quick=False,
      client=always(sees("peer.frozen")))

fault("client talks and reads a byte a second", GROUP, "a byte a second", play=play(sip, TalkingSipper),
      server=always(LIVES), outlive=3.0, note="any byte that is received is a proof of life")


def feed(scene):
    """Every client says as much as fits, for three bounds; the server sends all of it back."""
    scene.strike(pour, scene.links, 3 * scene.bound)
    time.sleep(3 * scene.bound)


fault("bulk both ways at full speed", GROUP, "bulk", strike=feed, server=always(LIVES), client=always(LIVES),
      alone=True, pairs=BOTH_PING + (Pair("lines", "server"), Pair("lines", "client")),
      fewer="five fill the machine; lines stands for raw and frames where one end pings",
      outlive=4.5, slow=14, warm=WARM_UNDER_BULK,
      note="as fast as the machine can, heartbeats beside it")
