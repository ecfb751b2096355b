# ===----------------------------------------------------------------------===
# This source file is part of the Belay open source project.
# Copyright (c) 2026 the Belay project authors.
# Licensed under Apache License v2.0; see LICENSE for details.
# SPDX-License-Identifier: Apache-2.0
# ===----------------------------------------------------------------------===
"""What the scenarios share: the program under test, its events, and peers of every temper.

A scenario is a function that takes a `Stage`. The stage starts processes and peers, and takes all of them down again,
also when the scenario fails or runs into its time limit. All times are CLOCK_MONOTONIC in nanoseconds, taken as close
to the system call as Python allows: before a send or a close, directly after the read of an event line.
"""

from __future__ import annotations

import collections
import errno
import heapq
import json
import os
import re
import resource
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import traceback
from pathlib import Path

HERE = Path(__file__).resolve().parent
BINARY = os.environ.get("BELAY") or str(HERE.parent / ".build" / "release" / "belay")
PREFIX = "dev.belay."
HANGS = 15  # seconds after its time limit in which a scenario must have ended by itself
SKIPPED = 77  # the status of a scenario that this machine cannot run, as in automake
MILLISECOND = 1_000_000
SECOND = 1_000_000_000

# Verdicts on silence. On one host the kernel of a silent peer acknowledges every ping, so `peer.frozen` is the
# precise one; `peer.silent` is what may be said without a look at TCP_INFO.
SILENCE_REASONS = ("peer.frozen", "peer.silent")

# Everything that Belay concludes by itself about a peer or a path. Said of a live peer, each is a false verdict.
VERDICTS = SILENCE_REASONS + ("peer.not-reading", "path.lost", "path.timed-out", "path.unreachable", "local.failed",
                              "local.cannot-send", "policy.handshake-timeout")

# DESIGN section 4: the stable codes. A closed event with any other text is a fault.
REASONS = frozenset("""
    peer.closed peer.goodbye peer.reset peer.frozen peer.not-reading peer.silent path.lost path.unreachable
    path.timed-out policy.handshake-timeout policy.idle policy.protocol-violation policy.message-too-large
    policy.ping-flood policy.slow-consumer policy.unauthorized policy.too-many-connections policy.flapping local.closed
    local.kicked local.replaced local.shutdown local.cannot-send local.failed node.lost""".split())

# What a terminal obeys: C0, DEL and C1. In an event it is escaped.
STEERING = re.compile(rb"[\x00-\x1f\x7f]|\xc2[\x80-\x9f]")

# The default lets one Python thread keep the interpreter for 5 ms; an event line would then seem to arrive that late.
sys.setswitchinterval(0.0005)


def now():
    """CLOCK_MONOTONIC in nanoseconds: the clock that Belay's bounds are counted on."""
    return time.monotonic_ns()


def milliseconds(nanoseconds):
    return nanoseconds / MILLISECOND


def spread(values):
    """`p50 0.31, p99 1.20, max 1.44 ms` of durations in nanoseconds."""
    return "p50 %.2f, p99 %.2f, max %.2f ms" % tuple(
        milliseconds(value) for value in (quantile(values, 0.5), quantile(values, 0.99), max(values)))


def quantile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def allow_descriptors(wanted):
    """Raises this process's file limit, and with it that of every child; returns what there is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return soft


class Failure(Exception):
    """A scenario's expectation that did not hold, with the events that tell why."""

    def __init__(self, message, events=()):
        super().__init__(message)
        self.events = list(events)


def check(condition, message, events=()):
    if not condition:
        raise Failure(message, events)


# --- Events -----------------------------------------------------------------------------------------------------------


class Event:
    """One event line and the time at which it was read."""

    __slots__ = ("at", "type", "data", "envelope")

    def __init__(self, at, envelope):
        self.at = at
        self.envelope = envelope
        kind = envelope.get("type", "")
        self.type = kind[len(PREFIX):] if kind.startswith(PREFIX) else kind
        self.data = envelope.get("data") or {}

    @property
    def connection(self):
        return self.data.get("connection")

    @property
    def remote(self):
        return self.data.get("remote")

    @property
    def reason(self):
        return self.data.get("reason")

    def __str__(self):
        keys = ("connection", "remote", "peer", "reason", "silenceMs", "boundMs", "stallMs", "durationMs", "evidence")
        shown = {key: self.data[key] for key in keys if self.data.get(key) is not None}
        return "%12.3f  %-22s %s" % (self.at / SECOND, self.type, json.dumps(shown))


