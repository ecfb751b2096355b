// ===----------------------------------------------------------------------===
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
// ===----------------------------------------------------------------------===

// What the C programs share: the clock, repeatable randomness, and a log that costs nothing while measuring.
#pragma once
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MILLISECOND 1000000ull
#define SECOND 1000000000ull
#define MOST_DESCRIPTORS 65536

static inline uint64_t now_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * SECOND + (uint64_t)time.tv_nsec;
}

// xorshift64*, from the same beginning in each run.
static inline uint64_t random_number(void) {
    static uint64_t state = 88172645463325252ull;
    state ^= state >> 12, state ^= state << 25, state ^= state >> 27;
    return state * 2685821657736338717ull;
}

static inline void fail(const char *what) {
    perror(what);
    exit(1);
}

// Kept in memory, written once at the end.
struct record { uint64_t at, value; const char *kind; uint32_t address; uint16_t port; char tag; };
#define MOST_RECORDS (1u << 19)
static struct record *records;
static size_t record_count;

static inline void record(char tag, uint64_t at, uint32_t address, uint16_t port, const char *kind, uint64_t value) {
    if (!records && !(records = malloc(MOST_RECORDS * sizeof *records))) fail("malloc");
    if (record_count < MOST_RECORDS) records[record_count++] = (struct record){at, value, kind, address, port, tag};
}

// Lines of `TAG time address:port kind value`, the address and the port in numbers of the host's byte order.
static inline void write_records(FILE *file) {
    for (size_t i = 0; i < record_count; i++) {
        struct record *r = &records[i];
        fprintf(file, "%c %lu %u:%u %s %lu\n", r->tag, r->at, r->address, r->port, r->kind, r->value);
    }
}
