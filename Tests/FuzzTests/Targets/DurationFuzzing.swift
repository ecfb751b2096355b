//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

@testable import BelayCore

/// Reads a duration twice, and writes it and others as text.
enum DurationFuzzing {
    static func run(_ bytes: [UInt8]) throws(FuzzFinding) {
        let text = String(decoding: bytes, as: UTF8.self)
        let obvious = ObviousText.duration(Array(text.utf8))
        let duration = Duration(text: text)
        try mustHold(
            duration == obvious,
            "'\(text)' is \(String(describing: duration)), not \(String(describing: obvious))"
        )
        if let duration { try Self.writeAndRead(duration) }
        var input = FuzzBytes(bytes)
        try Self.writeAndRead(input.duration())
    }

    private static func writeAndRead(_ duration: Duration) throws(FuzzFinding) {
        let text = duration.text
        let again = Duration(text: text)
        guard duration >= .zero, duration <= .longestText else { return }
        guard let again else { throw FuzzFinding(description: "'\(text)' cannot be read back") }
        let difference = (again - duration).attoseconds.magnitude
        try mustHold(difference <= 500_000_000_000, "\(duration) is \(again) when it comes back")
        try mustHold(again.text == text, "'\(text)' is '\(again.text)' when it comes back")
    }
}
