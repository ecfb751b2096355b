//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import Foundation
import Testing

@Suite struct ThreatModelTests {
    @Test("each test that the threat model names exists, and each threat names one")
    func namedTestsExist() throws {
        let model = try Project.file("THREAT_MODEL.md").text
        var named = 0
        for match in model.matches(of: /`((?:Tests|Scenarios)\/[^`]+)`/) {
            named += 1
            let path = Project.root.appending(path: String(match.output.1)).path
            #expect(FileManager.default.fileExists(atPath: path), "there is no \(match.output.1)")
        }
        #expect(named > 20)

        let threats = try #require(model.firstRange(of: "## What a peer could try"))
        let rows = model[threats.upperBound...].split(separator: "\n").filter { $0.hasPrefix("|") }.dropFirst(2)
        #expect(rows.count > 10)
        for row in rows {
            let shownBy = row.split(separator: "|").last { $0.contains(/\S/) } ?? ""
            #expect(shownBy.contains("`Tests/") || shownBy.contains("`Scenarios/"), "nothing shows: \(row)")
        }
    }
}
