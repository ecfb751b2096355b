/*===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===*/

#ifndef CBELAYLINUX_H
#define CBELAYLINUX_H

#ifdef __linux__

#include <stddef.h>
#include <stdint.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>

/// The type of a netlink socket, which no program that is started inherits: SOCK_RAW | SOCK_CLOEXEC.
///
/// As numbers, because <sys/socket.h> would then seem to Swift to belong to this module and not to the C library.
enum { BELAY_NETLINK_SOCKET = 3 | 02000000 };

/// Asks the processor to bring memory into its cache, line by line; an address that is not mapped does nothing.
static inline void belay_prefetch(const void *address, size_t byte_count) {
    const char *line = address;
    for (const char *end = line + byte_count; line < end; line += 64) __builtin_prefetch(line, 1, 3);
}

/// The kernel's `struct tcp_info` (`include/uapi/linux/tcp.h`) as of Linux 6.18, 280 bytes.
///
/// Declared here because the headers of a C library are older than its kernel (Debian 12 has 232 bytes). A kernel
/// returns as much of it as it knows; only so much may be read.
struct belay_tcp_info {
    uint8_t tcpi_state;
    uint8_t tcpi_ca_state;
    uint8_t tcpi_retransmits;
    uint8_t tcpi_probes;
    uint8_t tcpi_backoff;
    uint8_t tcpi_options;
    // Bit-fields in the kernel: snd_wscale (low half) and rcv_wscale (high half).
    uint8_t tcpi_wscale;
    uint8_t tcpi_flags;

    uint32_t tcpi_rto;
    uint32_t tcpi_ato;
    uint32_t tcpi_snd_mss;
    uint32_t tcpi_rcv_mss;
    uint32_t tcpi_unacked;
    uint32_t tcpi_sacked;
    uint32_t tcpi_lost;
    uint32_t tcpi_retrans;
    uint32_t tcpi_fackets;
    uint32_t tcpi_last_data_sent;
    uint32_t tcpi_last_ack_sent;
    uint32_t tcpi_last_data_recv;
    uint32_t tcpi_last_ack_recv;
    uint32_t tcpi_pmtu;
    uint32_t tcpi_rcv_ssthresh;
    uint32_t tcpi_rtt;
    uint32_t tcpi_rttvar;
    uint32_t tcpi_snd_ssthresh;
    uint32_t tcpi_snd_cwnd;
    uint32_t tcpi_advmss;
    uint32_t tcpi_reordering;
    uint32_t tcpi_rcv_rtt;
    uint32_t tcpi_rcv_space;
    uint32_t tcpi_total_retrans; // the oldest kernels end here: 104 bytes

    uint64_t tcpi_pacing_rate; // 3.15
    uint64_t tcpi_max_pacing_rate;
    uint64_t tcpi_bytes_acked; // 4.1
    uint64_t tcpi_bytes_received;
    uint32_t tcpi_segs_out; // 4.2
    uint32_t tcpi_segs_in;
    uint32_t tcpi_notsent_bytes; // 4.6
    uint32_t tcpi_min_rtt;
    uint32_t tcpi_data_segs_in;
    uint32_t tcpi_data_segs_out;
    uint64_t tcpi_delivery_rate; // 4.9
    uint64_t tcpi_busy_time;     // 4.10
    uint64_t tcpi_rwnd_limited;
    uint64_t tcpi_sndbuf_limited;
    uint32_t tcpi_delivered; // 4.18
    uint32_t tcpi_delivered_ce;
    uint64_t tcpi_bytes_sent; // 4.19
    uint64_t tcpi_bytes_retrans;
    uint32_t tcpi_dsack_dups;
    uint32_t tcpi_reord_seen;
    uint32_t tcpi_rcv_ooopack; // 5.4
    uint32_t tcpi_snd_wnd;
    uint32_t tcpi_rcv_wnd; // 6.2
    uint32_t tcpi_rehash;
    uint16_t tcpi_total_rto; // 6.7
    uint16_t tcpi_total_rto_recoveries;
    uint32_t tcpi_total_rto_time;
    uint32_t tcpi_received_ce; // 6.18
    uint32_t tcpi_delivered_e1_bytes;
    uint32_t tcpi_delivered_e0_bytes;
    uint32_t tcpi_delivered_ce_bytes;
    uint32_t tcpi_received_e1_bytes;
    uint32_t tcpi_received_e0_bytes;
    uint32_t tcpi_received_ce_bytes;
    uint16_t tcpi_accecn_fail_mode;
    uint16_t tcpi_accecn_opt_seen;
};

/// A copy of a descriptor that another process has open (pidfd_getfd(2), since Linux 5.6), or -1 and errno.
int belay_process_descriptor(int pid, int descriptor);

/// What became of one socket that is watched: its token, and the events of epoll_ctl(2).
struct belay_poll_event {
    uint64_t token;
    uint32_t events;
};

/// An epoll instance, which no program that is started inherits, or -1 and errno.
int belay_poll_open(void);

/// Watches a socket for everything, edge-triggered; -1 and errno when that fails. Closing the socket ends it.
int belay_poll_add(int poll, int descriptor, uint64_t token);

/// Waits for events, 256 at most; returns how many there are, or -1 and errno.
int belay_poll_wait(int poll, struct belay_poll_event *events, int count, int milliseconds);

_Static_assert(sizeof(struct belay_tcp_info) == 280, "struct tcp_info of Linux 6.18 has 280 bytes");

#endif
#endif
