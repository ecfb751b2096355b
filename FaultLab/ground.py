# ===----------------------------------------------------------------------===
# This source file is part of the Belay open source project.
# Copyright (c) 2026 the Belay project authors.
# Licensed under Apache License v2.0; see LICENSE for details.
# SPDX-License-Identifier: Apache-2.0
# ===----------------------------------------------------------------------===
"""Where the faults are made: the lab of the scenarios, whose cables can be pulled and whose hosts can be replaced.

    server [net] -------- [server] router [client] -------- [net] client

Whatever a fault did, `mend` undoes it, so that one ground serves many runs.
"""

import re
import socket
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "Scenarios"))

from lab import TABLE, Lab  # noqa: E402
import conntrack  # noqa: E402

ENDS = ("server", "client")
ADDRESS = {"server": "10.77.1.1", "client": "10.77.2.1"}
GATEWAY = {"server": "10.77.1.2", "client": "10.77.2.2"}
NOBODY_LISTENS = 9
LONGEST = 5  # seconds until a mended path works
TO = {"client": 'iifname "server"', "server": 'iifname "client"'}  # what the router forwards to this end


def other(end):
    return "client" if end == "server" else "server"


class Ground(Lab):
    """A server's host, a client's host and a router."""

    def __init__(self):
        super().__init__()
        with self.router:
            # Ours says what it has to say each time, not once a second.
            Path("/proc/sys/net/ipv4/icmp_ratelimit").write_text("0")

    def host(self, end):
        return getattr(self, end)

    # The cables.

    def pull(self, end):
        """Takes the carrier from an end, as when its cable is pulled; the router notices too."""
        self.router.down(end)

    def switch_off(self, end):
        """Takes an end's own interface down: its route is gone, and the router has no carrier."""
        self.host(end).down()

    def drop(self, *rules):
        """The router throws away what these rules match; everything, without any."""
        self.router.filter("forward", "\n ".join("%s drop" % rule for rule in rules or ("",)))

    def refuse(self, answer):
        """The router answers to all that goes through it: "tcp reset", or "icmp type host-unreachable"."""
        self.router.filter("forward", "meta l4proto tcp reject with " + answer)

    def mend(self):
        """The network as it was: interfaces up, routes there, no filter, nothing remembered."""
        ends = [end for end in ENDS if self.host(end) is not None]
        self.router.ip(*("link set %s up" % end for end in ends))
        for end in ends:
            self.host(end).ip("link set net up", "route replace default via %s" % GATEWAY[end])
        for host in [self.router] + [self.host(end) for end in ends]:
            host.run("nft", "-f", "-", text="table ip %s {}\ndelete table ip %s\n" % (TABLE, TABLE))
        if len(ends) == len(ENDS):
            self.await_path()

    def await_path(self):
        """Until packets go both ways: interfaces that came up need a moment to find their neighbours."""
        deadline = time.monotonic() + LONGEST
        while time.monotonic() < deadline:
            with self.client:
                probe = socket.socket()
            probe.settimeout(0.2)
            try:
                probe.connect((self.server_address, NOBODY_LISTENS))
            except ConnectionRefusedError:
                return
            except OSError:
                time.sleep(0.02)
            finally:
                probe.close()
        raise TimeoutError("the path does not come back")

    # The hosts.

    def vanish(self, end):
        """Cuts the cable of a host for good; its programs have to be killed before `replace` or `bury`."""
        self.host(end).ip("link del net")

    def bury(self, end):
        """Deletes a host, with all that its kernel knew."""
        host = self.host(end)
        setattr(self, end, None)
        self.hosts.remove(host)
        host.close()

    def raise_again(self, end):
        """A host of the same address that knows nothing."""
        setattr(self, end, self._host("%s-%s" % (self.router.name.rsplit("-", 1)[0], end)))
        self._cable(self.router, end, GATEWAY[end], self.host(end), "net", ADDRESS[end])
        self.host(end).ip("route replace default via %s" % GATEWAY[end])

    # What routers do beside routing.

    def rules(self, name, hook, *lines):
        """One more table of the router's, which `mend` leaves alone."""
        self.router.run("nft", "-f", "-", text="table ip %s {\n chain %s {\n type %s\n %s\n }\n}\n" %
                        (name, name, hook, "\n ".join(lines)))

    def translate(self):
        """The client's host is behind NAT; packets that belong to no known connection go nowhere."""
        self.rules("translation", "nat hook postrouting priority 100", 'oifname "server" masquerade')
        self.forget_idle()
        self.guard()

    def guard(self):
        """A stateful filter: only what belongs to a connection that it saw begin is forwarded."""
        self.rules("guard", "filter hook forward priority 10", "ct state invalid drop")

    def forget_idle(self, seconds=None):
        """How long the router remembers an idle connection, and that it takes up no connection in the middle."""
        with self.router:
            folder = Path("/proc/sys/net/netfilter")
            (folder / "nf_conntrack_tcp_loose").write_text("0")
            if seconds:
                (folder / "nf_conntrack_tcp_timeout_established").write_text(str(seconds))

    def forget_connections(self):
        """The router forgets every connection that goes through it, as when it is restarted."""
        with self.router:
            conntrack.flush()

    def quiet(self, end):
        """Seconds since the kernel of an end last took data from the peer, by the two addresses of each connection."""
        found = {}
        for line in self.host(end).run("ss", "-OHtieon").splitlines():
            fields, age = line.split(), re.search(r" lastrcv:(\d+)", line)  # which is not shown where it is 0
            found[fields[3], fields[4]] = int(age[1]) / 1000 if age else 0
        return found

    def probe_sizes(self, mode):
        """Whether kernels look for a smaller MTU behind a black hole (net.ipv4.tcp_mtu_probing).

        Segments cross our cables one by one: by default several cross as one, which would look large to the router.
        """
        for end in ENDS:
            self.host(end).ip("link set net gso_max_segs 1")
            with self.host(end):
                Path("/proc/sys/net/ipv4/tcp_mtu_probing").write_text(str(mode))