class LineLog:
    """Reads lines from a pipe in a thread of its own, so that the program never waits for the scenario."""

    def __init__(self, stream):
        self.ended = False
        self.faults = []
        self._stream = stream
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def join(self, timeout):
        self._thread.join(timeout)

    def _read(self):
        descriptor, rest = self._stream.fileno(), b""
        while True:
            try:
                chunk = os.read(descriptor, 1 << 18)
            except OSError:
                chunk = b""
            at = now()
            if not chunk:
                break
            lines = (rest + chunk).split(b"\n")
            rest = lines.pop()
            self._add(at, lines)
        if rest:
            self.faults.append("unfinished last line: %r" % rest[:200])
        with self._changed:
            self.ended = True
            self._changed.notify_all()


class EventLog(LineLog):
    """Event lines, each with the time at which it was read."""

    def __init__(self, stream):
        self.events = []
        self._remotes = collections.defaultdict(list)
        self._counts = collections.Counter()
        super().__init__(stream)

    def _add(self, at, lines):
        parsed = []
        for line in lines:
            if STEERING.search(line):
                self.faults.append("a control character: %r" % line[:200])
            try:
                envelope = json.loads(line)
                parsed.append(Event(at, envelope))
            except (ValueError, AttributeError):
                self.faults.append("not an event: %r" % line[:200])
        with self._changed:
            for event in parsed:
                self.events.append(event)
                self._counts[event.type] += 1
                if event.remote:
                    self._remotes[event.remote].append(event)
            self._changed.notify_all()

    def mark(self):
        """The place of the next event; give it as `after` to look only at what follows."""
        with self._changed:
            return len(self.events)

    def count(self, kind):
        with self._changed:
            return self._counts[kind]

    def of(self, kind=None, remote=None, after=0):
        """All events of a kind so far, of one peer or of all."""
        with self._changed:
            events = self._remotes.get(remote, []) if remote else self.events[after:]
            return [event for event in events if kind is None or event.type == kind]

    def about(self, remote):
        return self.of(remote=remote)

    def wait_for(self, kind, timeout, remote=None, connection=None, reason=None, after=0):
        """The first event that fits, or a failure after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        seen = after
        with self._changed:
            while True:
                source = self._remotes[remote] if remote else self.events
                for event in source[seen:]:
                    if (event.type == kind and connection in (None, event.connection)
                            and reason in (None, event.reason)):
                        return event
                seen = len(source)
                left = deadline - time.monotonic()
                if left <= 0 or self.ended:
                    break
                self._changed.wait(left)
        about = ", ".join(str(part) for part in (remote, connection, reason) if part)
        raise Failure("no %s%s within %g s%s" % (kind, " of " + about if about else "", timeout,
                                                 " (the output ended)" if self.ended else ""),
                      self.about(remote) if remote else self.events[after:][-8:])

    def wait_count(self, kind, count, timeout):
        """Waits until `count` events of a kind have come in all."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while self._counts[kind] < count:
                left = deadline - time.monotonic()
                if left <= 0 or self.ended:
                    raise Failure("%d of %d %s within %g s" % (self._counts[kind], count, kind, timeout),
                                  self.events[-8:])
                self._changed.wait(left)

    def check_balance(self, all_closed=True):
        """Exactly one closed for each opened, known reasons, nothing but events, and a sequence without gaps."""
        with self._changed:
            events = list(self.events)
        check(not self.faults, "standard output is not only events: %s" % self.faults[:3])
        opened, closed = {}, {}
        for event in events:
            if event.type == "connection.opened":
                check(event.connection not in opened, "opened twice", [opened.get(event.connection), event])
                opened[event.connection] = event
            elif event.type == "connection.closed":
                check(event.connection not in closed, "closed twice", [closed.get(event.connection), event])
                check(event.reason in REASONS, "unknown reason %r" % event.reason, [event])
                # A connection that was refused may never have been open.
                check(event.connection in opened or event.reason == "policy.too-many-connections",
                      "closed without opened", [event])
                closed[event.connection] = event
        if all_closed:
            missing = [event for connection, event in opened.items() if connection not in closed]
            check(not missing, "%d of %d opened connections have no closed" % (len(missing), len(opened)), missing[:5])
        numbers = [int(event.envelope["sequence"]) for event in events if "sequence" in event.envelope]
        gaps = [pair for pair in zip(numbers, numbers[1:]) if pair[1] != pair[0] + 1]
        check(not gaps, "the sequence does not grow by one: %s" % gaps[:3])
        return len(opened)


