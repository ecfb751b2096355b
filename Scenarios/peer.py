# ===----------------------------------------------------------------------===
# This source file is part of the Belay open source project.
# Copyright (c) 2026 the Belay project authors.
# Licensed under Apache License v2.0; see LICENSE for details.
# SPDX-License-Identifier: Apache-2.0
# ===----------------------------------------------------------------------===
"""Peers in a process of their own, for scenarios that stop or kill it. Started by `harness.PeerProcess`.

Reads one JSON command per line on standard input and answers with one JSON line. Ends with its standard input.

    {"do": "connect", "address": ["127.0.0.1", 7400], "protocol": "raw", "count": 100}   and what Peers.connect takes
    {"do": "stream", "size": 65536}    all peers write messages of that size for ever, and read what comes back
"""

import json
import sys

from harness import Peers, allow_descriptors, message_bytes


def main():
    allow_descriptors(1 << 20)
    loop = Peers()
    peers = []
    for line in sys.stdin:
        command = json.loads(line)
        action = command.pop("do")
        answer = {}
        if action == "connect":
            address = tuple(command.pop("address"))
            protocol, count = command.pop("protocol"), command.pop("count")
            added = [loop.connect(address, protocol, **command) for _ in range(count)]
            peers += added
            answer["addresses"] = [peer.address for peer in added]
        elif action == "stream":
            text = b"x" * (command["size"] - 1)
            for peer in peers:
                peer.chunk = 1 << 18
                data = message_bytes(peer.protocol, text)
                peer.feed(lambda data=data: data)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
