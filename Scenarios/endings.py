# ===----------------------------------------------------------------------===
# This source file is part of the Belay open source project.
# Copyright (c) 2026 the Belay project authors.
# Licensed under Apache License v2.0; see LICENSE for details.
# SPDX-License-Identifier: Apache-2.0
# ===----------------------------------------------------------------------===
"""Every end that the kernel or the peer announces is reported at once and under its own name.

* shutdown(2) sends FIN; the server reads end of stream: `peer.closed`;
* close(2) with SO_LINGER 0 sends RST; the server's socket fails with ECONNRESET: `peer.reset`;
* SIGKILL of the peer's process: its kernel closes the descriptors on exit. That sends FIN, or RST if bytes lay unread
  in the receive queue: one of the two;
* a farewell (`bye` line, bye frame) before the end: `peer.goodbye`, once, whatever the kernel says after it.

The bound is 10 s here, so no deadline can be what reports the end. Contract: the event line is read within 10 ms of
the packet (median); the largest of all must stay below 50 ms.
"""

import random
import signal
import time

from harness import MILLISECOND, check, main, milliseconds, quantile, spread

TIMES = 24


def scenario(stage):
    loop = stage.peers()
    server = stage.serve("--detect-within", "10s", listen=["raw", "lines", "frames"])
    everywhere = ["raw", "lines", "frames"]
    killed = []
    # All of them connect before anything is measured: starting an interpreter costs a core.
    for index, process in enumerate([stage.peer_process() for _ in range(TIMES)]):
        address, = stage.connect_process(process, server, everywhere[index % 3], 1, greet=True)
        killed.append((address, lambda process=process: process.signal(signal.SIGKILL)))
    chance = random.Random(1)

    def measure(name, reasons, ends):
        latencies = []
        for address, end in ends:
            time.sleep(chance.uniform(0, 0.005))
            ended_at = end()
            event = server.log.wait_for("connection.closed", 3, remote=address)
            check(event.reason in reasons, "%s: reason %s" % (name, event.reason), server.log.about(address))
            latencies.append(event.at - ended_at)
        median, worst = quantile(latencies, 0.5), max(latencies)
        check(median <= 10 * MILLISECOND, "%s: median %.1f ms" % (name, milliseconds(median)))
        check(worst <= 50 * MILLISECOND, "%s: slowest %.1f ms" % (name, milliseconds(worst)))
        stage.note("%s %s" % (name, spread(latencies)))

    def peers(protocols, end):
        made = [peer for protocol in protocols
                for peer in stage.connect(loop, server, protocol, TIMES // len(protocols), greet=True)]

        def once(peer):
            end(peer)
            return peer.ended_at

        return [(peer.address, lambda peer=peer: once(peer)) for peer in made]

    measure("FIN", ["peer.closed"], peers(everywhere, lambda peer: peer.finish()))
    measure("RST", ["peer.reset"], peers(everywhere, lambda peer: peer.reset()))
    measure("bye line", ["peer.goodbye"], peers(["lines"], lambda peer: peer.goodbye(chance.choice([None, "done"]))))
    measure("bye frame", ["peer.goodbye"], peers(["frames"], lambda peer: peer.goodbye(chance.choice([None, "done"]))))

    measure("SIGKILL", ["peer.closed", "peer.reset"], killed)


if __name__ == "__main__":
    main(scenario, limit=40)