class TextLog(LineLog):
    """Plain lines: standard error, or the messages that `belay connect` prints."""

    def __init__(self, stream):
        self.lines = []
        super().__init__(stream)

    def _add(self, at, lines):
        with self._changed:
            self.lines.extend((at, line.decode("utf-8", "replace")) for line in lines)
            self._changed.notify_all()

    def wait_lines(self, pattern, count, timeout):
        """The first `count` matches, or None when they do not come in time."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while True:
                found = [match for match in (re.match(pattern, line) for _, line in self.lines) if match]
                left = deadline - time.monotonic()
                if len(found) >= count or left <= 0 or self.ended:
                    return found[:count] if len(found) >= count else None
                self._changed.wait(left)

    def text(self, last=12):
        return "\n".join(line for _, line in self.lines[-last:])


# --- The program under test -------------------------------------------------------------------------------------------


class Belay:
    """A running `belay serve` or `belay connect`. With `output` its standard output goes there, and has no log."""

    def __init__(self, arguments, descriptors=None, events=True, output=None):
        if not os.access(BINARY, os.X_OK):
            raise Failure("no program at %s: build it, or say where it is in BELAY" % BINARY)
        command = [BINARY] + list(arguments)
        if descriptors is not None:
            # The shell sets soft and hard limit and then becomes the program: it finds the limit at its start.
            command = ["sh", "-c", 'ulimit -n %d && exec "$@"' % descriptors, "sh"] + command
        self.arguments = list(arguments)
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE,
                                        stdout=subprocess.PIPE if output is None else output)
        self.pid = self.process.pid
        self.log = None
        if output is None:
            self.log = EventLog(self.process.stdout) if events else TextLog(self.process.stdout)
        self.errors = TextLog(self.process.stderr)
        self._addresses = {}

    def await_listeners(self, count, timeout=10):
        found = self.errors.wait_lines(r"^listening ([a-z+]+)://(.+):(\d+)/?$", count, timeout)
        check(found, "%d `listening` lines did not come:\n%s" % (count, self.errors.text()))
        for match in found:
            check(match[3] != "0", "port 0 was not replaced: %s" % match[0])
            self._addresses[match[1]] = (match[2].strip("[]"), int(match[3]))

    def address(self, protocol):
        return self._addresses[protocol]

    def url(self, protocol):
        return "%s://%s:%d" % ((protocol,) + self._addresses[protocol])

    def write(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def signal(self, number):
        at = now()
        os.kill(self.pid, number)
        return at

    def wait(self, timeout):
        """The exit status, after everything that was written has been read."""
        try:
            status = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise Failure("belay %s still runs after %g s" % (self.arguments[0], timeout))
        for log in (self.log, self.errors):
            if log:
                log.join(5)
        return status

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()  # ends a stopped process too; no SIGCONT is needed
        self.process.wait()
        ended = all(log.ended for log in (self.log, self.errors) if log)
        for stream in filter(None, (self.process.stdin, self.process.stdout, self.process.stderr)):
            # A reader thread may still be in read(2) on a pipe that a grandchild keeps open: close only what ended.
            if stream is self.process.stdin or ended:
                try:
                    stream.close()
                except OSError:
                    pass

    # What the kernel says about the process.

    def _status(self, field):
        return int(re.search(r"^%s:\s*(\d+)" % field, Path("/proc/%d/status" % self.pid).read_text(), re.M)[1])

    def descriptors(self):
        return len(os.listdir("/proc/%d/fd" % self.pid))

    def threads(self):
        return self._status("Threads")

    def resident(self):
        """Resident memory in bytes."""
        return self._status("VmRSS") * 1024

    def forget_peak(self):
        """Lets the kernel's high-water mark of resident memory start again from here."""
        Path("/proc/%d/clear_refs" % self.pid).write_text("5")
        return self.resident()

    def peak(self):
        """The highest resident memory since `forget_peak`, in bytes; kept by the kernel, so nothing slips through."""
        return self._status("VmHWM") * 1024

    def processor_seconds(self):
        fields = Path("/proc/%d/stat" % self.pid).read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# --- Peers ------------------------------------------------------------------------------------------------------------


