// ===----------------------------------------------------------------------===
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
// ===----------------------------------------------------------------------===

// The peers of every server measured: thousands of connections that answer each ping, some of which fail when told to.
//
// One thread and epoll, so that the load costs less than any server. It also samples the server's CPU time and memory.
//
// usage: load PORT CONNECTIONS SECONDS LOG [--pid SERVER] [--protocol raw|lines|frames] [--hold MS]
//        [--fault KIND,COUNT,AT_MS,SPREAD_MS]...
//        KIND: fin, rst or silent; --hold answers what came in so many milliseconds at once
//
// LOG, in nanoseconds of CLOCK_MONOTONIC, a connection by the address and port of its own end:
//   A began ended connections server_cpu      all connections are made
//   S at pings pongs server_cpu server_kib    each second from then on
//   F at connection kind last_pong            a fault
//   C at connection kind last_pong            the server closed a connection: `silent`, or `live` and `live-rst`
//   E at                                      the load ends; what the server sees from then on is not measured
//   Z pings pongs longest_turn                in all, and the longest time in which the load did not look
#include "common.h"
#include <dirent.h>

enum state { LIVE, SILENT, CLOSING, GONE };
enum protocol { RAW, LINES, FRAMES };
struct peer { uint64_t last_pong; uint32_t address; uint16_t port; uint8_t state, unfinished; };
struct plan { uint64_t at, spread; const char *kind; int count; };
struct fault { uint64_t at; const char *kind; };

static struct peer peers[MOST_DESCRIPTORS];  // by descriptor
static int descriptors[MOST_DESCRIPTORS], peer_count, selector, port, server, hold;
static enum protocol protocol;
static uint64_t pings, pongs, longest_turn;
static volatile sig_atomic_t stopping;

static void on_signal(int number) { (void)number, stopping = 1; }

// The time on a CPU of all threads of the server.
static uint64_t server_cpu(void) {
    char path[320];
    uint64_t sum = 0, nanoseconds;
    snprintf(path, sizeof path, "/proc/%d/task", server);
    DIR *tasks = server ? opendir(path) : NULL;
    if (!tasks) return 0;
    for (struct dirent *task; (task = readdir(tasks));) {
        if (task->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "/proc/%d/task/%.20s/schedstat", server, task->d_name);
        FILE *file = fopen(path, "r");
        if (!file) continue;
        if (fscanf(file, "%lu", &nanoseconds) == 1) sum += nanoseconds;
        fclose(file);
    }
    closedir(tasks);
    return sum;
}

