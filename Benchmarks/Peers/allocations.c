// ===----------------------------------------------------------------------===
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
// ===----------------------------------------------------------------------===

// Preloaded into a server: counts what it allocates, and appends the count to $ALLOCATIONS each time SIGUSR2 comes.
//
// Between two such lines in steady state lie so many heartbeats; the quotient is what a heartbeat allocates. Everything
// counts that goes through malloc: Belay's own, SwiftNIO's and the Swift runtime's.
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

static atomic_ulong count;

void *malloc(size_t size) {
    atomic_fetch_add_explicit(&count, 1, memory_order_relaxed);
    return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
    atomic_fetch_add_explicit(&count, 1, memory_order_relaxed);
    return __libc_calloc(number, size);
}

void *realloc(void *pointer, size_t size) {
    atomic_fetch_add_explicit(&count, 1, memory_order_relaxed);
    return __libc_realloc(pointer, size);
}

int posix_memalign(void **pointer, size_t alignment, size_t size) {
    atomic_fetch_add_explicit(&count, 1, memory_order_relaxed);
    *pointer = __libc_memalign(alignment, size);
    return *pointer ? 0 : 12;  // ENOMEM
}

void *aligned_alloc(size_t alignment, size_t size) {
    atomic_fetch_add_explicit(&count, 1, memory_order_relaxed);
    return __libc_memalign(alignment, size);
}

// For programs that measure themselves.
unsigned long allocation_count(void) { return count; }

// Only what is safe in a signal handler: the digits by hand.
static void on_signal(int number) {
    (void)number;
    char text[24], *end = text + sizeof text, *digit = end;
    *--digit = '\n';
    for (unsigned long rest = count; digit == end - 1 || rest; rest /= 10) *--digit = (char)('0' + rest % 10);
    const char *path = getenv("ALLOCATIONS");
    int file = path ? open(path, O_WRONLY | O_CREAT | O_APPEND, 0644) : -1;
    if (file < 0) return;
    if (write(file, digit, (size_t)(end - digit)) < 0) abort();
    close(file);
}

__attribute__((constructor)) static void begin(void) {
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigaction(SIGUSR2, &action, NULL);
}