TOKEN = b"belay-01"  # eight bytes, as the frames protocol wants them


def ping_bytes(protocol):
    return {"raw": b"ping", "lines": b"ping\n", "frames": frame(1, TOKEN)}[protocol]


def pong_bytes(protocol, token=b""):
    """The answer to a ping; `token` is what followed the word `ping` of a line, or the eight bytes of a frame."""
    if protocol == "raw":
        return b"pong"
    return b"pong" + token + b"\n" if protocol == "lines" else frame(2, token or TOKEN)


def bye_bytes(protocol, code=None):
    if protocol == "lines":
        return b"bye\n" if code is None else b"bye %s\n" % code.encode()
    return frame(5, b"{}" if code is None else json.dumps({"code": code}).encode())


def message_bytes(protocol, text):
    if protocol == "frames":
        return frame(0, text)
    return text + b"\n" if protocol == "lines" else text


def frame(kind, payload):
    return struct.pack(">IB", len(payload) + 1, kind) + payload


class Peer:
    """One end of a connection to the program under test, run by a `Peers` loop.

    mode: "answer" reads and answers pings; "silent" reads and says nothing; "deaf" does not read, so that its receive
    window closes; "dead" does not react to anything, not even to a FIN.
    """

    mode = "answer"
    chunk = 4096            # bytes asked of the kernel at once

    def __init__(self, loop, sock, protocol):
        self.loop = loop
        self.sock = sock
        self.descriptor = sock.fileno()
        self.protocol = protocol
        self.address = "%s:%d" % sock.getsockname()[:2]
        self.last_sent = 0       # before the system call that sent the last byte
        self.ended_at = None     # when this end closed or reset, before the system call
        self.gone_at = None      # when the other end was seen to be gone
        self.gone_how = None     # "fin", "goodbye", or the name of the errno
        self.pings = 0
        self.pongs = 0
        self.messages = 0
        self.message_bytes = 0
        self.first_message = None
        self.asked = collections.deque()
        self.round_trips = []
        self.source = None       # called for more bytes whenever the kernel takes them
        self._inbox = b""
        self._outbox = b""
        self._mask = 0

    # What a scenario calls; each is carried out on the loop's thread.

    def write(self, data):
        self.loop.call(lambda: self.send(data))

    def say(self, text):
        self.write(message_bytes(self.protocol, text))

    def become(self, mode):
        self.loop.call(lambda: self._become(mode))

    def finish(self):
        """FIN. The read side stays open: close(2) with unread bytes in the queue would send RST in its place."""
        self.loop.call(self._finish)

    def reset(self):
        """RST: a close with SO_LINGER 0 throws both queues away and tells the other end at once."""
        self.loop.call(self._reset)

    def goodbye(self, code=None):
        self.loop.call(lambda: self._goodbye(code))

    def feed(self, source):
        """Writes what `source()` gives, as fast as the kernel takes it, until it gives b""."""
        self.loop.call(lambda: self._feed(source))

    # What happens on the loop's thread; the scenarios' own peers override these.

    def started(self):
        pass

    def ping_received(self, token):
        self.pings += 1
        if self.mode == "answer":
            self.send(pong_bytes(self.protocol, token))

    def pong_received(self):
        self.pongs += 1
        if self.asked:
            self.round_trips.append(now() - self.asked.popleft())

    def message_received(self, data):
        self.messages += 1
        self.message_bytes += len(data)
        if self.first_message is None:
            self.first_message = bytes(data[:64])

    def goodbye_received(self):
        self.gone("goodbye")

    def gone(self, how):
        if self.gone_at is None:
            self.gone_at = now()
            self.gone_how = how
        self.release()

    def send_ping(self):
        self.asked.append(now())
        self.send(ping_bytes(self.protocol))

    def send(self, data):
        if self.sock is None:
            return
        if self._outbox:
            self._outbox += data
            return
        self.last_sent = now()
        try:
            sent = self.sock.send(data)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            self.gone(errno.errorcode.get(error.errno, str(error)))
            return
        if sent < len(data):
            self._outbox = data[sent:]
            self._watch()

    def release(self):
        if self.sock is not None:
            self.loop.forget(self)
            self.sock.close()
            self.sock = None

    def received(self, data):
        if self.protocol == "raw":
            if data == b"ping" and not self._inbox:
                self.ping_received(b"")
            else:
                self._received_raw(self._inbox + data)
        elif self.protocol == "lines":
            lines = (self._inbox + data).split(b"\n")
            self._inbox = lines.pop()
            for line in lines:
                self._received_line(line.rstrip(b"\r"))
        else:
            self._received_frames(self._inbox + data)

    def _received_raw(self, data):
        while data:
            if data.startswith(b"ping"):
                self.ping_received(b"")
                data = data[4:]
            elif data.startswith(b"pong"):
                self.pong_received()
                data = data[4:]
            elif b"ping".startswith(data) or b"pong".startswith(data):
                break
            else:
                end = data.find(b"p", 1)
                end = len(data) if end < 0 else end
                self.message_received(data[:end])
                data = data[end:]
        self._inbox = data

    def _received_line(self, line):
        if line == b"ping" or line.startswith(b"ping "):
            self.ping_received(line[4:])
        elif line == b"pong" or line.startswith(b"pong "):
            self.pong_received()
        elif line == b"bye" or line.startswith(b"bye "):
            self.goodbye_received()
        elif not line.startswith(b"welcome "):
            self.message_received(line)

    def _received_frames(self, data):
        while len(data) >= 5:
            size, kind = struct.unpack_from(">IB", data)
            if len(data) < 4 + size:
                break
            payload, data = data[5:4 + size], data[4 + size:]
            if kind == 0:
                self.message_received(payload)
            elif kind == 1:
                self.ping_received(payload)
            elif kind == 2:
                self.pong_received()
            elif kind == 5:
                self.goodbye_received()
        self._inbox = data

    def ready(self, mask):
        if mask & select.EPOLLIN and self._mask & select.EPOLLIN:
            try:
                data = self.sock.recv(self.chunk)
            except BlockingIOError:
                return
            except OSError as error:
                self.gone(errno.errorcode.get(error.errno, str(error)))
                return
            if not data:
                self.gone("fin")
                return
            self.received(data)
        elif mask & (select.EPOLLERR | select.EPOLLHUP):
            code = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            self.gone(errno.errorcode.get(code, "fin"))
            return
        if mask & select.EPOLLOUT and self.sock is not None:
            self._drain()

    def _drain(self):
        for _ in range(16):  # then the others have their turn
            if self.sock is None:
                return
            data = self._outbox or (self.source() if self.source else b"")
            self._outbox = b""
            if not data:
                self.source = None
                break
            self.send(data)
            if self._outbox:
                break
        self._watch()

    def _feed(self, source):
        self.source = source
        self._watch()

    def _become(self, mode):
        self.mode = mode
        self._watch()

    def _finish(self):
        if self.sock is not None:
            self.ended_at = now()
            try:
                self.sock.shutdown(socket.SHUT_WR)
            except OSError as error:
                self.gone(errno.errorcode.get(error.errno, str(error)))

    def _reset(self):
        if self.sock is not None:
            self.abort_on_close()
            self.loop.forget(self)
            self.ended_at = now()
            self.sock.close()
            self.sock = None

    def abort_on_close(self):
        """From now on any close, also the kernel's when the process dies, sends RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def _goodbye(self, code):
        self.ended_at = now()
        self.send(bye_bytes(self.protocol, code))

    def _watch(self):
        if self.sock is None:
            return
        mask = 0
        if self.mode in ("answer", "silent"):
            mask |= select.EPOLLIN
        if self.mode != "dead" and (self._outbox or self.source):
            mask |= select.EPOLLOUT
        if mask != self._mask:
            self._mask = mask
            self.loop.watch(self, mask, present=self.mode != "dead")


class EchoPeer(Peer):
    """A well-behaved peer of a server that echoes: sends a message every 50 ms and times its return."""

    def started(self):
        self.said = collections.deque()
        self.speak()

    def speak(self):
        if self.sock is not None:
            self.said.append(now())
            self.send(message_bytes(self.protocol, b"here"))
            self.loop.later(0.05, self.speak)

    def message_received(self, data):
        super().message_received(data)
        # Two messages of a protocol without delimiters may come back as one.
        for _ in range(len(data) // 4 if self.protocol == "raw" else 1):
            if self.said:
                self.round_trips.append(now() - self.said.popleft())

    def check_served(self, log, slowest):
        """Never closed, everything answered but what is under way, and no answer slower than `slowest` seconds."""
        check(not log.of("connection.closed", remote=self.address), "the well-behaved peer beside was closed",
              log.about(self.address))
        check(self.round_trips and len(self.said) <= slowest * 20 + 1, "the well-behaved peer beside got %d answers, "
              "%d are missing" % (len(self.round_trips), len(self.said)))
        check(max(self.round_trips) <= slowest * SECOND, "the well-behaved peer beside waited %.0f ms for an answer" %
              milliseconds(max(self.round_trips)))


class Talker(Peer):
    """Says something now and then, also while it reads nothing."""

    every = 0.15  # seconds

    def started(self):
        self.talk()

    def talk(self):
        if self.sock is not None:
            if not self._outbox:
                self.send(message_bytes(self.protocol, b"here"))
            self.loop.later(self.every, self.talk)


class Peers:
    """One thread with one epoll, enough for many thousand peers."""

    def __init__(self):
        self._epoll = select.epoll()
        self._waker, self._bell = socket.socketpair()
        self._waker.setblocking(False)
        self._epoll.register(self._waker.fileno(), select.EPOLLIN)
        self._used = set()
        self._peers = {}
        self._watched = set()
        self._acceptors = {}
        self._calls = collections.deque()
        self._timers = []
        self._number = 0
        self._stopping = False
        self.fault = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def connect(self, address, protocol, kind=Peer, source="127.0.0.1", receive_buffer=None, mode=None, greet=False,
                abort_on_close=False):
        """A connected peer. With `greet` its first bytes are a ping, so that no handshake deadline applies."""
        sock = self._bound(source)
        try:
            sock.settimeout(10)
            if receive_buffer:
                # Before connect: the window scale that the SYN announces follows from it.
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            sock.connect(address)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setblocking(False)
            peer = kind(self, sock, protocol)
        except OSError:
            sock.close()
            raise
        if mode:
            peer.mode = mode
        if abort_on_close:
            peer.abort_on_close()

        def adopt():
            self._adopt(peer)
            if greet:
                peer.send_ping()

        self.call(adopt)
        return peer

    def _bound(self, source):
        """A socket with a port that no peer of this loop had before: events are found by the peer's address.

        Left to connect(2), the kernel gives one port to several connections whose other ends differ.
        """
        for _ in range(1000):
            sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            sock.bind((source, 0))
            if sock.getsockname() not in self._used:
                self._used.add(sock.getsockname())
                return sock
            sock.close()
        raise Failure("no unused port at %s" % source)

    def listen(self, protocol, kind, address=("127.0.0.1", 0)):
        """A server of our own, by default on a free port: every connection that it accepts becomes a peer of `kind`.

        Returns the address and the list to which the peers are added.
        """
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        sock.listen(64)
        sock.setblocking(False)
        accepted = []

        def adopt():
            self._acceptors[sock.fileno()] = (sock, protocol, kind, accepted)
            self._epoll.register(sock.fileno(), select.EPOLLIN)

        self.call(adopt)
        return sock.getsockname(), accepted

    def stop_listening(self):
        """Closes the servers; the peers that they accepted stay."""
        def close():
            for descriptor, (sock, _, _, _) in self._acceptors.items():
                self._epoll.unregister(descriptor)
                sock.close()
            self._acceptors.clear()

        self.call(close)

    def call(self, function):
        """Carries `function` out on the loop's thread and returns when it is done."""
        if threading.current_thread() is self._thread:
            return function()
        done = threading.Event()
        box = []

        def run():
            try:
                box.append(function())
            finally:
                done.set()

        self._calls.append(run)
        self._bell.send(b"x")
        if not done.wait(20) or not box:
            raise Failure("the peers' loop failed: %s" % (self.fault or "it did not answer"))
        return box[0]

    def become(self, peers, mode):
        """Changes the temper of many peers at once."""
        self.call(lambda: [peer._become(mode) for peer in peers])

    def later(self, delay, function):
        """Carries `function` out after `delay` seconds; only from the loop's thread."""
        self._number += 1
        heapq.heappush(self._timers, (time.monotonic() + delay, self._number, function))

    def close(self):
        def finish():
            for peer in list(self._peers.values()):
                peer.release()
            for sock, _, _, _ in self._acceptors.values():
                sock.close()
            self._stopping = True

        if self._thread.is_alive():
            try:
                self.call(finish)
            except Failure:
                pass
            self._thread.join(5)
        self._epoll.close()
        self._waker.close()
        self._bell.close()

    def watch(self, peer, mask, present=True):
        descriptor = peer.descriptor
        if not present:
            if descriptor in self._watched:
                self._watched.discard(descriptor)
                self._epoll.unregister(descriptor)
        elif descriptor in self._watched:
            self._epoll.modify(descriptor, mask)
        else:
            self._watched.add(descriptor)
            self._epoll.register(descriptor, mask)

    def forget(self, peer):
        self.watch(peer, 0, present=False)
        self._peers.pop(peer.descriptor, None)

    def _adopt(self, peer):
        self._peers[peer.descriptor] = peer
        peer._watch()
        peer.started()

    def _accept(self, sock, protocol, kind, accepted):
        connection, _ = sock.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setblocking(False)
        peer = kind(self, connection, protocol)
        accepted.append(peer)
        self._adopt(peer)

    def _run(self):
        try:
            while not self._stopping:
                timeout = max(0.0, self._timers[0][0] - time.monotonic()) if self._timers else 60
                for descriptor, mask in self._epoll.poll(timeout, 4096):
                    peer = self._peers.get(descriptor)
                    if peer is not None:
                        peer.ready(mask)
                    elif descriptor == self._waker.fileno():
                        self._waker.recv(65536)
                    elif descriptor in self._acceptors:
                        self._accept(*self._acceptors[descriptor])
                while self._calls:
                    self._calls.popleft()()
                while self._timers and self._timers[0][0] <= time.monotonic():
                    heapq.heappop(self._timers)[2]()
        except Exception:
            self.fault = traceback.format_exc()


