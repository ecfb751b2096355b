# ===----------------------------------------------------------------------===
# This source file is part of the Belay open source project.
# Copyright (c) 2026 the Belay project authors.
# Licensed under Apache License v2.0; see LICENSE for details.
# SPDX-License-Identifier: Apache-2.0
# ===----------------------------------------------------------------------===
"""`belay inspect` finds the one dead connection among thousands of another program's, and can close it alone.

In a lab, a program holds 5,000 healthy connections (10,000 sockets) and another one a connection whose cable is pulled
with data in flight. The dead one comes first, with the process and why; the counts are right; `--kill` ends it and no
other: the 5,000 still echo, and the program gets ECONNABORTED. With 20,000 sockets it takes less than a second and
100 MB. Another user sees the table without processes, and is told what is missing.

Then, without root too: what is suspect (a full accept queue, a program that does not read, a closed window, leaks,
which are shown in one row), filters, refusals, and a terminal: width, colour, the question before `--kill`, `--watch`.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import termios
import threading
import time
from pathlib import Path

from harness import Failure, allow_descriptors, check, main
from lab import Lab, lacking, sweep
from probe import NOBODY, Checks, Sockets, arrived, ask, ended, fill, program, text

HERD = 5_000                 # connections; each is two sockets here
PILE = 30
DESCRIPTORS = 20_000
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
TABLE = ["VERDICT", "REASON", "SILENCE", "PROCESS", "LOCAL", "REMOTE", "RTT", "RETRANS", "RECV-Q", "SEND-Q", "WHY"]
MEGABYTE = 1_000_000


# --- Other programs ---------------------------------------------------------------------------------------------------


class Herd:
    """Another program with a name of its own, which holds connections and is told what to do with them."""

    def __init__(self, stage, name, where):
        self.name = name
        with where:
            self.process = subprocess.Popen([sys.executable, __file__, "--herd", name], stdin=subprocess.PIPE,
                                            stdout=subprocess.PIPE)
        self.pid = self.process.pid
        stage.processes.append(self)

    def do(self, action, timeout=20, **parameters):
        self.process.stdin.write(json.dumps(dict(parameters, do=action)).encode() + b"\n")
        self.process.stdin.flush()
        ready, _, _ = select.select([self.process.stdout], [], [], timeout)
        answer = self.process.stdout.readline() if ready else b""
        check(answer, "%s did not answer to %s" % (self.name, action))
        return json.loads(answer)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)
        self.process.stdin.close()
        self.process.stdout.close()


def herd(name):
    """The program of a `Herd`."""
    Path("/proc/self/comm").write_text(name)
    allow_descriptors(DESCRIPTORS)
    pairs, single = [], None
    for line in sys.stdin:
        order = json.loads(line)
        answer = {}
        if order["do"] == "grow":
            listener = socket.create_server((order["host"], 0), backlog=128)
            for _ in range(order["count"]):
                client = socket.create_connection(listener.getsockname(), 5)
                server, _ = listener.accept()
                server.settimeout(5)
                pairs.append((client, server))
            listener.close()
        elif order["do"] == "echo":
            bad = 0
            for index, (client, server) in enumerate(pairs):
                token = b"%08d" % index
                try:
                    client.sendall(token)
                    server.sendall(server.recv(16))
                    bad += client.recv(16) != token
                except OSError:
                    bad += 1
            answer = {"good": len(pairs) - bad, "bad": bad}
        elif order["do"] == "connect":
            single = socket.create_connection(tuple(order["address"]), 5)
            answer = {"local": text(single.getsockname()), "fd": single.fileno()}
        elif order["do"] == "send":
            answer = {"sent": single.send(b"x" * order["count"])}
        elif order["do"] == "read":
            try:
                single.settimeout(1)
                answer = {"read": len(single.recv(4096))}
            except OSError as error:
                answer = {"errno": errno.errorcode.get(error.errno, "timeout")}
        print(json.dumps(answer), flush=True)


# --- A terminal -------------------------------------------------------------------------------------------------------


class Screen:
    """belay on a pseudo-terminal."""

    def __init__(self, stage, *arguments, width=120, height=40, where=None, environment=None):
        self.arguments = arguments
        self.master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
        variables = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
        variables.update({"TERM": "xterm-256color"}, **environment or {})
        with where or contextlib.nullcontext():
            self.process = subprocess.Popen([program()] + list(arguments), stdin=slave, stdout=slave, stderr=slave,
                                            env=variables, start_new_session=True)
        os.close(slave)
        self.text = ""
        stage.processes.append(self)

    def _read(self, seconds):
        """False once the terminal is closed."""
        ready, _, _ = select.select([self.master], [], [], max(0, seconds))
        if ready:
            try:
                data = os.read(self.master, 1 << 16)
            except OSError:
                data = b""
            self.text += data.decode("utf-8", "replace")
            return bool(data)
        return True

    def wait_for(self, pattern, timeout=10, after=0):
        """Reads until the pattern is there; None if it does not come."""
        deadline = time.monotonic() + timeout
        is_open = True
        while True:
            found = re.search(pattern, self.text[after:])
            if found or not is_open or time.monotonic() > deadline:
                return found
            is_open = self._read(min(0.2, deadline - time.monotonic()))

    def type(self, line):
        os.write(self.master, line.encode())

    def end(self, timeout=10):
        """The status, after everything was read."""
        deadline = time.monotonic() + timeout
        while self._read(min(0.2, deadline - time.monotonic())) and time.monotonic() < deadline:
            pass
        try:
            return self.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise Failure("belay %s still runs after %g s" % (" ".join(self.arguments), timeout))

    @property
    def plain(self):
        """The lines without escape sequences."""
        return ESCAPE.sub("", self.text).replace("\r", "").split("\n")

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)
        if self.master is not None:
            os.close(self.master)
            self.master = None

    def __str__(self):
        return "`belay %s` on a terminal: %s" % (" ".join(self.arguments), repr(self.text[-1500:]))


def cells(line):
    return re.split(r" {2,}", line.strip())


# --- The dead one among thousands -------------------------------------------------------------------------------------


class Crowd:
    """A lab in which everything is healthy but one connection."""

    def __init__(self, stage, checks):
        self.checks, self.stage = checks, stage
        self.lab = stage.adopt(Lab(routed=True))
        self.herds = [Herd(stage, "herd-1", self.lab.client)]
        self.herds[0].do("grow", host="127.0.0.1", count=HERD)
        self.victim = Herd(stage, "victim", self.lab.client)
        self.sockets = Sockets()
        with self.lab.server:
            listener = self.sockets.listener("0.0.0.0")
        self.remote = "%s:%d" % (self.lab.server_address, listener.getsockname()[1])
        self.held = self.victim.do("connect", address=[self.lab.server_address, listener.getsockname()[1]])
        self.lab.router.filter("forward", "drop")
        self.victim.do("send", count=1000)
        time.sleep(3)

    def ask(self, *arguments, **options):
        return ask("inspect", *arguments, where=self.lab.client, **options)

    def living(self):
        """How many connections echo, and how many sockets ss shows as established."""
        echoing = sum(one.do("echo")["good"] for one in self.herds)
        shown = self.lab.client.run("ss", "-Htn", "state", "established", "src", "127.0.0.0/8")
        return echoing, len(shown.splitlines())

    def check_table(self):
        expect = self.checks.expect
        answer = self.ask()
        expect(answer.code == 0, "inspect: status 0 expected", answer)
        expect(cells(answer.lines[0]) == TABLE, "another heading", answer)
        row = cells(answer.lines[1])
        expect(row[:2] == ["dead", "path.lost"], "the first row is not dead, path.lost", answer)
        expect(row[3:6] == ["victim[%d]" % self.victim.pid, self.held["local"], self.remote],
               "the first row does not name process and addresses", answer)
        expect(re.fullmatch(r"([3-9](\.\d)?|1\d)s", row[2]), "the silence of the first row is %s" % row[2], answer)
        expect(re.fullmatch(r"[3-9]/\d+", row[7]) and row[9] == "1000" and "nobody acknowledges" in row[-1],
               "the first row does not say why", answer)
        expect(all(line.startswith("alive") for line in answer.lines[2:]), "not only one is dead", answer)
        expect(len(answer.lines) == 2 + 2 * HERD, "%d lines" % len(answer.lines), answer)
        expect(re.match(r"%d connections: 1 dead, 0 suspect, %d alive[;\n]" % (2 * HERD + 1, 2 * HERD), answer.err),
               "other counts on stderr", answer.err)
        expect("\x1b" not in answer.out + answer.err, "colour without a terminal", answer)

    def check_json(self):
        expect = self.checks.expect
        answer = self.ask("--json", "--over", "0s")
        rows = answer.json
        if expect(isinstance(rows, list) and answer.code == 0, "--json is not one array in one line", answer):
            expect(len(rows) == 2 * HERD + 1, "%d objects" % len(rows))
            expect(rows[0]["verdict"] == "dead", "the first object is not the dead one", rows[0])
            owners = {(row["process"], row["pid"]) for row in rows[1:]}
            expect(owners == {("herd-1", self.herds[0].pid)}, "other owners: %s" % list(owners)[:3])
        answer = self.ask("--verdict", "dead", "--json")
        rows = answer.json
        if not expect(rows is not None and len(rows) == 1 and answer.code == 0, "not exactly the dead one", answer):
            return
        wanted = {"kind": "connection", "verdict": "dead", "reason": "path.lost", "state": "established", "uid": 0,
                  "local": self.held["local"], "remote": self.remote, "pid": self.victim.pid, "process": "victim",
                  "fd": self.held["fd"], "sendQueueBytes": 1000, "receiveQueueBytes": 0}
        for key, value in wanted.items():
            expect(rows[0].get(key) == value, "the dead one's %s is %s, not %s" % (key, rows[0].get(key), value))
        expect(3_000 <= rows[0]["silenceMs"] <= 20_000, "a silence of %s ms" % rows[0]["silenceMs"])
        expect(rows[0]["retransmits"] >= 3 and (rows[0]["timer"] or {}).get("inMs") is not None, "no retransmissions",
               answer)

    def check_filters(self):
        port = self.remote.rpartition(":")[2]
        victim, herd_1 = str(self.victim.pid), str(self.herds[0].pid)
        cases = [(1, ["--port", port]), (1, ["--pid", victim]), (2 * HERD, ["--pid", herd_1]),
                 (1, ["--pid", victim, "--port", port, "--verdict", "dead"]), (0, ["--pid", herd_1, "--port", port]),
                 (0, ["--pid", victim, "--verdict", "alive"]), (2 * HERD, ["--verdict", "alive"]),
                 (1, ["--pid", victim, "--verdict", "alive", "--verdict", "dead"]), (0, ["--verdict", "suspect"])]
        for count, arguments in cases:
            answer = self.ask("--over", "0s", "--json", *arguments)
            self.checks.expect(answer.code == 0 and answer.json is not None and len(answer.json) == count,
                               "%s: %d expected" % (" ".join(arguments), count), answer)

    def check_kill(self):
        expect = self.checks.expect
        before = self.living()
        expect(before == (HERD, 2 * HERD), "of the healthy %d echo, ss shows %d" % before)
        for arguments in (["--kill"], ["--kill", "--yes"], ["--kill", "--verdict", "dead"], ["--kill", "--json"]):
            answer = self.ask("--over", "0s", *arguments)
            expect(answer.code == 2 and not answer.out and answer.err.count("\n") == 1 and "--kill" in answer.err,
                   "%s: not refused in one line" % " ".join(arguments), answer)
        expect(len(self.ask("--over", "0s", "--verdict", "dead", "--json").json or []) == 1, "a refused --kill killed")
        answer = self.ask("--kill", "--verdict", "dead", "--yes")
        expect(answer.code == 0, "--kill: status 0 expected", answer)
        expect("1 of 1 closed" in answer.err and self.held["local"] in answer.err, "--kill does not say what", answer)
        expect(self.victim.do("read") == {"errno": "ECONNABORTED"}, "the program does not get ECONNABORTED")
        expect(self.held["local"] not in self.lab.client.run("ss", "-Htan"), "ss still shows what was killed")
        expect(self.living() == before, "of the healthy %d echo, ss shows %d" % self.living())
        again = self.ask("--kill", "--verdict", "dead", "--yes")
        expect(again.code == 0 and "nothing to close" in again.err, "killing again", again)
        expect(self.living() == before, "after killing again %d echo, ss shows %d" % self.living())
        self.stage.note("1 of %d killed, %d echo" % (2 * HERD + 1, HERD))

    def check_opening(self):
        """A SYN that nobody answers."""
        with self.lab.client:
            self.opening = self.sockets.make()
        self.opening.setblocking(False)
        self.opening.connect_ex((self.lab.server_address, 9))
        self.opening_since = time.monotonic()

    def check_opening_found(self):
        time.sleep(max(0, self.opening_since + 1.5 - time.monotonic()))
        answer = self.ask("--pid", str(os.getpid()), "--json")
        row = (answer.json or [{}])[0]
        self.checks.expect((row.get("state"), row.get("reason")) == ("syn-sent", "path.lost")
                           and row.get("verdict") in ("suspect", "dead"), "an unanswered SYN is not shown so", answer)

        age = (time.monotonic() - self.opening_since) * 1000
        self.checks.expect(row.get("silenceMs") is None or row["silenceMs"] <= age + 1000,
                           "a socket of %.0f ms is said to be silent for %s ms" % (age, row.get("silenceMs")), answer)

    def check_cost(self):
        self.herds.append(Herd(self.stage, "herd-2", self.lab.client))
        self.herds[1].do("grow", host="127.0.0.2", count=HERD)
        figures = []
        for shown, over, arguments in (("--over 0s", 0, ["--over", "0s"]), ("default", 1, []),
                                       ("--json", 1, ["--json"])):
            answers = [self.ask(*arguments) for _ in range(2)]
            answer = min(answers, key=lambda answer: answer.seconds)
            self.checks.expect(answer.code == 0, "20,000 sockets: status 0 expected", answer)
            self.checks.expect(answer.seconds - over < 1, "%s takes %.2f s" % (shown, answer.seconds - over))
            self.checks.expect(answer.peak < 100 * MEGABYTE, "%s takes %.0f MB" % (shown, answer.peak / MEGABYTE))
            figures.append("%s %.2f s, %.2f s CPU, %.0f MB" % (shown, answer.seconds - over, answer.processor,
                                                              answer.peak / MEGABYTE))
        self.stage.note("%d sockets: %s" % (4 * HERD, "; ".join(figures)))

    def check_screenful(self):
        """A terminal does not get 20,000 rows of what is well."""
        screen = Screen(self.stage, "inspect", "--over", "0s", width=120, height=24, where=self.lab.client)
        self.checks.expect(screen.end() == 0 and len(screen.plain) <= 30 and "more that are alive" in screen.text,
                           "%d lines on a terminal of 24" % len(screen.plain), screen)

    def check_gone_reader(self):
        """Standard output that nobody reads any more is no reason to crash."""
        for arguments in (["--over", "0s"], ["--over", "0s", "--json"]):
            with self.lab.client:
                process = subprocess.Popen([program(), "inspect"] + arguments, stdin=subprocess.DEVNULL,
                                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            process.stdout.read(10)
            process.stdout.close()
            check_ended(self.checks, "the reader of inspect %s went away" % " ".join(arguments), process)

    def check_another_user(self):
        expect = self.checks.expect
        answer = self.ask(user=NOBODY)
        rows = [cells(line) for line in answer.lines[1:]]
        expect(answer.code == 0 and len(rows) >= 4 * HERD, "the table of another user", answer)
        # The silence of an opening connection is a dash too.
        expect(all(row[3] == "-" for row in rows), "another user sees processes", answer)
        expect("root" in answer.err and "CAP_SYS_PTRACE" in answer.err and answer.err.count("\n") == 1,
               "another user is not told what is missing", answer.err)
        before = self.living()
        answer = self.ask("--kill", "--port", str(self.opening.getsockname()[1]), "--yes", "--over", "0s", user=NOBODY)
        expect(answer.code == 3 and "CAP_NET_ADMIN" in answer.err, "--kill by another user: 3 expected", answer)
        expect(self.living() == before, "--kill by another user killed")
        self.stage.note("--kill without CAP_NET_ADMIN ends with %d" % answer.code)


def check_ended(checks, what, process):
    """A process whose reader is gone ends by itself: quietly, by SIGPIPE or with a status of the contract."""
    begun = time.monotonic()
    try:
        status = process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        status = process.wait(5)
        checks.expect(False, "%s: still runs after 5 s" % what)
    errors = process.stderr.read().decode("utf-8", "replace")
    process.stderr.close()
    quiet = not re.search("(?i)fatal|crash|backtrace|internal error", errors)
    checks.expect(status in (0, 1, -signal.SIGPIPE) and quiet, "%s: status %d, %.1f s, %r" %
                  (what, status, time.monotonic() - begun, errors[:500]))
    return status


# --- What is suspect --------------------------------------------------------------------------------------------------


class States:
    """Sockets of this process in states that deserve a look."""

    def __init__(self, checks, where):
        self.checks, self.where, self.sockets = checks, where, Sockets()
        with where:
            self.full = self.sockets.listener(backlog=1)
            fill(self.sockets, self.full)
            # A server that does not close, and a client that does not: local ports alike, and remote ports alike.
            self.leaking_server = self.pile("theirs")
            self.leaking_client = self.pile("ours")
            self.unread_ours, self.unread = self.sockets.connected()
            self.window_ours, self.window = self.sockets.connected()
            self.idle_ours, self.idle = self.sockets.connected()
        self.unread_ours.sendall(b"nobody reads this")
        arrived(self.unread, 17)
        self.window_ours.setblocking(False)
        stalls = 0
        while stalls < 5:  # what was in flight arrives, and makes room
            try:
                self.window_ours.send(b"x" * 65_536)
                stalls = 0
            except BlockingIOError:
                stalls += 1
                time.sleep(0.05)
        time.sleep(1)

    def pile(self, keeping):
        """Connections to a port of their own of which only one side is closed; returns the port."""
        listener = self.sockets.listener()
        for _ in range(PILE):
            ours = self.sockets.make()
            ours.connect(listener.getsockname())
            theirs, _ = listener.accept()
            self.sockets.all.append(theirs)
            closing, kept = (ours, theirs) if keeping == "theirs" else (theirs, ours)
            closing.shutdown(socket.SHUT_WR)
            ended(kept, select.POLLRDHUP)
        port = listener.getsockname()[1]
        listener.close()
        return port

    def ask(self, *arguments, **options):
        return ask("inspect", "--pid", str(os.getpid()), *arguments, where=self.where, **options)

    def check(self):
        expect = self.checks.expect
        answer = self.ask("--json")
        if not expect(answer.code == 0 and isinstance(answer.json, list), "states: --json", answer):
            return
        rows = answer.json
        by_local = {row["local"]: row for row in rows if row["local"]}

        def row(sock):
            return by_local.get(text(sock.getsockname()), {})

        full = row(self.full)
        expect(full.get("kind") == "listener" and full.get("verdict") == "suspect"
               and full["acceptQueue"] > full["acceptQueueLimit"] and "accept queue" in full["why"],
               "a full accept queue is not suspect", full)
        unread = row(self.unread)
        expect(unread.get("verdict") == "suspect" and unread["receiveQueueBytes"] == 17
               and "does not read" in unread["why"], "a program that does not read is not suspect", unread)
        window = row(self.window_ours)
        expect(window.get("verdict") == "suspect" and window["reason"] == "peer.not-reading",
               "a closed window is not suspect peer.not-reading", window)
        for sock in (self.idle, self.idle_ours, self.unread_ours):
            expect(row(sock).get("verdict") == "alive", "a healthy connection is not alive", row(sock))
        order = ["dead", "suspect", "alive"]
        # Piles follow the sockets that they stand for.
        ranks = [order.index(row["verdict"]) for row in rows if row["kind"] != "pile"]
        expect(ranks == sorted(ranks), "the worst is not first")

        piles = [row for row in rows if row["kind"] == "pile"]
        for what, state, port in (("a server's leak", "close-wait", self.leaking_server),
                                  ("connections that a server's peers do not close", "fin-wait-2",
                                   self.leaking_client)):
            found = [pile for pile in piles if pile["local"] == "*:%d" % port and pile["state"] == state]
            expect(len(found) == 1 and found[0]["count"] == PILE and found[0]["pid"] == os.getpid()
                   and found[0]["verdict"] == "suspect", "%s is no pile of %d in JSON" % (what, PILE), piles)
        closed = [pile for pile in piles if pile["state"] == "close-wait"]
        expect(all(pile["reason"] == "peer.closed" for pile in closed), "a leak without peer.closed", closed)
        expect(sum(pile["count"] for pile in closed) == 2 * PILE, "a client's leak (%d connections of one process to "
               "one address in CLOSE_WAIT) is no pile" % PILE, "piles: %s" % json.dumps(piles))

    def check_kill(self):
        """What is shown as suspect is closed as suspect, also where it takes two looks to tell."""
        port = str(self.unread_ours.getsockname()[1])
        answer = self.ask("--kill", "--yes", "--verdict", "suspect", "--port", port)
        self.checks.expect(answer.code == 0 and "1 of 1 closed" in answer.err,
                           "--kill --verdict suspect leaves alone a connection whose program does not read", answer)

    def check_table(self):
        expect = self.checks.expect
        for what, port, state in (("a server's leak", self.leaking_server, "close-wait"),
                                  ("a client's leak", self.leaking_client, "close-wait")):
            answer = self.ask("--over", "0s", "--port", str(port))
            rows = [cells(line) for line in answer.lines[1:]]
            leaks = [row for row in rows if row[1] == "peer.closed"]
            expect(len(leaks) == 1 and str(PILE) in " ".join(leaks[0]), "%s takes %d rows in the table" %
                   (what, len(leaks)), answer)
        # The same connections from the other side: closed here.
        answer = self.ask("--over", "0s", "--port", str(self.leaking_client))
        rows = [line for line in answer.lines[1:] if "*:%d" % self.leaking_client in line]
        expect(len(rows) == 1 and "(%d)" % PILE in rows[0], "a FIN_WAIT pile takes %d rows" % len(rows), answer)
        for arguments, least in ((["--verdict", "suspect"], PILE), (["--verdict", "dead"], 0)):
            answer = self.ask("--json", *arguments)
            verdicts = {row["verdict"] for row in answer.json or [{"verdict": None}]}
            expect(answer.json is not None and verdicts <= {arguments[1]},
                   "%s shows what is %s" % (" ".join(arguments), " and ".join(sorted(map(str, verdicts)))))
            expect(len(answer.json or []) >= least, "%s shows too few" % " ".join(arguments))
        # In --watch, rows that swap places for no reason cannot be read.
        orders = {tuple(re.findall(r"\*:(\d+)", " ".join(self.ask("--over", "0s").lines))) for _ in range(12)}
        expect(len(orders) == 1, "piles of equal size swap places from one run to the next: %s" % sorted(orders))

    def close(self):
        self.sockets.close()


def check_refused(checks):
    for flag, arguments in (("--port", ["--port", "0"]), ("--port", ["--port", "65536"]),
                            ("--port", ["--port", "http"]), ("--port", ["--port", "+80"]), ("--port", ["--port", ""]),
                            ("--pid", ["--pid", "0"]), ("--pid", ["--pid=-1"]), ("--pid", ["--pid", "x"]),
                            ("--verdict", ["--verdict", "ill"]), ("--over", ["--over", "soon"]),
                            ("--over", ["--over", "2h"]), ("--over", ["--watch", "--over", "0s"]),
                            ("--watch", ["--watch", "--kill", "--port", "9"]), ("--yes", ["--yes"]),
                            ("process", ["--pid", "2147483647"])):
        answer = ask("inspect", *arguments)
        checks.expect(answer.code == 2 and answer.err.count("\n") == 1 and flag in answer.err and not answer.out,
                      "%s: not refused with 2 in one line that names %s" % (" ".join(arguments), flag), answer)


# --- On a terminal ----------------------------------------------------------------------------------------------------


def check_terminal(stage, checks, where, me, names):
    expect = checks.expect
    for width in (80, 120, 200):
        screen = Screen(stage, "inspect", "--over", "0s", "--pid", me, width=width, where=where)
        expect(screen.end() == 0, "on a terminal: status 0 expected", screen)
        longest = max(len(line) for line in screen.plain)
        expect(longest <= width, "%d columns, and a line of %d" % (width, longest), screen)
        expect("WHY" in screen.text and "suspect" in screen.text, "%d columns: no table" % width, screen)
        expect("\x1b[33m" in screen.text and screen.text.count("\x1b[33m") <= screen.text.count("\x1b[0m"),
               "%d columns: suspect is not coloured" % width, screen)
        for name in names:
            if width >= 120:
                expect(name in screen.text, "%d columns: no %s" % (width, name), screen)
    for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        screen = Screen(stage, "inspect", "--over", "0s", "--pid", me, where=where, environment=environment)
        expect(screen.end() == 0 and "\x1b" not in screen.text, "colour with %s" % environment, screen)
    screen = Screen(stage, "inspect", "--over", "0s", "--pid", me, "--json", where=where)
    expect(screen.end() == 0 and "\x1b" not in screen.text, "colour in JSON", screen)


def check_question(stage, checks, where, sockets):
    """`--kill` on a terminal asks first; only y is a yes."""
    expect = checks.expect
    with where:
        ours, theirs = sockets.connected()
    port = str(ours.getsockname()[1])
    for reply, kills in (("n\n", False), ("\n", False), ("\x04", False), ("y\n", True)):
        screen = Screen(stage, "inspect", "--over", "0s", "--kill", "--port", port, where=where)
        expect(screen.wait_for(r"close .*\?"), "--kill does not ask on a terminal", screen)
        ours.settimeout(5)
        theirs.settimeout(5)
        ours.sendall(b"here")
        expect(theirs.recv(16) == b"here", "killed before the answer", screen)
        screen.type(reply)
        status = screen.end()
        expect(status == 0, "--kill answered with %r: status %d" % (reply, status), screen)
        ours.setblocking(False)
        try:
            outcome = "end" if not ours.recv(16) else "data"
        except OSError as error:
            outcome = errno.errorcode[error.errno]
        expect(outcome in (("ECONNABORTED", "ECONNRESET") if kills else ("EAGAIN",)),
               "--kill answered with %r: then %s" % (reply, outcome), screen)


def check_watch(stage, checks, where, sockets):
    expect = checks.expect
    with where:
        ours, theirs = sockets.connected()
        other, others = sockets.connected()
    local = text(ours.getsockname())
    screen = Screen(stage, "inspect", "--watch", "--over", "200ms", "--port", str(ours.getsockname()[1]), width=160,
                    where=where)
    begun = time.monotonic()
    while screen.text.count("\x1b[H") < 4 and time.monotonic() < begun + 10:
        screen._read(0.2)
    expect(screen.text.count("\x1b[H") >= 4, "--watch does not draw again", screen)
    expect(not re.search(r"(?m)^(\x1b\[\d+m)*!", screen.text), "something got worse by itself", screen)
    expect(all(len(line) <= 160 for line in screen.plain), "--watch draws lines that are too long", screen)
    mark = len(screen.text)
    theirs.shutdown(socket.SHUT_WR)  # alive becomes suspect: closed by the peer, not here
    found = screen.wait_for(r"[\n\r](?:\x1b\[[0-9;]*m)*!\s+suspect\s+peer\.closed[^\n]*" + re.escape(local), 5, mark)
    expect(found, "what got worse is not marked with !", screen)
    at = time.monotonic()
    os.kill(screen.process.pid, signal.SIGINT)
    status = screen.end(5)
    expect(status == 0 and time.monotonic() - at < 1, "SIGINT: status %d after %.1f s" %
           (status, time.monotonic() - at), screen)
    expect(ESCAPE.sub("", screen.text).endswith("\n"), "--watch leaves the cursor in a row", screen)
    # Who watches for trouble only sees it come; it got worse, the connection is not new.
    screen = Screen(stage, "inspect", "--watch", "--over", "200ms", "--port", str(other.getsockname()[1]),
                    "--verdict", "suspect", "--verdict", "dead", width=160, where=where)
    expect(screen.wait_for(r"(?s)(\x1b\[H.*){3}\x1b\[J", 10), "--watch --verdict does not draw", screen)
    others.shutdown(socket.SHUT_WR)
    expect(screen.wait_for(r"[\n\r](\x1b\[[0-9;]*m)*!\s+suspect\s+peer\.closed", 3),
           "--watch --verdict suspect marks what got worse as new", screen)
    os.kill(screen.process.pid, signal.SIGINT)
    expect(screen.end(5) == 0, "SIGINT: not 0", screen)
    screen = Screen(stage, "inspect", "--watch", "--over", "100ms", "--pid", str(os.getpid()), height=10, where=where)
    expect(screen.wait_for(r"(?s)(\x1b\[H.*){3}\x1b\[J", 10), "--watch does not draw again", screen)
    os.kill(screen.process.pid, signal.SIGINT)
    expect(screen.end(5) == 0, "SIGINT: not 0", screen)
    frames = ESCAPE.sub("", screen.text.split("\x1b[H")[-1]).count("\n")
    expect(frames < 10, "--watch draws %d lines on 10" % (frames + 1), screen)
    expect(ESCAPE.sub("", screen.text).endswith("\n"),
           "a full screen of --watch leaves the cursor in a row: the prompt follows it", screen)

    for arguments in (["--json"], []):
        shown = "--watch %s" % " ".join(arguments)
        with where:
            process = subprocess.Popen([program(), "inspect", "--watch", "--over", "100ms", "--pid", str(os.getpid())] +
                                       arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                       stderr=subprocess.PIPE)
        timer = threading.Timer(10, process.kill)
        timer.start()
        try:
            lines = [process.stdout.readline() for _ in range(4)]
            if arguments:
                arrays = [json.loads(line) for line in lines]
                expect(all(isinstance(array, list) and array for array in arrays), "%s is not an array a line" % shown)
            expect(b"\x1b" not in b"".join(lines), "%s: escapes in a pipe" % shown, lines)
        except ValueError:
            expect(False, "%s is not an array a line" % shown, lines)
        finally:
            timer.cancel()
        process.stdout.close()
        status = check_ended(checks, "the reader of %s went away" % shown, process)
        stage.note("reader of %s gone: %d" % (shown.strip(), status))


def scenario(stage):
    allow_descriptors(DESCRIPTORS)
    checks = Checks()
    missing = lacking()
    where = contextlib.nullcontext()
    try:
        if missing:
            stage.note("SKIPPED the dead one among %d, --kill, another user (needs %s)" % (HERD, missing))
        else:
            sweep()
            crowd = Crowd(stage, checks)
            crowd.check_table()
            crowd.check_json()
            crowd.check_filters()
            crowd.check_kill()
            crowd.check_opening()
            crowd.check_cost()
            crowd.check_screenful()
            crowd.check_gone_reader()
            crowd.check_opening_found()
            crowd.check_another_user()
            crowd.sockets.close()
            for one in crowd.herds:
                one.kill()
            where = crowd.lab.client
        check_refused(checks)
        states = States(checks, where)
        states.check()
        states.check_table()
        check_terminal(stage, checks, where, str(os.getpid()), ["PROCESS", "LOCAL", "[%d]" % os.getpid()])
        if not missing:
            states.check_kill()
            check_question(stage, checks, where, states.sockets)
        check_watch(stage, checks, where, states.sockets)
        states.close()
    finally:
        stage.note("%d checks" % checks.count)
        if checks.wrong and sys.exc_info()[0] is not None:
            print("\n".join("     - " + wrong for wrong in checks.wrong))
    checks.finish()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--herd"]:
        herd(sys.argv[2])
    else:
        main(scenario, limit=90)
