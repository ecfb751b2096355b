/*===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===*/

#include "CBelayLinux.h"

#ifdef __linux__

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

// The C library of Debian 12 has no wrapper for the second; the numbers are the same on all architectures but alpha.
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif

int belay_process_descriptor(int pid, int descriptor) {
    int process = (int)syscall(SYS_pidfd_open, pid, 0);
    if (process < 0) return -1;
    int copy = (int)syscall(SYS_pidfd_getfd, process, descriptor, 0);
    int error = errno;
    close(process);
    errno = error;
    return copy;
}

#else

// A target of C needs something in it on every system.
typedef int belay_nothing;

#endif
