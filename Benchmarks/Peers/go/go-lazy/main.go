// ===----------------------------------------------------------------------===
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
// ===----------------------------------------------------------------------===

// go-lazy is Go done well: one goroutine and one timer to a connection. A pong only stores the time; the timer sends
// the ping and finds out about silence; the reader has a small buffer and no deadline.
package main

import (
	"math/rand"
	"net"
	"os"
	"sync/atomic"
	"time"

	"belay-benchmarks/peer"
)

var ping = []byte("ping")

type connection struct {
	net.Conn
	timer  *time.Timer
	heard  atomic.Int64
	pingAt int64
	late   atomic.Int64
	silent atomic.Bool
}

func main() { peer.Serve(serve) }

func serve(accepted net.Conn) {
	c := &connection{Conn: accepted}
	now := peer.Now()
	c.heard.Store(now)
	first := rand.Int63n(int64(peer.Interval))
	c.pingAt = now + first
	c.timer = time.AfterFunc(time.Hour, c.due)
	c.timer.Reset(time.Duration(first))
	var buffer [64]byte
	for {
		count, err := c.Read(buffer[:])
		if err != nil {
			c.timer.Stop()
			if c.silent.Load() {
				err = os.ErrDeadlineExceeded
			}
			peer.Ended(c, err, time.Duration(c.late.Load()))
			c.Close()
			return
		}
		c.heard.Store(peer.Now())
		peer.Pongs.Add(int64(count / 4))
	}
}

func (c *connection) due() {
	now := peer.Now()
	deadline := c.heard.Load() + 2*int64(peer.Interval)
	if now >= deadline {
		c.late.Store(now - deadline)
		c.silent.Store(true)
		c.Close()
		return
	}
	if now >= c.pingAt {
		if _, err := c.Write(ping); err != nil {
			return
		}
		peer.Pings.Add(1)
		if c.pingAt += int64(peer.Interval); c.pingAt <= now {
			c.pingAt = now + int64(peer.Interval)
		}
	}
	next := c.pingAt
	if deadline < next {
		next = deadline
	}
	c.timer.Reset(time.Duration(next - now))
}
