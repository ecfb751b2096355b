//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

public import BelayCore
public import NIOCore

extension ByteBuffer: ByteSink {
    /// Adds one byte at the end.
    public mutating func append(_ byte: UInt8) {
        self.writeInteger(byte)
    }

    /// Adds bytes at the end.
    public mutating func append(_ bytes: RawSpan) {
        bytes.withUnsafeBytes { _ = self.writeBytes($0) }
    }
}
