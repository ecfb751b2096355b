# ===----------------------------------------------------------------------===
# This source file is part of the Belay open source project.
# Copyright (c) 2026 the Belay project authors.
# Licensed under Apache License v2.0; see LICENSE for details.
# SPDX-License-Identifier: Apache-2.0
# ===----------------------------------------------------------------------===
"""A reset that neither end sent: the router listens until it knows the numbers, then speaks in the other's name.

A kernel takes a RST only with exactly the sequence number that it expects next (RFC 5961 section 3); with any other it
asks back. That number is in each packet that it sends itself: the acknowledgement.
"""

import socket
import struct
import time

EVERY_PROTOCOL = 3  # ETH_P_ALL
RST = 0x04
FIN_SYN_RST = 0x07
LONGEST = 5       # seconds in which each connection must say something
AFTERWARDS = 0.15  # seconds in which one that was missed shows itself


class Forger:
    """Listens on the router's interface to one end, from its creation on."""

    def __init__(self, ground, end):
        self.end, self.acknowledged = end, {}
        with ground.router:
            self.ear = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(EVERY_PROTOCOL))
            self.ear.bind((end, EVERY_PROTOCOL))
            self.mouth = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        self.address = getattr(ground, end + "_address")

    def learn(self, flows):
        """Waits for a packet of each connection: flows are (port of this end, port of the other)."""
        missing, deadline = set(flows), time.monotonic() + LONGEST
        while missing and time.monotonic() < deadline:
            missing.discard(self._hear(deadline - time.monotonic()))
        return not missing

    def strike(self, flows):
        """Sends each of these connections a RST that its kernel must believe.

        Who goes on talking had moved on between our ear and our mouth, and is sent another one.
        """
        for ports in flows:
            self._reset(ports)
        deadline = time.monotonic() + AFTERWARDS
        while time.monotonic() < deadline:
            ports = self._hear(deadline - time.monotonic())
            if ports in flows:
                self._reset(ports)

    def _reset(self, ports):
        other, expected = self.acknowledged[ports]
        self.mouth.sendto(self._packet(other, ports, expected), (self.address, 0))

    def _hear(self, seconds):
        """The ports of the next packet of a connection that lives, or None."""
        self.ear.settimeout(max(seconds, 0.001))
        try:
            packet = self.ear.recv(65536)
        except (TimeoutError, BlockingIOError):
            return None
        header = (packet[0] & 15) * 4
        if packet[9] != socket.IPPROTO_TCP or socket.inet_ntoa(packet[12:16]) != self.address:
            return None
        ports = struct.unpack_from(">HH", packet, header)
        if packet[header + 13] & FIN_SYN_RST:
            return None
        self.acknowledged[ports] = (socket.inet_ntoa(packet[16:20]), struct.unpack_from(">I", packet, header + 8)[0])
        return ports

    def _packet(self, other, ports, sequence):
        here, there = socket.inet_aton(other), socket.inet_aton(self.address)
        segment = struct.pack(">HHIIBBHHH", ports[1], ports[0], sequence, 0, 5 << 4, RST, 0, 0, 0)
        pseudo = here + there + struct.pack(">BBH", 0, socket.IPPROTO_TCP, len(segment))
        segment = segment[:16] + struct.pack(">H", _sum(pseudo + segment)) + segment[18:]
        # Length and checksum of the IP header are the kernel's to fill in.
        return struct.pack(">BBHHHBBH4s4s", 0x45, 0, 0, 0, 0, 64, socket.IPPROTO_TCP, 0, here, there) + segment

    def close(self):
        self.ear.close()
        self.mouth.close()


def _sum(data):
    total = sum(struct.unpack(">%dH" % (len(data) // 2), data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF
