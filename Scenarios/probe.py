# ===----------------------------------------------------------------------===
# This source file is part of the Belay open source project.
# Copyright (c) 2026 the Belay project authors.
# Licensed under Apache License v2.0; see LICENSE for details.
# SPDX-License-Identifier: Apache-2.0
# ===----------------------------------------------------------------------===
"""`belay probe` tells the truth about every state of a socket, by its exit status too, and takes nothing out of it.

Each state is made with sockets of this process and asked for in each form of target that can name it, as text and as
JSON. The status is the contract of scripts: 0 open, 1 not open or nobody answers, 2 the question is wrong, 3 it cannot
be found out. Afterwards the bytes that waited in the socket are read and compared, and after them whatever the kernel
had to say to the program: the end of the stream, nothing yet, or the error that ended the connection, which may be told
only once. With root also: a cable is pulled with data in flight, and another user asks.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import select
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time

from harness import BINARY, Failure, check, main
from lab import Lab, lacking, sweep

NOBODY = 65534
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: a close throws everything away and sends RST
GRACE = 1.0                      # seconds that a process may need beyond the time that it was given

CLOSED_PORTS = []                # bound, never listening: nobody else can take them meanwhile


# --- What inspection.py shares -------------------------------------------------------------------------------------------


class Answer:
    """What a command printed, its status, and what it cost."""

    def __init__(self, arguments, code, out, err, seconds, usage):
        self.arguments, self.code, self.out, self.err = arguments, code, out, err
        self.seconds, self.peak, self.processor = seconds, usage.ru_maxrss * 1024, usage.ru_utime + usage.ru_stime

    @property
    def lines(self):
        return self.out.splitlines()

    @property
    def json(self):
        """The only line of standard output, parsed; None where it is anything else."""
        try:
            return json.loads(self.out) if self.out.count("\n") == 1 and self.out.endswith("\n") else None
        except ValueError:
            return None

    def __str__(self):
        def cut(text):
            return text if len(text) <= 700 else text[:700] + "... (%d characters)" % len(text)
        return "`%s`\n       status %s, stdout %s\n       stderr %s" % (
            cut("belay " + " ".join(self.arguments)), self.code, cut(repr(self.out)), cut(repr(self.err)))


def ask(*arguments, timeout=10, where=None, user=None, environment=None):
    """Runs belay to its end, in a lab host and as another user if wanted. Its streams are files, so it never waits."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        with where or contextlib.nullcontext():
            begun = time.monotonic()
            process = subprocess.Popen([program(user)] + list(arguments), stdin=subprocess.DEVNULL, stdout=out,
                                       stderr=err, env=dict(os.environ, **environment or {}), **as_user(user))
        try:
            while True:
                pid, status, usage = os.wait4(process.pid, os.WNOHANG)
                seconds = time.monotonic() - begun
                if pid:
                    break
                if seconds > timeout:
                    raise Failure("belay %s still runs after %g s" % (" ".join(arguments)[:200], timeout))
                time.sleep(0.001)
            process.returncode = os.waitstatus_to_exitcode(status)
        finally:
            if process.returncode is None:
                process.kill()
                process.wait()
        texts = []
        for stream in (out, err):
            stream.seek(0)
            texts.append(stream.read().decode("utf-8", "replace"))
        return Answer(arguments, process.returncode, *texts, seconds, usage)


def as_user(user):
    return {} if user is None else {"user": user, "group": user, "extra_groups": []}


def program(user=None, copies={}):
    """The binary; for another user a copy where the directories above it are closed to them."""
    if user is None or user in copies:
        return copies.get(user, BINARY)
    copies[user] = BINARY
    try:
        subprocess.run([BINARY, "--version"], stdout=subprocess.DEVNULL, timeout=10, **as_user(user))
    except PermissionError:
        directory = tempfile.TemporaryDirectory(prefix="belay-scenario-")
        os.chmod(directory.name, 0o755)
        copies[user] = shutil.copy(BINARY, directory.name)
        copies[directory] = directory.name  # lives, and is removed, with the process
    return copies[user]


class Checks:
    """Expectations that do not hold are collected: one run tells all that is wrong."""

    def __init__(self):
        self.count = 0
        self.wrong = []

    def expect(self, condition, message, answer=None):
        self.count += 1
        if not condition:
            self.wrong.append("%s%s" % (message, "\n       %s" % answer if answer is not None else ""))
        return bool(condition)

    def finish(self):
        check(not self.wrong, "%d of %d checks do not hold:%s" %
              (len(self.wrong), self.count, "".join("\n     - " + wrong for wrong in self.wrong)))


# --- Sockets ----------------------------------------------------------------------------------------------------------


def text(address):
    return ("[%s]:%d" if ":" in address[0] else "%s:%d") % address[:2]


def pair(sock):
    return "%s,%s" % (text(sock.getsockname()), text(sock.getpeername()))


def descriptor(file):
    return "pid:%d/fd:%d" % (os.getpid(), file.fileno())


class Sockets:
    """Makes sockets with a time limit and closes them all."""

    def __init__(self):
        self.all = []

    def make(self, family=socket.AF_INET, kind=socket.SOCK_STREAM):
        sock = socket.socket(family, kind)
        sock.settimeout(5)
        self.all.append(sock)
        return sock

    def listener(self, host="127.0.0.1", backlog=16, family=None):
        sock = self.make(family or (socket.AF_INET6 if ":" in host else socket.AF_INET))
        if sock.family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if host == "::" else 1)
        sock.bind((host, 0))
        sock.listen(backlog)
        return sock

    def connected(self, host="127.0.0.1"):
        """Both ends of a connection: ours and theirs."""
        listener = self.listener(host)
        ours = self.make(listener.family)
        ours.connect(listener.getsockname()[:2])
        theirs, _ = listener.accept()
        theirs.settimeout(5)
        self.all.append(theirs)
        listener.close()
        return ours, theirs

    def connecting(self, listener):
        """A socket whose SYN nobody answers: the accept queue is full."""
        fill(self, listener)
        sock = self.make()
        sock.setblocking(False)
        sock.connect_ex(listener.getsockname())
        return sock

    def close(self):
        for sock in self.all:
            sock.close()


def fill(sockets, listener):
    """Connects until the accept queue takes no more."""
    for _ in range(64):
        sock = sockets.make()
        sock.settimeout(0.3)
        try:
            sock.connect(listener.getsockname())
        except TimeoutError:
            return
    raise Failure("the accept queue does not get full")


def arrived(sock, count):
    """Waits until so many bytes are in the receive queue."""
    timeout, deadline = sock.gettimeout(), time.monotonic() + 5
    sock.setblocking(False)
    try:
        while count and time.monotonic() < deadline:
            try:
                if len(sock.recv(count, socket.MSG_PEEK)) == count:
                    return
            except BlockingIOError:
                pass
            time.sleep(0.002)
        check(not count, "%d bytes did not arrive" % count)
    finally:
        sock.settimeout(timeout)


def ended(sock, events):
    poll = select.poll()
    poll.register(sock, events)
    check(poll.poll(5000), "the end did not arrive")


def drained(sock):
    """What the program still gets: the bytes, and then `end`, `nothing`, or the name of an error."""
    sock.setblocking(False)
    data = b""
    while True:
        try:
            chunk = sock.recv(1 << 20)
        except BlockingIOError:
            return data, "nothing"
        except OSError as error:
            return data, errno.errorcode[error.errno]
        if not chunk:
            return data, "end"
        data += chunk


# --- The scenario -----------------------------------------------------------------------------------------------------


class Probe:
    def __init__(self, checks):
        self.checks = checks
        self.asked = 0
        self.seconds = []

    def __call__(self, what, target, state, code, where=None, user=None, within=None, verdict=None, reason=None,
                 unread=None):
        """Asks for a target as text and as JSON; both must give the answer."""
        extra = ("--within", within) if within else ()
        plain = ask("probe", target, *extra, where=where, user=user)
        machine = ask("probe", target, "--json", *extra, where=where, user=user)
        self.asked += 1
        self.seconds += [plain.seconds, machine.seconds]
        name = "%s, %s" % (what, target)
        self.checks.expect(plain.code == code, "%s: status %d expected" % (name, code), plain)
        self.checks.expect(machine.code == plain.code, "%s: another status with --json" % name, machine)
        self.checks.expect(not plain.err and not machine.err, "%s: an answer, and something on stderr" % name, plain)
        answer = machine.json
        if not self.checks.expect(isinstance(answer, dict), "%s: --json is not one object in one line" % name, machine):
            return {}
        states = state if isinstance(state, tuple) else (state,)
        self.checks.expect(answer["state"] in states, "%s: not %s" % (name, " or ".join(states)), machine)
        self.checks.expect(plain.out.startswith(answer["text"]) and target in plain.lines[0],
                           "%s: text and JSON differ" % name, "%s\n       %s" % (plain, machine))
        self.checks.expect(answer["target"] == target, "%s: another target in JSON" % name, machine)
        for key, value in (("verdict", verdict), ("reason", reason), ("unreadBytes", unread)):
            if value is not None:
                self.checks.expect(answer[key] == value, "%s: %s is not %s" % (name, key, value), machine)
                if key != "unreadBytes":
                    self.checks.expect(value in plain.out, "%s: the text does not say %s" % (name, value), plain)
        if unread:
            self.checks.expect("%d bytes unread" % unread in plain.out, "%s: the text does not say that %d bytes wait" %
                               (name, unread), plain)
        return answer

    def refused(self, what, target, code=2, names=("TARGET",), user=None):
        """A question that is wrong or cannot be answered: nothing on standard output, one line that tells what."""
        for extra in ((), ("--json",)):
            # The target may begin with a dash, or be empty.
            answer = ask("probe", *extra, "--", target, user=user)
            self.asked += 1
            faults = [fault for fault, holds in (
                ("status %d expected" % code, answer.code == code),
                ("not one line on stderr", answer.err.count("\n") == 1 and answer.err.endswith("\n")),
                ("names none of %s" % (names,), any(name in answer.err for name in names)),
                ("something on stdout", not answer.out),
                ("a line of %d characters" % len(answer.err), len(answer.err) < 1000),
                ("control characters reach the terminal",
                 all(character.isprintable() or character == "\n" for character in answer.err)),
            ) if not holds]
            shown = what + (" with --json" if extra else "")
            self.checks.expect(not faults, "%s: %s" % (shown, ", ".join(faults)), answer)


def same(checks, what, sock, data, end):
    """What was in the socket is there, byte for byte, and then what the kernel says."""
    got, how = drained(sock)
    checks.expect(got == data, "%s: %d of %d bytes are left, or others" % (what, len(got), len(data)))
    checks.expect(how == end, "%s: then %s, not %s" % (what, how, end))


def opened(checks, probe, sockets):
    for host in ("127.0.0.1", "::1"):
        ours, theirs = sockets.connected(host)
        for target in (descriptor(ours), pair(ours), pair(theirs)):
            answer = probe("open and idle", target, "open", 0, verdict="alive", unread=0)
            if target != pair(theirs):
                checks.expect(answer.get("local") == text(ours.getsockname())
                              and answer.get("remote") == text(ours.getpeername()), "the addresses are others", answer)
        data = os.urandom(50_000)
        theirs.sendall(data)
        arrived(ours, len(data))
        for target in (descriptor(ours), pair(ours)):
            probe("open, unread bytes here", target, "open", 0, unread=len(data))
        for target in (descriptor(theirs), pair(theirs)):
            probe("open, unread bytes at the peer", target, "open", 0, unread=0)
        same(checks, "open, unread bytes here", ours, data, "nothing")
        ours.sendall(data[::-1])
        arrived(theirs, len(data))
        probe("open, unread bytes at the peer", descriptor(ours), "open", 0, unread=0)
        same(checks, "open, unread bytes at the peer", theirs, data[::-1], "nothing")
        ours.settimeout(5)
        theirs.settimeout(5)
        ours.sendall(b"still")
        checks.expect(theirs.recv(16) == b"still", "an open connection does not carry data any more")
    # A connection that its program has not accepted has no descriptor yet; its bytes wait all the same.
    listener = sockets.listener("::")
    ours = sockets.make()
    ours.connect(("127.0.0.1", listener.getsockname()[1]))
    ours.sendall(b"early")
    other = "%s,%s" % (text(ours.getpeername()), text(ours.getsockname()))
    time.sleep(0.05)
    probe("not yet accepted, IPv4 at an IPv6 socket", other, "open", 0, unread=5)
    theirs, _ = listener.accept()
    sockets.all.append(theirs)
    probe("IPv4 at an IPv6 socket", descriptor(theirs), "open", 0, unread=5)
    same(checks, "not yet accepted", theirs, b"early", "nothing")


def over(checks, probe, sockets):
    for host in ("127.0.0.1", "::1"):
        for data in (b"", os.urandom(30_000)):
            what = "with %d unread bytes" % len(data)
            ours, theirs = sockets.connected(host)
            theirs.sendall(data)
            theirs.close()
            ended(ours, select.POLLRDHUP)
            for target in (descriptor(ours), pair(ours)):
                probe("closed by the peer " + what, target, "closed-by-peer", 1, unread=len(data))
            same(checks, "closed by the peer " + what, ours, data, "end")

            ours, theirs = sockets.connected(host)
            theirs.sendall(data)
            arrived(ours, len(data))
            ours.shutdown(socket.SHUT_WR)
            ended(theirs, select.POLLRDHUP)
            for target in (descriptor(ours), pair(ours)):
                probe("half closed by us " + what, target, "half-closed-sending", 1, unread=len(data))
            for target in (descriptor(theirs), pair(theirs)):
                probe("half closed, at the peer", target, "closed-by-peer", 1, unread=0)
            theirs.sendall(b"more")
            arrived(ours, len(data) + 4)
            same(checks, "half closed by us " + what, ours, data + b"more", "nothing")

            ours, theirs = sockets.connected(host)
            here = pair(ours)
            theirs.sendall(data)
            arrived(ours, len(data))
            theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            theirs.close()
            ended(ours, select.POLLERR)
            # Who asks for the error takes it; from outside it is only known to be over.
            probe("reset " + what, descriptor(ours), ("reset", "over"), 1)
            probe("reset " + what, here, "absent", 1)
            same(checks, "reset " + what, ours, data, "ECONNRESET")
    # A socket that was bound before stays in the kernel's tables.
    listener = sockets.listener()
    ours = sockets.make()
    ours.bind(("127.0.0.1", 0))
    ours.connect(listener.getsockname())
    theirs, _ = listener.accept()
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    theirs.close()
    ended(ours, select.POLLERR)
    probe("reset, of a bound socket", descriptor(ours), ("reset", "over"), 1)
    same(checks, "reset, of a bound socket", ours, b"", "ECONNRESET")


def unconnected(checks, probe, sockets):
    listener = sockets.listener()
    probe("listening", descriptor(listener), "listening", 3)
    sock = sockets.make()
    probe("never connected", descriptor(sock), "not-connected", 1)
    sock.bind(("127.0.0.1", 0))
    probe("bound only", descriptor(sock), "not-connected", 1)
    checks.expect(sock.connect_ex(listener.getsockname()) == 0, "a probed socket does not connect any more")

    sock.setblocking(True)
    refused = sockets.make()
    refused.setblocking(False)
    refused.connect_ex(("127.0.0.1", CLOSED_PORTS[0]))
    ended(refused, select.POLLERR)
    probe("refused", descriptor(refused), ("refused", "failed", "over", "not-connected"), 1)
    code = refused.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    checks.expect(code == errno.ECONNREFUSED, "refused: the program no longer gets its error, but %d" % code)

    full = sockets.listener(backlog=0)
    begun = time.monotonic()
    opening = sockets.connecting(full)
    local = text(opening.getsockname())
    for target in (descriptor(opening), "%s,%s" % (local, text(full.getsockname()))):
        probe("connecting", target, "connecting", 3)
    checks.expect(time.monotonic() - begun < 6, "too slow to be sure of what was asked")
    within(probe, "full accept queue", "tcp://%s" % text(full.getsockname()), 0.4)

    # Bytes that wait in what is no TCP are none of our business either.
    udp, unix, other = sockets.make(kind=socket.SOCK_DGRAM), *socket.socketpair()
    sockets.all += [unix, other]
    udp.bind(("127.0.0.1", 0))
    sockets.make(kind=socket.SOCK_DGRAM).sendto(b"datagram", udp.getsockname())
    other.send(b"stream")
    probe("UDP", descriptor(udp), "not-tcp", 3)
    probe("UNIX-domain", descriptor(unix), "not-tcp", 3)
    checks.expect(udp.recv(64) == b"datagram" and unix.recv(64) == b"stream", "bytes of other sockets are gone")


def within(probe, what, target, limit, where=None):
    begun = time.monotonic()
    probe(what, target, "unreachable", 1, where=where, within="%dms" % (limit * 1000))
    took = (time.monotonic() - begun) / 2
    probe.checks.expect(limit * 0.95 <= took <= limit + GRACE, "%s: %.2f s with --within %gs" % (what, took, limit))


def services(checks, probe, sockets):
    for host, name in (("127.0.0.1", "127.0.0.1"), ("127.0.0.1", "localhost"), ("::1", "[::1]")):
        listener = sockets.listener(host)
        answer = probe("service", "tcp://%s:%d" % (name, listener.getsockname()[1]), "open", 0)
        checks.expect(answer.get("remote") == text(listener.getsockname()), "the service has another address", answer)
        checks.expect((answer.get("connectMs") or 0) > 0, "no time of connecting", answer)
        theirs, _ = listener.accept()
        sockets.all.append(theirs)
        theirs.settimeout(5)
        checks.expect(theirs.recv(16) == b"", "something was sent to a service")
    for port, name in zip(CLOSED_PORTS, ("127.0.0.1", "[::1]")):
        probe("refused", "tcp://%s:%d" % (name, port), "refused", 1)


def wrong(checks, probe, sockets):
    ours, theirs = sockets.connected()
    gone = pair(ours)
    ours.close()
    theirs.close()
    probe("no such pair", "127.0.0.1:%d,127.0.0.1:%d" % (CLOSED_PORTS[0], CLOSED_PORTS[0]), "absent", 1)
    probe("no such pair", "[::1]:%d,[::1]:%d" % (CLOSED_PORTS[1], CLOSED_PORTS[1]), "absent", 1)
    # Both ends have closed: what may be left is TIME_WAIT.
    probe("closed by both", gone, ("absent", "over", "closed-by-peer", "closed-locally"), 1)

    with open(__file__, "rb") as file:
        file.seek(10)
        probe("a plain file", descriptor(file), "not-tcp", 3)
        checks.expect(os.lseek(file.fileno(), 0, os.SEEK_CUR) == 10, "the file's offset has moved")
    probe("a closed descriptor", "pid:%d/fd:987" % os.getpid(), "absent", 1)
    child = subprocess.Popen(["true"])
    child.wait(5)
    probe("no such process", "pid:%d/fd:0" % child.pid, "absent", 1)

    cases = {
        "empty": "", "blank": " ", "a word": "hello", "only a host": "127.0.0.1", "no scheme": "127.0.0.1:80",
        "no port": "tcp://127.0.0.1", "empty port": "tcp://127.0.0.1:", "port 0": "tcp://127.0.0.1:0",
        "port 65536": "tcp://127.0.0.1:65536", "port -1": "tcp://127.0.0.1:-1", "port +80": "tcp://127.0.0.1:+80",
        "port in letters": "tcp://127.0.0.1:http", "no host": "tcp://:80", "nothing": "tcp://",
        "a path": "tcp://a:80/x",
        "IPv6 without brackets": "tcp://::1:80", "half a bracket": "tcp://[::1:80", "empty brackets": "tcp://[]:80",
        "another scheme": "http://127.0.0.1:80", "newline at the end": "tcp://127.0.0.1:80\n",
        "newline in the host": "tcp://127.0.\n0.1:80", "newline alone": "\n", "carriage return": "tcp://a\rb:0",
        "escape": "\x1b[31mred\x1b[0m", "escape in the host": "tcp://\x1b[31m:0",
        "very long": "x" * 100_000, "very long host": "tcp://" + "x" * 100_000 + ":0",
        "very long port": "tcp://a:" + "9" * 100_000, "very long pid": "pid:" + "9" * 100_000 + "/fd:1",
        "pid 0": "pid:0/fd:1", "pid negative": "pid:-1/fd:1", "pid too large": "pid:99999999999999999999/fd:1",
        "fd too large": "pid:1/fd:99999999999", "no fd": "pid:1", "pid in letters": "pid:self/fd:1",
        "one address": "127.0.0.1:80,", "three addresses": "127.0.0.1:1,127.0.0.1:2,127.0.0.1:3",
        "pair with port 0": "127.0.0.1:0,127.0.0.1:80", "pair with port 65536": "127.0.0.1:80,127.0.0.1:65536",
        "pair of names": "localhost:80,localhost:81",
        "pair with a newline": "127.0.0.1:80\n,127.0.0.1:81", "dash": "-", "a flag": "--frobnicate",
    }
    for what, target in cases.items():
        probe.refused(what, target)
    for flag in ("soon", "0s", "-1s", "19ms", "2h"):
        answer = ask("probe", "tcp://127.0.0.1:80", "--within=" + flag)
        checks.expect(answer.code == 2 and answer.err.count("\n") == 1 and "--within" in answer.err and not answer.out,
                      "--within=%s is not refused in one line" % flag, answer)
    answer = ask("probe")
    checks.expect(answer.code == 2 and "target" in answer.err.lower() and not answer.out, "no target", answer)
    return len(cases) + 9


def cable_pulled(checks, probe, stage):
    """The far side of a router is gone: nobody says so, and what is in flight is sent again in vain."""
    lab = stage.adopt(Lab(routed=True))
    sockets = Sockets()
    try:
        with lab.server:
            listener = sockets.listener("0.0.0.0")
        port = listener.getsockname()[1]
        with lab.client:
            ours = sockets.make()
            idle = sockets.make()
        for sock in (ours, idle):
            sock.connect((lab.server_address, port))
        theirs, _ = listener.accept()
        sockets.all.append(theirs)
        theirs.sendall(b"before")
        arrived(ours, 6)
        target = pair(ours)
        for form in (target, descriptor(ours)):
            probe("in the lab, cable in place", form, "open", 0, where=lab.client, verdict="alive", unread=6)
        lab.router.filter("forward", "drop")
        ours.sendall(b"in flight")
        with lab.client:
            opening = sockets.make()
        opening.setblocking(False)
        opening.connect_ex((lab.server_address, port))
        begun = time.monotonic()
        within(probe, "blackhole", "tcp://%s:%d" % (lab.server_address, port), 0.5, where=lab.client)
        time.sleep(max(0, begun + 3.0 - time.monotonic()))
        for form in (target, descriptor(ours)):
            answer = probe("cable pulled, data in flight", form, "open", 1, where=lab.client, verdict="dead",
                           reason="path.lost", unread=6)
            tcp = answer.get("tcp") or {}
            checks.expect((tcp.get("retransmits") or 0) >= 3, "dead after %s retransmissions" % tcp.get("retransmits"))
        # Nothing was in flight, so nobody can know.
        probe("cable pulled, idle", pair(idle), "open", 0, where=lab.client, verdict="alive")
        # SYNs are sent again at a pace that depends on the kernel; three in vain make it dead.
        answer = ask("probe", "%s,%s:%d" % (text(opening.getsockname()), lab.server_address, port), "--json",
                     where=lab.client)
        found = answer.json or {}
        checks.expect(found.get("state") == "connecting" and found.get("reason") == "path.lost" and answer.code ==
                      (1 if found.get("verdict") == "dead" else 3), "connecting to where nobody answers", answer)
        probe("from another network namespace", target, "absent", 1)
        elsewhere = probe("from another network namespace", descriptor(idle), "open", 0)
        checks.expect(elsewhere.get("state") == "open", "an open connection of another namespace", elsewhere)
        lab.router.unfilter()
        deadline = time.monotonic() + 8
        arrived(theirs, 9)
        while time.monotonic() < deadline and ask("probe", target, where=lab.client).code != 0:
            time.sleep(0.05)
        probe("cable back", target, "open", 0, where=lab.client, verdict="alive", unread=6)
        same(checks, "cable back, here", ours, b"before", "nothing")
        same(checks, "cable back, there", theirs, b"in flight", "nothing")
    finally:
        sockets.close()


