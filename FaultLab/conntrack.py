# ===----------------------------------------------------------------------===
# This source file is part of the Belay open source project.
# Copyright (c) 2026 the Belay project authors.
# Licensed under Apache License v2.0; see LICENSE for details.
# SPDX-License-Identifier: Apache-2.0
# ===----------------------------------------------------------------------===
"""The router's memory of connections, emptied: what `conntrack -F` does, by nfnetlink."""

import os
import socket
import struct

NETLINK_NETFILTER = 12
DELETE = 1 << 8 | 2      # NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_DELETE; without a tuple it means all
REQUEST_ACKNOWLEDGED = 1 | 4


def flush():
    """Deletes all entries of the network namespace of the calling thread."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER) as netlink:
        netlink.bind((0, 0))
        body = struct.pack("=BBH", socket.AF_INET, 0, 0)
        netlink.send(struct.pack("=IHHII", 16 + len(body), DELETE, REQUEST_ACKNOWLEDGED, 1, 0) + body)
        answer = netlink.recv(4096)
    error = -struct.unpack_from("=i", answer, 16)[0]
    if error:
        raise OSError(error, "nfnetlink: " + os.strerror(error))
