// ===----------------------------------------------------------------------===
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
// ===----------------------------------------------------------------------===

// The epoll loop that everything else is measured by: what heartbeats cost when nothing but the system calls is left.
//
// One thread, edge-triggered epoll, connections in one flat array, and over them one hashed timing wheel with a slot
// each 10 ms. A connection has one entry in the wheel, at its next ping or its deadline, whichever is first. A pong
// only stores when it was heard; the entry finds out when it is due. It keeps Belay's rules as far as a loop of this
// size can: time in which it could not observe is nobody's silence, and before a verdict it looks into the socket.
//
// usage: epoll-loop PORT INTERVAL_MS SECONDS LOG       prints `READY PORT`; port 0 chooses one
// The bound is two intervals. At the end LOG gets a line for each connection that ended, and a last one of counts.
#include "common.h"

struct connection {
    uint64_t heard, ping_at;  // observer clock, nanoseconds
    uint32_t previous, next;  // links of the wheel, 0 is none
    uint32_t slot;            // of the wheel, plus 1; 0 is not armed
    uint32_t address;
    uint16_t port;
    uint8_t open;
};

static const uint64_t tick_ns = 10 * MILLISECOND;
static struct connection connections[MOST_DESCRIPTORS];  // by descriptor
static uint32_t *wheel, wheel_mask;
static uint64_t observed, last_turn, current_tick = 1, interval, bound, longest_step;
static uint64_t accepted, pings, pongs, ended_fin, ended_rst, ended_silent;
static int selector;
static volatile sig_atomic_t stopping;

static void on_signal(int number) { (void)number, stopping = 1; }

static void disarm(uint32_t i) {
    struct connection *c = &connections[i];
    if (!c->slot) return;
    if (c->previous) connections[c->previous].next = c->next; else wheel[c->slot - 1] = c->next;
    if (c->next) connections[c->next].previous = c->previous;
    c->slot = 0;
}

static void arm(uint32_t i, uint64_t at) {
    uint64_t tick = (at + tick_ns - 1) / tick_ns;  // never early
    if (tick <= current_tick) tick = current_tick + 1;
    struct connection *c = &connections[i];
    uint32_t slot = tick & wheel_mask;
    c->previous = 0, c->next = wheel[slot], c->slot = slot + 1;
    if (c->next) connections[c->next].previous = i;
    wheel[slot] = i;
}

static void end(uint32_t descriptor, const char *kind, uint64_t lateness) {
    struct connection *c = &connections[descriptor];
    disarm(descriptor);
    c->open = 0;
    close((int)descriptor);
    record('D', now_ns(), c->address, c->port, kind, lateness);
}

// Reads what there is. Returns 0 when the connection is gone.
static int receive(uint32_t descriptor) {
    char buffer[512];
    for (;;) {
        ssize_t count = recv((int)descriptor, buffer, sizeof buffer, MSG_DONTWAIT);
        if (count > 0) {
            connections[descriptor].heard = observed;
            pongs += (uint64_t)count / 4;
            if ((size_t)count < sizeof buffer) return 1;
        } else if (count == 0) {
            ended_fin++, end(descriptor, "fin", 0);
            return 0;
        } else if (errno == EAGAIN) {
            return 1;
        } else if (errno != EINTR) {
            ended_rst++, end(descriptor, "rst", 0);
            return 0;
        }
    }
}

static void due(uint32_t descriptor) {
    struct connection *c = &connections[descriptor];
    if (observed >= c->heard + bound) {
        if (!receive(descriptor)) return;  // the answer may lie in the socket
        if (observed >= c->heard + bound) {
            ended_silent++, end(descriptor, "silent", observed - c->heard - bound);
            return;
        }
    }
    if (observed >= c->ping_at) {
        if (send((int)descriptor, "ping", 4, MSG_DONTWAIT | MSG_NOSIGNAL) == 4) pings++;
        c->ping_at += interval;
        if (c->ping_at <= observed) c->ping_at = observed + interval;
    }
    uint64_t deadline = c->heard + bound;
    arm(descriptor, c->ping_at < deadline ? c->ping_at : deadline);
}

