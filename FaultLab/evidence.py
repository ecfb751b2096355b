# ===----------------------------------------------------------------------===
# This source file is part of the Belay open source project.
# Copyright (c) 2026 the Belay project authors.
# Licensed under Apache License v2.0; see LICENSE for details.
# SPDX-License-Identifier: Apache-2.0
# ===----------------------------------------------------------------------===
"""Whether the evidence of a `connection.closed` bears out its reason.

What the kernel's figures must say for each reason follows from `Diagnosis` and `DisconnectCause` of BelayCore, from the
outside: only the last look is in the event. No reason is believed for its own sake.
"""

RESET = {"ECONNRESET", "EPIPE", "ECONNABORTED"}
UNREACHABLE = {"EHOSTUNREACH", "ENETUNREACH", "ECONNREFUSED", "EHOSTDOWN", "ENONET", "ENOPROTOOPT"}
HELD_BACK = 200  # milliseconds at most for which a kernel holds an acknowledgement back (RFC 9293 section 3.8.6.3)
OWN = {"ENETDOWN", "EADDRNOTAVAIL", "EPERM", "EACCES", "ENOBUFS"}


def contradiction(event):
    """Why the evidence does not bear the reason out, in one sentence; None if it does."""
    needed, bears_out = BEARS_OUT.get(event.reason, ("an entry in the table of the judge", lambda _: False))
    return None if bears_out(Evidence(event)) else "%s needs %s" % (event.reason, needed)


class Evidence:
    """What an event gives for its reason."""

    def __init__(self, event):
        evidence = event.data["evidence"]
        self.errno, self.tcp = evidence["errno"], evidence["tcp"]
        self.unsent = evidence.get("unsentBytes") or 0
        self.detail = evidence.get("detail")

    def figure(self, name):
        return (self.tcp or {}).get(name) or 0

    @property
    def is_retransmitting(self):
        return self.figure("unacked") > 0 and self.figure("retransmits") > 0

    @property
    def holds_back(self):
        """Bytes wait here or in the kernel, and nothing of them is on its way."""
        return self.figure("unacked") == 0 and self.waits

    @property
    def waits(self):
        return self.figure("notSentBytes") > 0 or self.unsent > 0

    @property
    def is_acknowledged(self):
        """All that it had time for: what was sent last may wait for a kernel that holds acknowledgements back."""
        if self.figure("notSentBytes") > 0 or self.figure("retransmits") > 0:
            return False
        return self.figure("unacked") == 0 or (self.figure("lastDataSentMs") < HELD_BACK and
                                               self.figure("lastAckReceivedMs") < self.figure("lastDataReceivedMs"))

    @property
    def is_lost(self):
        """Something is outstanding that nobody acknowledges: data, or probes."""
        return self.figure("unacked") > 0 or self.figure("probes") > 0


def only_decided(one):
    """What we decided, or were told in so many words, has no error of the kernel."""
    return one.errno is None


BEARS_OUT = {
    "peer.closed": ("a FIN and no errno", only_decided),
    "peer.goodbye": ("a farewell and no errno", only_decided),
    "peer.reset": ("the errno of a reset", lambda one: one.errno in RESET),
    "peer.frozen": ("TCP_INFO with everything acknowledged, and no errno",
                    lambda one: one.tcp and not one.errno and one.is_acknowledged),
    "peer.not-reading": ("TCP_INFO with a closed window, or bytes that wait, and no errno",
                         lambda one: one.tcp and not one.errno and (one.waits or one.figure("sendWindow") == 0)),
    # A router may have refused a bare acknowledgement of ours; that says nothing about who was not asked.
    "peer.silent": ("TCP_INFO in which nothing was sent again or probed in vain, and no errno but that of a router",
                    lambda one: one.tcp and one.errno in {None, *UNREACHABLE} and not one.is_retransmitting
                    and one.figure("probes") < 2),
    "path.lost": ("TCP_INFO with something unacknowledged, or probes in vain, and no errno that says more",
                  lambda one: one.tcp and one.is_lost and one.errno in (None, "ETIMEDOUT")),
    "path.unreachable": ("the errno of a router or a host", lambda one: one.errno in UNREACHABLE),
    "path.timed-out": ("ETIMEDOUT", lambda one: one.errno == "ETIMEDOUT"),
    "local.cannot-send": ("TCP_INFO with something that did not leave this host, or the errno of its refusal",
                          lambda one: one.errno in OWN or one.tcp and (one.is_retransmitting or one.holds_back)),
    "local.shutdown": ("no errno", only_decided),
    # A router may have said why nothing came; it changes nothing.
    "policy.handshake-timeout": ("no errno but that of a router or a host",
                                 lambda one: one.errno is None or one.errno in UNREACHABLE),
}
