# ===----------------------------------------------------------------------===
# This source file is part of the Belay open source project.
# Copyright (c) 2026 the Belay project authors.
# Licensed under Apache License v2.0; see LICENSE for details.
# SPDX-License-Identifier: Apache-2.0
# ===----------------------------------------------------------------------===
"""A network of our own for faults that 127.0.0.1 cannot have: hosts are network namespaces, cables are veth pairs.

    routed:  server [net] -------- [server] router [client] -------- [net] client
    direct:  server [net] -------------------------------------------- [net] client

A namespace has its own interfaces, routes, filters and sockets; nothing goes from one to another, or to this machine,
but over the cables. A socket or a process belongs to the namespace of the thread that made it, hence `with lab.client:`
around a connect or a start. What a killed scenario left behind is removed by the next one. Needs root, `ip` and `nft`.
"""

from __future__ import annotations

import ctypes
import itertools
import os
import re
import shutil
import subprocess
import threading
from pathlib import Path

NAMESPACES = Path("/run/netns")
PREFIX = "belay-lab"
CLONE_NEWNET = 0x40000000
TABLE = "belay_lab"
CONGESTION = os.environ.get("LAB_CONGESTION")  # cubic, reno, bbr; otherwise what this machine uses

_libc = ctypes.CDLL(None, use_errno=True)
_numbers = itertools.count(1)


def lacking():
    """What this machine lacks for a lab, or None.

    It is tried: a first filter may wait most of a second for the disk, or for modules of the kernel.
    """
    if os.geteuid() == 0 and shutil.which("ip") and shutil.which("nft") and shutil.which("ss"):
        try:
            host = Host("%s-%d-try" % (PREFIX, os.getpid()))
        except (subprocess.CalledProcessError, OSError):
            return "network namespaces"
        try:
            for rule in ("drop", "reject with icmp type host-unreachable", "meta l4proto tcp reject with tcp reset"):
                host.filter("forward", rule)
            return None
        except (subprocess.CalledProcessError, OSError):
            return "an nft that filters in a network namespace"
        finally:
            host.close()
    return "root, ip netns, nft and ss"


def sweep():
    """Removes the namespaces of processes that were killed before they could do it."""
    for path in NAMESPACES.glob(PREFIX + "-*"):
        if not Path("/proc", path.name[len(PREFIX) + 1:].split("-")[0]).exists():
            subprocess.run(["ip", "netns", "del", path.name], capture_output=True)


class Host:
    """One namespace. As a context it is where the calling thread makes sockets and processes."""

    def __init__(self, name):
        self.name = name
        self._before = threading.local()
        subprocess.run(["ip", "netns", "add", name], check=True)
        self._descriptor = os.open(NAMESPACES / name, os.O_RDONLY | os.O_CLOEXEC)
        self.ip("link set lo up")
        if CONGESTION:
            with self:
                Path("/proc/sys/net/ipv4/tcp_congestion_control").write_text(CONGESTION)

    def __enter__(self):
        self._before.descriptor = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        _enter(self._descriptor)
        return self

    def __exit__(self, *_):
        _enter(self._before.descriptor)
        os.close(self._before.descriptor)

    def run(self, *command, text=None):
        """The output of a command that runs in here."""
        with self:
            return subprocess.run(command, input=text, stdout=subprocess.PIPE, check=True, text=True).stdout

    def ip(self, *lines):
        self.run("ip", "-batch", "-", text="\n".join(lines) + "\n")

    def down(self, interface="net"):
        """Takes an interface down; what is at the other end of the cable has no carrier."""
        self.ip("link set %s down" % interface)

    def filter(self, hook, rule):
        """A packet filter in place of the one before: `hook` is output, input or forward."""
        self.run("nft", "-f", "-", text="table ip %s {}\ndelete table ip %s\n"
                 "table ip %s {\n chain lab {\n type filter hook %s priority 0\n %s\n }\n}\n" %
                 (TABLE, TABLE, TABLE, hook, rule))

    def unfilter(self):
        self.run("nft", "delete", "table", "ip", TABLE)

    def shape(self, interface, bytes_a_second, queue):
        """What leaves through the interface waits in a queue of `queue` bytes and leaves at this rate."""
        self.run("tc", "qdisc", "replace", "dev", interface, "root", "tbf", "rate", "%dbps" % bytes_a_second,
                 "burst", "4000", "limit", str(queue))

    def sockets(self):
        """What the kernel tells of each TCP connection in here, by the address of its other end: `ss -tieon`."""
        if self._descriptor is None:
            return {}
        lines = self.run("ss", "-OHtieon").splitlines()
        return {fields[4]: re.sub(r"\s+", " ", line) for line in lines for fields in [line.split()]}

    def close(self):
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
            subprocess.run(["ip", "netns", "del", self.name], check=True)


class Lab:
    """Two hosts, with a router between them or a cable alone."""

    def __init__(self, routed=True):
        self.hosts = []
        try:
            name = "%s-%d-%d" % (PREFIX, os.getpid(), next(_numbers))
            self.server, self.client = self._host(name + "-server"), self._host(name + "-client")
            self.server_address, self.client_address = "10.77.1.1", "10.77.2.1" if routed else "10.77.1.2"
            if routed:
                self.router = self._host(name + "-router")
                self._cable(self.server, "net", "10.77.1.1", self.router, "server", "10.77.1.2")
                self._cable(self.router, "client", "10.77.2.2", self.client, "net", "10.77.2.1")
                self.server.ip("route add default via 10.77.1.2")
                self.client.ip("route add default via 10.77.2.2")
                with self.router:
                    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
            else:
                self._cable(self.server, "net", "10.77.1.1", self.client, "net", "10.77.1.2")
        except BaseException:
            self.close()
            raise

    def _host(self, name):
        self.hosts.append(Host(name))
        return self.hosts[-1]

    @staticmethod
    def _cable(left, left_interface, left_address, right, right_interface, right_address):
        left.ip("link add %s type veth peer name %s netns %s" % (left_interface, right_interface, right.name),
                "addr add %s/24 dev %s" % (left_address, left_interface), "link set %s up" % left_interface)
        right.ip("addr add %s/24 dev %s" % (right_address, right_interface), "link set %s up" % right_interface)

    def close(self):
        for host in self.hosts:
            host.close()


def _enter(descriptor):
    if _libc.setns(descriptor, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns: " + os.strerror(ctypes.get_errno()))

