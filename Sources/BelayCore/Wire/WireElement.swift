//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// One thing read from the wire.
///
/// Ranges are offsets into the bytes that were parsed. The control messages are indirect, which costs them an
/// allocation but keeps the element small: almost everything that is read is a heartbeat or a message.
public enum WireElement: Equatable, Sendable {
    /// The peer asks for a sign of life; a pong must echo the bytes of `token`, where there is one.
    case ping(token: Range<Int>?)
    /// The peer gives a sign of life and echoes the token of a ping, where the peer or the format has one.
    case pong(token: Range<Int>?)
    /// The bytes of a message, without line end, escape or frame header.
    case message(Range<Int>)
    /// The peer says who it is.
    indirect case hello(Hello)
    /// The peer says by which interval and bound the connection is watched.
    indirect case welcome(Welcome)
    /// The peer is about to close.
    indirect case goodbye(Goodbye)
    /// The peer reports an error; on `frames` only.
    indirect case error(ErrorReport)
}
