// ===----------------------------------------------------------------------===
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
// ===----------------------------------------------------------------------===

// Writes down when each part of its standard input came: events of a server are timed by who reads them.
//
// usage: SERVER | stamp FILE      FILE gets what came, FILE.times a line of `bytes_so_far time` for each read
#include "common.h"
#include <fcntl.h>

int main(int count, char **arguments) {
    static char buffer[1 << 18], name[4096];
    if (count != 2) return fprintf(stderr, "usage: SERVER | %s FILE\n", arguments[0]), 2;
    signal(SIGTERM, SIG_IGN), signal(SIGINT, SIG_IGN);  // it ends with its input
    snprintf(name, sizeof name, "%s.times", arguments[1]);
    int copy = open(arguments[1], O_WRONLY | O_CREAT | O_TRUNC, 0644);
    FILE *times = fopen(name, "w");
    if (copy < 0 || !times) fail(arguments[1]);
    uint64_t sum = 0;
    for (ssize_t length; (length = read(0, buffer, sizeof buffer)) > 0;) {
        sum += (uint64_t)length;
        fprintf(times, "%lu %lu\n", sum, now_ns());
        if (write(copy, buffer, (size_t)length) != length) fail("write");
    }
    return fclose(times);
}
