//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore

/// Something that takes bytes from outside, with what must hold of it whatever the bytes are.
///
/// The same targets run as tests, from the kept corpus and seeded damage to it, and in `Fuzzing/`, where libFuzzer looks
/// for inputs that reach code which no other has reached.
enum FuzzTarget: String, CaseIterable, Sendable {
    /// The parser of bare tokens.
    case raw
    /// The parser of lines.
    case lines
    /// The parser of frames.
    case frames
    /// The reader of JSON.
    case json
    /// Durations as text.
    case durations
    /// Addresses and URLs.
    case addresses
    /// The writer of events.
    case events
    /// Policies, requirements and limits; what a client has learned and kept.
    case configuration
    /// What the command line reads itself: faults, targets of a probe, the events of others.
    case commands
    /// The answers of the kernel's socket diagnostics.
    case diagnostics
    /// What the kernel tells of one connection.
    case evidence

    /// Hands the bytes over.
    ///
    /// - Throws: ``FuzzFinding`` when something does not hold; what traps does not return.
    func run(_ bytes: [UInt8]) throws(FuzzFinding) {
        switch self {
        case .raw: try WireFuzzing.run(.raw, bytes)
        case .lines: try WireFuzzing.run(.lines, bytes)
        case .frames: try WireFuzzing.run(.frames, bytes)
        case .json: try JSONFuzzing.run(bytes)
        case .durations: try DurationFuzzing.run(bytes)
        case .addresses: try AddressFuzzing.run(bytes)
        case .events: try EventFuzzing.run(bytes)
        case .configuration: try ConfigurationFuzzing.run(bytes)
        case .commands: try CommandFuzzing.run(bytes)
        case .diagnostics: try DiagnosticsFuzzing.run(bytes)
        case .evidence: try EvidenceFuzzing.run(bytes)
        }
    }
}
