/*===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===*/

#include "CBelayLinux.h"

#ifdef __linux__

#include "CBelayLinux.h"

#include <errno.h>
#include <sys/epoll.h>
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

int belay_poll_open(void) { return epoll_create1(EPOLL_CLOEXEC); }

int belay_poll_add(int poll, int descriptor, uint64_t token) {
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.u64 = token};
    return epoll_ctl(poll, EPOLL_CTL_ADD, descriptor, &event);
}

int belay_poll_wait(int poll, struct belay_poll_event *events, int count, int milliseconds) {
    struct epoll_event kernel[256];
    int most = (int)(sizeof kernel / sizeof *kernel);
    int ready = epoll_wait(poll, kernel, count < most ? count : most, milliseconds);
    for (int index = 0; index < ready; index++)
        events[index] = (struct belay_poll_event){kernel[index].data.u64, kernel[index].events};
    return ready;
}

#else

// A target of C needs something in it on every system.
typedef int belay_nothing;

#endif
