// ===----------------------------------------------------------------------===
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
// ===----------------------------------------------------------------------===

// go-tutorial is the server of the tutorials: two goroutines to a connection, a reader that moves its deadline with
// each pong, and a ticker that writes the pings.
package main

import (
	"math/rand"
	"net"
	"time"

	"belay-benchmarks/peer"
)

var ping = []byte("ping")

func main() { peer.Serve(serve) }

func serve(connection net.Conn) {
	defer connection.Close()
	done := make(chan struct{})
	defer close(done)
	go heartbeat(connection, done)

	buffer := make([]byte, 512)
	bound := 2 * peer.Interval
	for {
		connection.SetReadDeadline(time.Now().Add(bound))
		heard := peer.Now()
		count, err := connection.Read(buffer)
		if err != nil {
			peer.Ended(connection, err, time.Duration(peer.Now()-heard)-bound)
			return
		}
		peer.Pongs.Add(int64(count / 4))
	}
}

func heartbeat(connection net.Conn, done chan struct{}) {
	select { // spread over the interval
	case <-time.After(time.Duration(rand.Int63n(int64(peer.Interval)))):
	case <-done:
		return
	}
	ticker := time.NewTicker(peer.Interval)
	defer ticker.Stop()
	for {
		if _, err := connection.Write(ping); err != nil {
			return
		}
		peer.Pings.Add(1)
		select {
		case <-ticker.C:
		case <-done:
			return
		}
	}
}
