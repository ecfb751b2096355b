# ===----------------------------------------------------------------------===
# This source file is part of the Belay open source project.
# Copyright (c) 2026 the Belay project authors.
# Licensed under Apache License v2.0; see LICENSE for details.
# SPDX-License-Identifier: Apache-2.0
# ===----------------------------------------------------------------------===
"""A server that was stopped for 2.5 bounds closes nobody who lives, and finds who died meanwhile.

SIGSTOP takes the processor from the server; its sockets live on in the kernel, which acknowledges and queues what the
peers send. At SIGCONT every deadline of every connection has passed on the monotonic clock. A server that judges by it
kills all 2,000 peers at once. Belay was not watching in that time, so it is nobody's silence: it reports the stall once
(`node.stalled`), reads what lies in the queues, asks everybody, and only then judges.

20 peers fall silent for ever while the server is stopped, without a FIN. Each must be reported within one bound of the
continuation, plus 5 % for the scheduler.
"""

import signal
import time

from harness import SECOND, SILENCE_REASONS, allow_descriptors, check, main, milliseconds, spread

PEERS = 2000
SILENT = 20
BOUND = 1.0


def scenario(stage):
    allow_descriptors(8192)
    loop = stage.peers()
    server = stage.serve("--detect-within", "1s", listen=["raw", "lines", "frames"])
    peers = []
    for protocol, count in (("raw", PEERS // 2), ("lines", PEERS // 4), ("frames", PEERS // 4)):
        peers += stage.connect(loop, server, protocol, count)
    time.sleep(2 * BOUND)
    early = server.log.of("connection.closed")
    check(not early, "%d live peers were closed before anything happened" % len(early), early[:8])

    mark = server.log.mark()
    stopped_at = server.signal(signal.SIGSTOP)
    time.sleep(0.5 * BOUND)
    silent = peers[::PEERS // SILENT]
    loop.become(silent, "silent")
    time.sleep(2 * BOUND)
    continued_at = server.signal(signal.SIGCONT)

    delays = []
    for peer in silent:
        event = server.log.wait_for("connection.closed", 2 * BOUND + 1, remote=peer.address)
        check(event.reason in SILENCE_REASONS, "reason %s for a silent peer" % event.reason, [event])
        delays.append(event.at - continued_at)
    check(max(delays) <= 1.05 * BOUND * SECOND, "a peer that died meanwhile was reported %.0f ms after the "
          "continuation, bound %.0f ms" % (milliseconds(max(delays)), BOUND * 1000), server.log.about(peer.address))

    time.sleep(2 * BOUND)
    dead = {peer.address for peer in silent}
    wrong = [event for event in server.log.of("connection.closed") if event.remote not in dead]
    check(not wrong, "%d of %d live peers were declared dead" % (len(wrong), PEERS - SILENT), wrong[:8])
    stalls = server.log.of("node.stalled", after=mark)
    length = (continued_at - stopped_at) / SECOND * 1000
    check(len(stalls) == 1, "%d node.stalled after one stop of %.0f ms" % (len(stalls), length), stalls)
    check(abs(stalls[0].data["stallMs"] - length) <= 250 + BOUND * 1000 / 3, "stallMs %s for a stop of %.0f ms" %
          (stalls[0].data["stallMs"], length), stalls)
    answered = sum(peer.pings for peer in peers)
    stage.note("%d peers, %d pings, stopped for %.0f ms: 0 closed, stallMs %.0f" %
               (PEERS - SILENT, answered, length, stalls[0].data["stallMs"]))
    stage.note("%d that fell silent meanwhile: %s after the continuation" % (SILENT, spread(delays)))


if __name__ == "__main__":
    main(scenario, limit=40)
