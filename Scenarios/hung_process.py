# ===----------------------------------------------------------------------===
# This source file is part of the Belay open source project.
# Copyright (c) 2026 the Belay project authors.
# Licensed under Apache License v2.0; see LICENSE for details.
# SPDX-License-Identifier: Apache-2.0
# ===----------------------------------------------------------------------===
"""While the server's process hangs, the kernel alone frees the sockets of peers whose cable was pulled (rule R11).

The heartbeat judges first; here it cannot, for SIGSTOP has the process. Three servers, each with 20 peers on the far
side of a cable of their own:

* idle: nothing is in flight, keepalive must end the connections;
* in flight: a ping is not acknowledged, keepalive does nothing, TCP_USER_TIMEOUT must end them;
* unsent: our own interface is down, the ping cannot even leave, and the kernel probes as if a window were closed.

The sockets must vanish from the kernel's tables (`ss`) no earlier than the bound and no later than the options allow:
the user timeout of two bounds, 3 s at least, overrides KEEPCNT, and the timers look once a second (`DETECTORS.md` 6.4). After SIGCONT
the server reports each once, with the kernel's own error, and peers that come another way (its loopback) live.
"""

import signal
import threading
import time

from harness import SECOND, check, main, now
from lab import Lab, lacking, sweep

PEERS = 20
BESIDE = 4
BOUND = 1.0
USER_TIMEOUT = max(2 * BOUND, 3)  # KernelTimeouts, patient: one lost probe ends nobody
GRANULARITY = 1.5            # seconds: KEEPINTVL or TCP_RTO_MAX_MS of 1 s, and half a second for a busy machine
PROTOCOLS = ["raw", "lines", "frames"]
REASONS = {"ETIMEDOUT": "path.timed-out", "EHOSTUNREACH": "path.unreachable", "ENETUNREACH": "path.unreachable"}


class Trial:
    """A server and its peers at both ends of one cable."""

    def __init__(self, stage, loop, state):
        self.state = state
        self.lab = stage.adopt(Lab(routed=False))
        with self.lab.server:
            self.server = stage.serve("--detect-within", "%gs" % BOUND, "--threads", "1", listen=PROTOCOLS,
                                      host="0.0.0.0")
            self.beside = [self._connect(loop, index, "127.0.0.1", "127.0.0.1") for index in range(BESIDE)]
        with self.lab.client:
            self.peers = [self._connect(loop, index, self.lab.server_address, self.lab.client_address)
                          for index in range(PEERS)]
        self.server.log.wait_count("connection.opened", PEERS + BESIDE, 10)
        self.gone = {}

    def _connect(self, loop, index, address, source):
        protocol = PROTOCOLS[index % 3]
        return loop.connect((address, self.server.address(protocol)[1]), protocol, source=source, greet=True)

    def hang(self):
        """Stops the process and pulls the cable, in the order that leaves the connections in the state."""
        if self.state == "idle":
            self.server.signal(signal.SIGSTOP)
            time.sleep(0.05)  # what was said last is acknowledged
        else:
            if self.state == "in flight":
                self.lab.client.filter("input", "drop")
            else:
                self.lab.server.down()
            time.sleep(BOUND / 2)  # longer than an interval, shorter than the bound
            self.server.signal(signal.SIGSTOP)
        self.lab.client.down()
        self.before = self.lab.server.sockets()
        states = [self._state(self.before.get(peer.address, "no socket")) for peer in self.peers]
        check(states == [self.state] * PEERS, "%d of %d are %s" % (states.count(self.state), PEERS, self.state),
              list(self.before.values())[:4])

    @staticmethod
    def _state(line):
        return "in flight" if "unacked:" in line else "unsent" if "notsent:" in line else "idle"

    def watch(self):
        """When each socket was seen to be gone."""
        deadline = time.monotonic() + USER_TIMEOUT + GRANULARITY + 3
        while len(self.gone) < PEERS and time.monotonic() < deadline:
            sockets = self.lab.server.sockets()
            at = now()
            for peer in self.peers:
                if peer.address not in sockets:
                    self.gone.setdefault(peer.address, at)
            self.left = [sockets[peer.address] for peer in self.peers if peer.address in sockets]
            time.sleep(0.05)

    def check_freed(self):
        check(not self.left, "%d sockets are still there %.1f s after the last byte" %
              (len(self.left), (now() - self.peers[0].last_sent) / SECOND), self.left[:4])
        times = [(at - peer.last_sent) / SECOND for peer in self.peers for at in [self.gone[peer.address]]]
        check(BOUND <= min(times) and max(times) <= USER_TIMEOUT + GRANULARITY,
              "freed %.2f to %.2f s after the last byte; user timeout %g s" % (min(times), max(times), USER_TIMEOUT),
              list(self.before.values())[:4])
        return "%.2f to %.2f s" % (min(times), max(times))

    def check_reported(self):
        mark = self.server.log.mark()
        self.server.signal(signal.SIGCONT)
        for peer in self.peers:
            event = self.server.log.wait_for("connection.closed", 3, remote=peer.address)
            name = event.data["evidence"]["errno"]
            check(name in REASONS and event.reason == REASONS[name], "%s with errno %s" % (event.reason, name), [event])
        time.sleep(BOUND)
        closed = self.server.log.of("connection.closed", after=mark)
        check(len(closed) == PEERS, "%d closed for %d peers" % (len(closed), PEERS),
              [event for event in closed if event.remote in {peer.address for peer in self.beside}][:4])
        check(len(self.server.log.of("node.stalled", after=mark)) == 1, "not one node.stalled",
              self.server.log.of("node.stalled"))


def scenario(stage):
    sweep()
    loop = stage.peers()
    trials = [Trial(stage, loop, state) for state in ("idle", "in flight", "unsent")]
    time.sleep(1.5 * BOUND)
    for trial in trials:
        trial.hang()
        trial.watcher = threading.Thread(target=trial.watch, daemon=True)
        trial.watcher.start()
    for trial in trials:
        trial.watcher.join()
        stage.note("%d %s freed in %s" % (PEERS, trial.state, trial.check_freed()))
        trial.check_reported()
    stage.note("bound %g s; each reported once after SIGCONT, %d beside them live" % (BOUND, len(trials) * BESIDE))


if __name__ == "__main__":
    main(scenario, limit=30, needs=lacking)
