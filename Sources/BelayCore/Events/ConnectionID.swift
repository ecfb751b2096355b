//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// The name of one connection, never used again: not by this process, nor by another one or a later one.
///
/// Written as `c-` NONCE `-` NUMBER: the nonce is drawn once per process, the number counts its connections.
public struct ConnectionID: Hashable, Sendable {
    /// What tells this process from every other; 64 random bits.
    public var nonce: UInt64
    /// The connection's number in this process, from 1.
    public var number: UInt64

    /// An identifier of the connection `number` of the process with this nonce.
    public init(nonce: UInt64, number: UInt64) {
        self.nonce = nonce
        self.number = number
    }
}

extension ConnectionID: CustomStringConvertible {
    /// The identifier as text, 17 characters or more.
    public var description: String {
        "c-\(CrockfordBase32.text(self.nonce, characters: 13))-\(self.number)"
    }
}

/// Crockford's base 32 (crockford.com/base32.html): digits and capital letters without I, L, O and U.
enum CrockfordBase32 {
    private static let digits = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)

    /// The low 5 x `characters` bits of `value`, most significant first.
    static func text(_ value: UInt64, characters: Int) -> String {
        String(unsafeUninitializedCapacity: characters) { buffer in
            for position in 0..<characters {
                buffer[position] =
                    Self.digits[Int(truncatingIfNeeded: value >> UInt64(5 * (characters - 1 - position))) & 31]
            }
            return characters
        }
    }
}

/// Makes identifiers of events: ULIDs (github.com/ulid/spec), which sort by time.
public enum EventID {
    /// A new identifier.
    ///
    /// - Parameters:
    ///   - wallClock: when the event happened.
    ///   - generator: the source of its 80 random bits.
    /// - Returns: 26 characters.
    public static func make(at wallClock: WallClock, using generator: inout some RandomNumberGenerator) -> String {
        let milliseconds = UInt64(max(0, wallClock.millisecondsSince1970)) & 0xFFFF_FFFF_FFFF
        return CrockfordBase32.text(milliseconds, characters: 10)
            + CrockfordBase32.text(generator.next(), characters: 8)
            + CrockfordBase32.text(generator.next(), characters: 8)
    }
}
