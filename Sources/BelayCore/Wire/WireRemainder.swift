//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// What the end of the stream leaves behind the last whole element.
public enum WireRemainder: Equatable, Sendable {
    /// The stream ended with a whole element.
    case nothing
    /// The bytes in the range, offsets into those parsed, are a last message; on `raw` only.
    case message(Range<Int>)
    /// The stream ended within a line or frame, of which this many bytes had come.
    case unfinished(byteCount: Int)
}
