//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Testing

@testable import belay

@Suite("faults of a swarm as they are written")
struct SwarmFaultTests {
    @Test("kind, share, time and spread are read", arguments: ["silence=2.5%@10s+500ms", "silence=2.5@10s+500ms"])
    func whole(text: String) throws {
        let fault = try SwarmFault(text: text)
        #expect(fault.kind == .silence)
        #expect(fault.percent == 2.5)
        #expect(fault.at == .seconds(10))
        #expect(fault.spread == .milliseconds(500))
        #expect(fault.end == .milliseconds(10_500))
    }

    @Test("each kind has a name", arguments: SwarmFault.Kind.allCases.filter { $0 != .freeze })
    func kinds(kind: SwarmFault.Kind) throws {
        let fault = try SwarmFault(text: "\(kind.rawValue)=100@0s")
        #expect(fault.kind == kind)
        #expect(fault.spread == .zero && fault.lasts == .zero)
    }

    @Test("a freeze has a length in place of a share")
    func freeze() throws {
        let fault = try SwarmFault(text: "freeze=3s@10s")
        #expect(fault.lasts == .seconds(3))
        #expect(fault.end == .seconds(13))
    }

    @Test(
        "what is wrong is refused in one line that names it",
        arguments: [
            ("", "is no fault"), ("silence", "is no fault"), ("silence=5%", "is no fault"), ("@=", "is no fault"),
            ("sleep=5%@1s", "is no kind of fault"), ("silence=0@1s", "PERCENT of silence"),
            ("silence=101%@1s", "above 0 to 100"), ("silence=nan@1s", "PERCENT"),
            ("silence=5%@soon", "TIME of silence"),
            ("silence=5%@1s+x", "SPREAD of silence"), ("silence=5%@1s+1s+1s", "is no fault"),
            ("silence=5%@25h", "0s to 24h"),
            ("freeze=5%@1s", "D of freeze"), ("freeze=0s@1s", "1ms to 1h"), ("freeze=2h@1s", "1ms to 1h"),
            ("freeze=1s@1s+1s", "no SPREAD"), ("sil\u{1B}ence=5%@1s", "is no kind"),
        ]
    )
    func refused(text: String, why: String) {
        let error = #expect(throws: SwarmFault.ParseError.self) { try SwarmFault(text: text) }
        #expect(error?.description.contains(why) == true, "\(error?.description ?? "")")
        #expect(error?.description.contains { $0.isNewline || $0 == "\u{1B}" } == false)
    }

    @Test("raw has no goodbye and no bytes that break it")
    func onRaw() throws {
        for kind in SwarmFault.Kind.allCases where kind != .freeze {
            let fault = try SwarmFault(text: "\(kind.rawValue)=1@0s")
            #expect(fault.isPossible(on: .raw) == (kind != .bye && kind != .babble))
            #expect(fault.isPossible(on: .lines) && fault.isPossible(on: .frames))
        }
    }
}
