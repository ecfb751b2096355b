# ===----------------------------------------------------------------------===
# This source file is part of the Belay open source project.
# Copyright (c) 2026 the Belay project authors.
# Licensed under Apache License v2.0; see LICENSE for details.
# SPDX-License-Identifier: Apache-2.0
# ===----------------------------------------------------------------------===
"""Builds what is measured. A peer whose tools are missing is left out, and said so; all else must build."""

from __future__ import annotations

import shutil
import subprocess

from servers import BELAY, BUILT, HERE

C_PROGRAMS = {"epoll-loop": "epoll_loop.c", "c-wheel": "wheel.c", "load": "load.c", "stamp": "stamp.c"}
C_PRELOADS = {"sigsuspend.so": "sigsuspend.c", "allocations.so": "allocations.c"}
GO_PROGRAMS = ["go-tutorial", "go-lazy"]
WARNINGS = ["-Wall", "-Wextra", "-Werror"]
LONGEST = 1800  # seconds: SwiftNIO from scratch on a small machine


def build(belay_too):
    """Builds everything; returns what is left out, with the reason."""
    BUILT.mkdir(parents=True, exist_ok=True)
    skipped = {}
    if not shutil.which("cc"):
        raise FileNotFoundError("a C compiler is missing: the load and the epoll loop are in C (make bench-deps)")
    for name, source in C_PROGRAMS.items():
        tool("cc", "-O2", *WARNINGS, "-o", BUILT / name, HERE / "Peers" / source)
    for name, source in C_PRELOADS.items():
        tool("cc", "-O2", *WARNINGS, "-shared", "-fPIC", "-o", BUILT / name, HERE / "Peers" / source)
    if shutil.which("go"):
        for name in GO_PROGRAMS:
            tool("go", "build", "-o", BUILT / name, "./" + name, folder=HERE / "Peers" / "go")
    else:
        skipped.update((name, "go is missing (make bench-deps)") for name in GO_PROGRAMS)
    tool("swift", "build", "-c", "release", "--package-path", HERE)
    if belay_too:
        tool("make", "-C", HERE.parent, "build")
    return skipped


def tool(*command, folder=None):
    """Runs a tool; what it says is shown only when it fails."""
    command = [str(part) for part in command]
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LONGEST,
                          text=True)
    if done.returncode != 0:
        raise ChildProcessError("%s\n%s" % (" ".join(command), done.stdout[-4000:]))