static void turn_wheel(void) {
    for (uint64_t to = observed / tick_ns; current_tick < to;) {
        uint32_t slot = ++current_tick & wheel_mask, i = wheel[slot];
        wheel[slot] = 0;
        while (i) {
            uint32_t next = connections[i].next;
            connections[i].slot = 0;
            due(i);
            i = next;
        }
    }
}

// Time in which this process did not run counts as one step at most.
static void observe(void) {
    uint64_t now = now_ns(), step = now - last_turn;
    last_turn = now, observed += step < longest_step ? step : longest_step;
}

static int wait_until_next_tick(struct epoll_event *events, int most) {
    static int unavailable;  // valgrind knows no epoll_pwait2
    uint64_t next = (current_tick + 1) * tick_ns, wait = next > observed ? next - observed : 0;
    struct timespec time = {(time_t)(wait / SECOND), (long)(wait % SECOND)};
    if (!unavailable) {
        int count = epoll_pwait2(selector, events, most, &time, NULL);
        if (count >= 0 || errno != ENOSYS) return count;
        unavailable = 1;
    }
    return epoll_wait(selector, events, most, (int)((wait + MILLISECOND - 1) / MILLISECOND));
}

static void accept_all(int listener) {
    for (int turn = 0; turn < 128; turn++) {
        struct sockaddr_in peer;
        socklen_t length = sizeof peer;
        int descriptor = accept4(listener, (struct sockaddr *)&peer, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (descriptor < 0) return;
        if (descriptor >= MOST_DESCRIPTORS) fail("too many descriptors");
        struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.u32 = (uint32_t)descriptor};
        if (epoll_ctl(selector, EPOLL_CTL_ADD, descriptor, &event)) fail("epoll_ctl");
        accepted++;
        connections[descriptor] = (struct connection){
            .heard = observed, .ping_at = observed + random_number() % interval, .open = 1,
            .address = ntohl(peer.sin_addr.s_addr), .port = ntohs(peer.sin_port)};
        arm((uint32_t)descriptor, connections[descriptor].ping_at);
    }
}

static int listen_on(int port) {
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);  // accepted sockets inherit it
    if (bind(listener, (struct sockaddr *)&address, length) || listen(listener, 4096)) fail("listen");
    getsockname(listener, (struct sockaddr *)&address, &length);
    printf("READY %d\n", ntohs(address.sin_port)), fflush(stdout);
    return listener;
}

static void set_up(char **arguments) {
    interval = strtoull(arguments[2], 0, 10) * MILLISECOND, bound = 2 * interval;
    if (!interval) fail("INTERVAL_MS");
    longest_step = interval / 8 > 4 * tick_ns ? interval / 8 : 4 * tick_ns;
    uint64_t slots = 1;
    while (slots < bound / tick_ns + 4) slots *= 2;
    wheel = calloc(slots, sizeof *wheel), wheel_mask = (uint32_t)slots - 1;
    observed = tick_ns, last_turn = now_ns();
    signal(SIGTERM, on_signal), signal(SIGALRM, on_signal), signal(SIGINT, on_signal);
    alarm((unsigned)atoi(arguments[3]));
}

int main(int count, char **arguments) {
    static struct epoll_event events[1024];
    if (count < 5) return fprintf(stderr, "usage: %s PORT INTERVAL_MS SECONDS LOG\n", arguments[0]), 2;
    set_up(arguments);
    selector = epoll_create1(EPOLL_CLOEXEC);
    int listener = listen_on(atoi(arguments[1]));
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = 0};
    epoll_ctl(selector, EPOLL_CTL_ADD, listener, &event);
    while (!stopping) {
        int ready = wait_until_next_tick(events, 1024);
        observe();
        for (int i = 0; i < ready; i++) {  // hear first, judge later
            uint32_t descriptor = events[i].data.u32;
            if (!descriptor) accept_all(listener);
            else if (connections[descriptor].open && receive(descriptor) &&
                     events[i].events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) receive(descriptor);
        }
        turn_wheel();
    }
    FILE *log = fopen(arguments[4], "w");
    if (!log) fail(arguments[4]);
    write_records(log);
    fprintf(log, "Z accepted=%lu pings=%lu pongs=%lu fin=%lu rst=%lu silent=%lu\n", accepted, pings, pongs, ended_fin,
            ended_rst, ended_silent);
    return fclose(log);
}