def another_user(checks, probe, sockets):
    """What needs a privilege says which; the rest works without."""
    ours, theirs = sockets.connected()
    theirs.sendall(b"kept")
    arrived(ours, 4)
    listener = sockets.listener()
    probe("service, as another user", "tcp://%s" % text(listener.getsockname()), "open", 0, user=NOBODY)
    listener.accept()[0].close()
    listener.accept()[0].close()
    probe("pair, as another user", pair(ours), "open", 0, user=NOBODY, unread=4)
    probe.refused("process of another user", descriptor(ours), code=3, names=("CAP_SYS_PTRACE", "root"), user=NOBODY)
    same(checks, "as another user", ours, b"kept", "nothing")
    # Not Python, which may be installed where only root may look.
    connect = "exec 7<>/dev/tcp/127.0.0.1/%d; echo connected; read" % listener.getsockname()[1]
    child = subprocess.Popen(["bash", "-c", connect], stdin=subprocess.PIPE, stdout=subprocess.PIPE, **as_user(NOBODY))
    try:
        ready, _, _ = select.select([child.stdout], [], [], 10)
        if checks.expect(ready and child.stdout.readline(), "the child of another user did not connect"):
            probe("own process, as another user", "pid:%d/fd:7" % child.pid, "open", 0, user=NOBODY)
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait(5)
        child.stdin.close()
        child.stdout.close()


def scenario(stage):
    checks, sockets = Checks(), Sockets()
    probe = Probe(checks)
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        sock = sockets.make(family)
        sock.bind((host, 0))
        CLOSED_PORTS.append(sock.getsockname()[1])
    try:
        opened(checks, probe, sockets)
        over(checks, probe, sockets)
        unconnected(checks, probe, sockets)
        services(checks, probe, sockets)
        cases = wrong(checks, probe, sockets)
        stage.note("%d wrong targets refused" % cases)
        missing = lacking()
        if missing:
            stage.note("SKIPPED the cable (needs %s)" % missing)
        else:
            sweep()
            cable_pulled(checks, probe, stage)
            stage.note("dead path.lost once a cable is pulled")
        if os.geteuid() == 0:
            another_user(checks, probe, sockets)
        else:
            stage.note("SKIPPED another user (needs root)")
    finally:
        sockets.close()
    stage.note("%d questions, %d checks, answers in %.0f ms (median)" %
               (probe.asked, checks.count, sorted(probe.seconds)[len(probe.seconds) // 2] * 1000))
    checks.finish()


if __name__ == "__main__":
    main(scenario, limit=60)