static long server_kib(void) {
    char path[64];
    long pages = 0;
    snprintf(path, sizeof path, "/proc/%d/statm", server);
    FILE *file = server ? fopen(path, "r") : NULL;
    if (!file) return 0;
    if (fscanf(file, "%*d %ld", &pages) != 1) pages = 0;
    fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

// How many connections wait to be accepted; listening sockets come first in /proc/net/tcp.
static unsigned waiting_for_accept(void) {
    char buffer[2048], *line, *rest;
    FILE *file = fopen("/proc/net/tcp", "r");
    if (!file) return 0;
    size_t count = fread(buffer, 1, sizeof buffer - 1, file);
    fclose(file);
    buffer[count] = 0;
    for (line = strtok_r(buffer, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        unsigned local, state, waiting;
        if (sscanf(line, " %*d: %*x:%x %*x:%*x %x %*x:%x", &local, &state, &waiting) == 3 && state == 0x0A &&
            local == (unsigned)port) return waiting;
    }
    return 0;
}

// Writes the answers to what came, returns their length. The servers write each line and frame whole, and loopback
// keeps them so; only the bare tokens may be split.
static size_t answer(struct peer *peer, const char *in, size_t count, char *out) {
    size_t length = 0;
    if (protocol == RAW) {
        size_t whole = (count + peer->unfinished) / 4;
        peer->unfinished = (count + peer->unfinished) % 4;
        for (size_t i = 0; i < whole; i++) memcpy(out + 4 * i, "pong", 4);
        pings += whole;
        return 4 * whole;
    }
    for (const char *end = in + count, *next; in < end; in = next) {
        if (protocol == LINES) {
            next = memchr(in, '\n', (size_t)(end - in));
            next = next ? next + 1 : end;
            if (next - in < 5 || memcmp(in, "ping", 4)) continue;
        } else {
            uint32_t size;
            if (end - in < 5) return length;
            memcpy(&size, in, 4);
            next = in + 4 + ntohl(size);
            if (next > end) return length;
            if (in[4] != 1) continue;
        }
        memcpy(out + length, in, (size_t)(next - in));
        if (protocol == LINES) out[length + 1] = 'o'; else out[length + 4] = 2;
        length += (size_t)(next - in), pings++;
    }
    return length;
}

static void on_readable(int descriptor) {
    struct peer *peer = &peers[descriptor];
    static char in[4096], out[2 * sizeof in];
    for (;;) {
        ssize_t count = recv(descriptor, in, sizeof in, MSG_DONTWAIT);
        if (count < 0 && errno == EAGAIN) return;
        if (count <= 0) {
            const char *kind = peer->state == SILENT ? "silent" : count ? "live-rst" : "live";
            if (peer->state != CLOSING) record('C', now_ns(), peer->address, peer->port, kind, peer->last_pong);
            peer->state = GONE;
            close(descriptor);
            return;
        }
        uint64_t before = pings;
        size_t length = answer(peer, in, (size_t)count, out);
        if (length && peer->state == LIVE) {
            peer->last_pong = now_ns();
            if (send(descriptor, out, length, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)length) pongs += pings - before;
        }
        if ((size_t)count < sizeof in) return;
    }
}

static void serve(int timeout_ms) {
    static struct epoll_event events[1024];
    if (hold) usleep((useconds_t)hold * 1000);
    int count = epoll_wait(selector, events, 1024, timeout_ms);
    for (int i = 0; i < count; i++) {
        int descriptor = events[i].data.fd;
        if (peers[descriptor].state == GONE) continue;
        on_readable(descriptor);
        int ended = events[i].events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR);
        if (ended && peers[descriptor].state != GONE) on_readable(descriptor);
    }
}

static void say_hello(int descriptor) {
    char text[64], hello[80];
    int length;
    if (protocol == LINES) {
        length = snprintf(hello, sizeof hello, "hello peer-%d\n", peer_count);
    } else {
        int size = snprintf(text, sizeof text, "{\"id\":\"peer-%d\"}", peer_count);
        uint32_t rest = htonl((uint32_t)size + 1);
        memcpy(hello, &rest, 4), hello[4] = 3, memcpy(hello + 5, text, (size_t)size);
        length = 5 + size;
    }
    if (send(descriptor, hello, (size_t)length, MSG_NOSIGNAL) != length) fail("hello");
}

// Blocks; on loopback that ends within the call. Four source addresses, for there are some 28,000 ports to each.
static void connect_one(void) {
    int descriptor = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    if (descriptor < 0 || descriptor >= MOST_DESCRIPTORS) fail("socket");
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in from = {.sin_family = AF_INET};
    from.sin_addr.s_addr = htonl(0x7f000002u + (uint32_t)(peer_count % 4));
    socklen_t length = sizeof from;
    setsockopt(descriptor, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (bind(descriptor, (struct sockaddr *)&from, length)) fail("bind");
    if (connect(descriptor, (struct sockaddr *)&to, length)) fail("connect");
    getsockname(descriptor, (struct sockaddr *)&from, &length);
    peers[descriptor] = (struct peer){
        .last_pong = now_ns(), .address = ntohl(from.sin_addr.s_addr), .port = ntohs(from.sin_port)};
    if (protocol != RAW) say_hello(descriptor);
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.fd = descriptor};
    if (epoll_ctl(selector, EPOLL_CTL_ADD, descriptor, &event)) fail("epoll_ctl");
    descriptors[peer_count++] = descriptor;
}

// Never lets the server's accept queue fill up, which would cost a connection a second.
static void connect_all(int count) {
    for (int i = 0; i < count && !stopping; i++) {
        connect_one();
        if (i % 256 == 255) while (waiting_for_accept() > 1024 && !stopping) serve(0);
        if (i % 64 == 63) serve(0);
    }
    while (waiting_for_accept() && !stopping) serve(0);
}

static void strike(const char *kind) {
    struct peer *peer;
    int descriptor, tries = 0;
    do descriptor = descriptors[random_number() % (uint64_t)peer_count], peer = &peers[descriptor];
    while (peer->state != LIVE && ++tries < 1000000);
    if (peer->state != LIVE) return;
    uint64_t at = now_ns();
    if (*kind == 's') {
        peer->state = SILENT;
    } else if (*kind == 'f') {
        peer->state = CLOSING;
        shutdown(descriptor, SHUT_WR);  // a close would reset, were a ping unread or still on its way
    } else {
        struct linger reset = {1, 0};
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        peer->state = GONE;
        at = now_ns();
        close(descriptor);
    }
    record('F', at, peer->address, peer->port, kind, peer->last_pong);
}

static int by_time(const void *left, const void *right) {
    uint64_t a = ((const struct fault *)left)->at, b = ((const struct fault *)right)->at;
    return (a > b) - (a < b);
}

static void run(FILE *log, int seconds, const struct plan *plans, int plan_count) {
    static struct fault faults[3 * MOST_DESCRIPTORS];
    int fault_count = 0, next = 0;
    uint64_t start = now_ns(), end = start + (uint64_t)seconds * SECOND, sample_at = start;
    for (const struct plan *plan = plans; plan < plans + plan_count; plan++)
        for (int k = 0; k < plan->count && fault_count < 3 * MOST_DESCRIPTORS; k++) {
            uint64_t later = plan->spread ? random_number() % plan->spread : 0;
            faults[fault_count++] = (struct fault){start + plan->at + later, plan->kind};
        }
    qsort(faults, (size_t)fault_count, sizeof *faults, by_time);
    for (uint64_t now; (now = now_ns()) < end && !stopping;) {
        while (next < fault_count && faults[next].at <= now) strike(faults[next++].kind);
        if (now >= sample_at) {
            fprintf(log, "S %lu %lu %lu %lu %ld\n", now, pings, pongs, server_cpu(), server_kib());
            fflush(log);
            sample_at = sample_at + SECOND > now ? sample_at + SECOND : now + SECOND;
        }
        uint64_t until = next < fault_count && faults[next].at < sample_at ? faults[next].at : sample_at;
        if (until > end) until = end;
        now = now_ns();
        uint64_t wait = until > now ? (until - now) / MILLISECOND : 0;
        serve((int)wait);
        uint64_t turn = now_ns() - now;
        if (turn > wait * MILLISECOND + longest_turn) longest_turn = turn - wait * MILLISECOND;
    }
}

int main(int count, char **arguments) {
    struct plan plans[16];
    int plan_count = 0;
    if (count < 5) return fputs("usage: load PORT CONNECTIONS SECONDS LOG [OPTION VALUE]...\n", stderr), 2;
    port = atoi(arguments[1]);
    for (int i = 5; i + 1 < count; i += 2) {
        char *value = arguments[i + 1];
        if (!strcmp(arguments[i], "--pid")) server = atoi(value);
        if (!strcmp(arguments[i], "--hold")) hold = atoi(value);
        if (!strcmp(arguments[i], "--protocol")) protocol = *value == 'l' ? LINES : *value == 'f' ? FRAMES : RAW;
        if (!strcmp(arguments[i], "--fault") && plan_count < 16) {
            struct plan *plan = &plans[plan_count++];
            unsigned long at, spread;
            plan->kind = strtok(value, ",");
            if (sscanf(strtok(NULL, ""), "%d,%lu,%lu", &plan->count, &at, &spread) != 3) fail("--fault");
            plan->at = at * MILLISECOND, plan->spread = spread * MILLISECOND;
        }
    }
    signal(SIGTERM, on_signal), signal(SIGINT, on_signal), signal(SIGALRM, on_signal);
    alarm((unsigned)atoi(arguments[3]) + 30);
    FILE *log = fopen(arguments[4], "w");
    if (!log) fail(arguments[4]);
    selector = epoll_create1(EPOLL_CLOEXEC);

    uint64_t began = now_ns(), cpu = server_cpu();
    connect_all(atoi(arguments[2]));
    fprintf(log, "A %lu %lu %d %lu\n", began, now_ns(), peer_count, server_cpu() - cpu);
    run(log, atoi(arguments[3]), plans, plan_count);
    write_records(log);
    fprintf(log, "E %lu\nZ %lu %lu %lu\n", now_ns(), pings, pongs, longest_turn);
    return fclose(log);
}