class PeerProcess:
    """Peers in a process of their own (`peer.py`), which can be stopped and killed like any other program.

    Each process has an address of its own in 127.0.0.0/8, so that it meets no port of another.
    """

    def __init__(self, source):
        self.source = source
        self.process = subprocess.Popen([sys.executable, str(HERE / "peer.py")], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)
        self.pid = self.process.pid

    def do(self, action, **parameters):
        self.process.stdin.write(json.dumps(dict(parameters, do=action)).encode() + b"\n")
        self.process.stdin.flush()
        ready, _, _ = select.select([self.process.stdout], [], [], 30)
        answer = self.process.stdout.readline() if ready else b""
        check(answer, "a peer process did not answer to %s" % action)
        return json.loads(answer)

    def connect(self, address, protocol, count=1, **parameters):
        """The addresses of `count` new peers."""
        return self.do("connect", address=address, protocol=protocol, count=count, source=self.source,
                       **parameters)["addresses"]

    def signal(self, number):
        at = now()
        os.kill(self.pid, number)
        return at

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


# --- The stage --------------------------------------------------------------------------------------------------------


class Stage:
    """Everything that a scenario starts, and the figures that it reports."""

    def __init__(self):
        self.figures = []
        self.servers = []
        self.processes = []
        self._loops = []
        self._labs = []
        self._sources = 0

    def note(self, figure):
        self.figures.append(figure)

    def serve(self, *arguments, listen=("lines",), host="127.0.0.1", descriptors=None):
        """`belay serve` with one listener per protocol on a free port, ready for connections."""
        urls = [part for protocol in listen for part in ("--listen", "%s://%s:0" % (protocol, host))]
        server = self.run("serve", *urls, "--events", "-", *arguments, descriptors=descriptors)
        server.await_listeners(len(listen))
        server.log.wait_for("node.started", 10)
        self.servers.append(server)
        return server

    def run(self, *arguments, descriptors=None, events=True, output=None):
        process = Belay(arguments, descriptors=descriptors, events=events, output=output)
        self.processes.append(process)
        return process

    def peers(self):
        loop = Peers()
        self._loops.append(loop)
        return loop

    def peer_process(self, source=None):
        self._sources += 1
        process = PeerProcess(source or "127.0.0.%d" % (1 + self._sources))
        self.processes.append(process)
        return process

    def adopt(self, lab):
        """Takes the lab down at the end, after everything that runs in it."""
        self._labs.append(lab)
        return lab

    def connect(self, loop, server, protocol, count, **parameters):
        """`count` peers, in batches that wait for the server: a full accept queue would drop SYNs for a second."""
        peers = []
        while len(peers) < count:
            batch = min(100, count - len(peers))
            target = server.log.count("connection.opened") + batch
            peers += [loop.connect(server.address(protocol), protocol, **parameters) for _ in range(batch)]
            server.log.wait_count("connection.opened", target, 10)
        return peers

    def connect_process(self, process, server, protocol, count, **parameters):
        """The same for peers in a process of their own; returns their addresses."""
        addresses = []
        while len(addresses) < count:
            batch = min(250, count - len(addresses))
            target = server.log.count("connection.opened") + batch
            addresses += process.connect(server.address(protocol), protocol, count=batch, **parameters)
            server.log.wait_count("connection.opened", target, 10)
        return addresses

    def finish(self):
        """What holds at the end of every scenario: servers end with 0 on SIGTERM, and no event is missing or twice."""
        for loop in self._loops:
            check(loop.fault is None, "the peers' loop failed: %s" % loop.fault)
        for server in self.servers:
            if server.process.poll() is None:
                server.signal(signal.SIGTERM)
            status = server.wait(10)
            check(status == 0, "the server ended with %d:\n%s" % (status, server.errors.text()))
            server.log.check_balance()

    def retire(self):
        """Ends what was started so far, checked as at the end of a scenario, and makes room for more of the same."""
        self.finish()
        self.close()
        self.servers, self.processes, self._loops, self._labs = [], [], [], []

    def close(self):
        for process in self.processes:
            process.kill()
        for loop in self._loops:
            loop.close()
        for lab in self._labs:
            lab.close()


