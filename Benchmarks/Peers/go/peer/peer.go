// ===----------------------------------------------------------------------===
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
// ===----------------------------------------------------------------------===

// Package peer holds what both Go servers share: arguments, clock, the log of what ended.
package peer

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	_ "unsafe"
)

//go:linkname nanotime runtime.nanotime
func nanotime() int64

// Now is CLOCK_MONOTONIC in nanoseconds, the clock of all logs.
func Now() int64 { return nanotime() }

var (
	// Interval is the time between two pings to a connection; the bound is twice that.
	Interval time.Duration
	// Pings were sent and Pongs received by all connections.
	Pings, Pongs atomic.Int64

	accepted         atomic.Int64
	mutex            sync.Mutex
	ends             = make([]string, 0, 65536)
	fin, rst, silent int
)

// Ended notes the end of a connection, and by how much it was beyond the bound where the peer was silent.
func Ended(connection net.Conn, err error, late time.Duration) {
	at, kind := Now(), "fin"
	var networkError net.Error
	mutex.Lock()
	defer mutex.Unlock()
	switch {
	case errors.Is(err, io.EOF):
		fin++
	case errors.As(err, &networkError) && networkError.Timeout():
		kind = "silent"
		silent++
	default:
		kind = "rst"
		rst++
	}
	remote := connection.RemoteAddr().(*net.TCPAddr)
	address := binary.BigEndian.Uint32(remote.IP.To4())
	ends = append(ends, fmt.Sprintf("D %d %d:%d %s %d\n", at, address, remote.Port, kind, late))
}

// Serve hands each connection to handle until SECONDS have passed or a signal comes, writes the log and ends the process.
//
// It takes the arguments PORT INTERVAL_MS SECONDS LOG and says READY PORT.
func Serve(handle func(net.Conn)) {
	if len(os.Args) < 5 {
		log.Fatal("usage: PORT INTERVAL_MS SECONDS LOG")
	}
	milliseconds, _ := strconv.Atoi(os.Args[2])
	seconds, _ := strconv.Atoi(os.Args[3])
	Interval = time.Duration(milliseconds) * time.Millisecond
	listener, err := net.Listen("tcp", "127.0.0.1:"+os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	done := make(chan os.Signal, 1)
	signal.Notify(done, syscall.SIGTERM, syscall.SIGINT)
	time.AfterFunc(time.Duration(seconds)*time.Second, func() { done <- syscall.SIGTERM })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				log.Fatal(err)
			}
			accepted.Add(1)
			go handle(connection)
		}
	}()
	fmt.Println("READY", listener.Addr().(*net.TCPAddr).Port)
	<-done
	write(os.Args[4])
	os.Exit(0)
}

func write(path string) {
	file, err := os.Create(path)
	if err != nil {
		log.Fatal(err)
	}
	writer := bufio.NewWriter(file)
	mutex.Lock()
	for _, line := range ends {
		writer.WriteString(line)
	}
	fmt.Fprintf(writer, "Z accepted=%d pings=%d pongs=%d fin=%d rst=%d silent=%d\n",
		accepted.Load(), Pings.Load(), Pongs.Load(), fin, rst, silent)
	if err := writer.Flush(); err != nil {
		log.Fatal(err)
	}
}
