# ===----------------------------------------------------------------------===
# This source file is part of the Belay open source project.
# Copyright (c) 2026 the Belay project authors.
# Licensed under Apache License v2.0; see LICENSE for details.
# SPDX-License-Identifier: Apache-2.0
# ===----------------------------------------------------------------------===
"""Peers that do what a client of ours never does: read nothing, read little, stop in the middle of a message."""

import threading
import time

from ground import ADDRESS
from harness import Peer, Talker, message_bytes
from scene import Link, Scene

WINDOW = 8192        # bytes of receive buffer, so that little fills it
CHUNK = 30_000
BULK = 300_000


class Sipper(Peer):
    """Reads a byte a second, once it sips."""

    def sip(self):
        if self.sock is not None:
            try:
                self.sock.recv(1)
            except OSError:
                pass
            self.loop.later(1, self.sip)


class TalkingSipper(Talker, Sipper):
    """Says something all the time, and reads a byte a second once it sips."""


def keep_pinging(scene, link, end):
    """A scripted end that asks does so every interval, until it does something else."""
    def ping():
        if link.peer.sock is not None and link.peer.mode == "answer":
            link.peer.send_ping()
            scene.loop.later(scene.interval, ping)

    if link.pair.asks(end):
        scene.loop.call(ping)


def play(strike, kind=Peer, greet=True):
    """A run in which scripted peers stand for the clients; `strike` gets the scene and them."""
    def run(scene, number):
        after = scene.marks()
        peers = []
        for pair in scene.pairs:
            with scene.ground.client:
                peers.append(scene.loop.connect((ADDRESS["server"], pair.port), pair.protocol, kind=kind,
                                                source=ADDRESS["client"], receive_buffer=WINDOW, greet=greet))
            scene.links.append(Link(pair, peer=peers[-1]))
        for link in scene.links:
            scene.meet(link, after)
            keep_pinging(scene, link, "client")
        scene.settle()
        strike(scene, peers)
        finish(scene, number)
    return run


def serve(strike, kind=Peer, greet=False):
    """A run in which scripted peers stand for the servers, and clients of ours for themselves."""
    def run(scene, number):
        with scene.ground.server:
            listeners = [scene.loop.listen(pair.protocol, kind, (ADDRESS["server"], pair.port)) for pair in scene.pairs]
        for pair, (_, accepted) in zip(scene.pairs, listeners):
            link = scene.connect(pair)
            scene.await_peer(link, accepted)
            if greet:
                link.peer.write(message_bytes(pair.protocol, b"here"))
            keep_pinging(scene, link, "server")
        scene.settle()
        strike(scene, [link.peer for link in scene.links])
        scene.judge(number)
        scene.part()
        scene.loop.stop_listening()
        scene.ground.mend()
    return run


def finish(scene, number):
    scene.judge(number)
    scene.part()
    (scene.fault.heal or Scene.mend)(scene)
    scene.resources.look(scene.servers.values())


# What peers are made to do.


def deafen(scene, peers):
    """They read nothing more, and what they say comes back to them."""
    scene.loop.become(peers, "deaf")
    scene.strike(flood, peers)


def flood(peers):
    for peer in peers:
        peer.write(message_bytes(peer.protocol, b"x" * CHUNK) * (BULK // CHUNK))


def sip(scene, peers):
    """They read a byte a second from now on."""
    scene.loop.become(peers, "deaf")
    scene.strike(lambda: scene.loop.call(lambda: [peer.sip() for peer in peers]))


def sip_bulk(scene, peers):
    sip(scene, peers)
    scene.strike(flood, peers)


def halve(peers):
    """The first half of a message, and nothing more."""
    for peer in peers:
        peer.become("silent")
        whole = message_bytes(peer.protocol, b"the first half of a message and the second one")
        peer.write(whole[:len(whole) // 2])


def pour(links, seconds, size=59_999):
    """Clients of ours say as much as fits, so long; each in a thread of its own, which are returned."""
    until = time.monotonic() + seconds
    line = ("x" * size + "\n").encode()

    def say(client):
        try:
            while time.monotonic() < until:
                client.process.stdin.write(line)
            client.process.stdin.flush()
        except (OSError, ValueError):
            pass  # it ended, as it may

    threads = [threading.Thread(target=say, args=(link.client,), daemon=True) for link in links]
    for thread in threads:
        thread.start()
    return threads
