//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

extension UnsafeRawBufferPointer {
    /// The value at this place, which need not be aligned; nil where the bytes do not reach.
    func value<Value: BitwiseCopyable>(at offset: Int, as type: Value.Type) -> Value? {
        guard offset >= 0, offset <= self.count, self.count - offset >= MemoryLayout<Value>.size else { return nil }
        return self.loadUnaligned(fromByteOffset: offset, as: type)
    }

    /// The bytes from here to there, cut to what there is.
    func part(from start: Int, to end: Int) -> UnsafeRawBufferPointer {
        let start = Swift.min(Swift.max(0, start), self.count)
        return UnsafeRawBufferPointer(rebasing: self[start..<Swift.min(Swift.max(start, end), self.count)])
    }
}