def perform(scenario, limit):
    """Runs a scenario for at most `limit` seconds and takes everything down; returns the stage and the failure, if any.

    For the main thread of a program: signals lead to a failure here, and what was started does not survive it.
    """
    stage = Stage()
    failure = None

    def out_of_time(*_):
        raise Failure("not done after %d s" % limit, stage.servers[-1].log.events[-8:] if stage.servers else ())

    def interrupted(*_):
        raise Failure("interrupted")

    def give_up():
        # The scenario hangs where no exception reaches it.
        print("FAIL hangs, %d s after its time limit" % HANGS, flush=True)
        for process in stage.processes:
            process.process.kill()
        os._exit(1)

    signal.signal(signal.SIGALRM, out_of_time)
    signal.signal(signal.SIGTERM, interrupted)
    signal.signal(signal.SIGINT, interrupted)
    signal.setitimer(signal.ITIMER_REAL, limit)
    watchdog = threading.Timer(limit + HANGS, give_up)
    watchdog.daemon = True
    watchdog.start()
    try:
        scenario(stage)
        stage.finish()
    except Failure as error:
        failure = error
    except Exception:
        failure = Failure(traceback.format_exc().strip())
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        stage.close()
        watchdog.cancel()
    return stage, failure


def describe(stage, failure):
    """The events and the last words of the servers that go with a failure, for people."""
    lines = [str(event) for event in failure.events]
    for server in stage.servers:
        if server.errors.lines:
            lines.append("last lines of belay %s on standard error:" % server.arguments[0])
            lines += ["  " + line for line in server.errors.text().splitlines()]
    return "\n".join("     " + line for line in lines)


def main(scenario, limit, needs=None):
    """A scenario as a program: prints one line, and more if it failed; status 0 or 1.

    `needs` tells what this machine lacks for it, or None; then the scenario is skipped.
    """
    name = Path(sys.argv[0]).stem
    lacking = needs and needs()
    if lacking:
        print("skip %-14s needs %s" % (name, lacking), flush=True)
        sys.exit(SKIPPED)
    begun = time.monotonic()
    stage, failure = perform(scenario, limit)
    took = time.monotonic() - begun
    if failure is None:
        print("pass %-14s %5.1f s  %s" % (name, took, "; ".join(stage.figures)), flush=True)
        sys.exit(0)
    print("FAIL %-14s %5.1f s  %s" % (name, took, failure))
    if stage.figures:
        print("     measured until then: %s" % "; ".join(stage.figures))
    print(describe(stage, failure), flush=True)
    sys.exit(1)
