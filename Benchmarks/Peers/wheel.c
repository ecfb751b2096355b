// ===----------------------------------------------------------------------===
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
// ===----------------------------------------------------------------------===

// What deadlines cost at least: a wheel of one level with 4,096 slots, which can do nothing but this.
//
// usage: c-wheel [ENTRIES]      1,000,000 by default; prints a line `PHASE nanoseconds -` for each
#include "common.h"

#define SLOTS 4096u

// Lists by number, 0 ends one; columns, as a walk along a list then stays in a part of the memory.
static uint32_t *previous, *next, *due, heads[SLOTS];

static void arm(uint32_t entry, uint32_t tick) {
    if (due[entry]) {
        if (previous[entry]) next[previous[entry]] = next[entry];
        else heads[due[entry] % SLOTS] = next[entry];
        if (next[entry]) previous[next[entry]] = previous[entry];
    }
    uint32_t *head = &heads[tick % SLOTS];
    previous[entry] = 0, next[entry] = *head, due[entry] = tick;
    if (*head) previous[*head] = entry;
    *head = entry;
}

static uint32_t below(uint64_t bound) { return (uint32_t)(((__uint128_t)random_number() * bound) >> 64); }

static void report(const char *phase, uint64_t operations, uint64_t since) {
    printf("%s %f -\n", phase, (double)(now_ns() - since) / (double)operations);
}

int main(int count, char **arguments) {
    uint32_t entries = count > 1 ? (uint32_t)strtoul(arguments[1], NULL, 10) : 1000000;
    uint64_t moves = 5000000, sum = 0, start;
    previous = calloc(entries + 1, 4), next = calloc(entries + 1, 4), due = calloc(entries + 1, 4);
    uint32_t *moved = malloc(moves * 4);
    if (!previous || !next || !due || !moved) fail("malloc");

    start = now_ns();
    for (uint32_t entry = 1; entry <= entries; entry++) arm(entry, 1 + below(SLOTS - 1));
    report("insert", entries, start);

    for (uint64_t i = 0; i < moves; i++) moved[i] = 1 + below(entries);
    start = now_ns();
    for (uint64_t i = 0; i < moves; i++) arm(moved[i], 1 + below(SLOTS - 1));
    report("move", moves, start);

    start = now_ns();
    for (uint32_t slot = 0; slot < SLOTS; slot++)
        for (uint32_t entry = heads[slot]; entry; entry = next[entry]) due[entry] = 0, sum += entry;
    report("expire", entries, start);
    return sum != (uint64_t)entries * (entries + 1) / 2;
}
