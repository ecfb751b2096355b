//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

// A member of an object in one call: what is nil is written as null.
extension JSONWriter {
    /// Writes a text.
    public mutating func field(_ name: String, _ value: String?) {
        self.key(name)
        if let value { self.string(value) } else { self.null() }
    }

    /// Writes a whole number.
    public mutating func field(_ name: String, _ value: (some FixedWidthInteger)?) {
        self.key(name)
        if let value { self.integer(value) } else { self.null() }
    }

    /// Writes a number rounded to three decimals.
    public mutating func field(_ name: String, _ value: Double?) {
        self.key(name)
        if let value { self.decimal(value) } else { self.null() }
    }

    /// Writes `true` or `false`.
    public mutating func field(_ name: String, _ value: Bool?) {
        self.key(name)
        if let value { self.boolean(value) } else { self.null() }
    }

    /// Writes a time in milliseconds, rounded to three decimals; the name should say so.
    public mutating func field(_ name: String, _ value: Duration?) {
        self.field(name, value?.milliseconds)
    }
}
