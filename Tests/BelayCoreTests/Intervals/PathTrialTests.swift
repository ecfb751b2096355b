//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Testing

@Suite struct PathTrialTests {
    @Test("the path was idle from the last answer to the ping, if no other byte crossed it")
    func idle() {
        var trial = PathTrial()
        trial.pinging(bytes: 0, at: .at(1))
        #expect(trial.answered(bytes: 40, at: .at(2)) == nil)
        trial.pinging(bytes: 40, at: .at(212))
        #expect(trial.answered(bytes: 80, at: .at(212.5)) == .seconds(210))
        // A message in between.
        trial.pinging(bytes: 90, at: .at(422.5))
        #expect(trial.answered(bytes: 130, at: .at(423)) == nil)
    }

    @Test("a ping that is sent while another one is unanswered is no trial of its own")
    func repeated() {
        var trial = PathTrial()
        trial.crossed(bytes: 10, at: .at(0))
        trial.pinging(bytes: 10, at: .at(210))
        trial.pinging(bytes: 20, at: .at(217))
        #expect(trial.answered(bytes: 40, at: .at(218)) == .seconds(210))
    }

    @Test(
        "an end for want of an answer tells of the path, another one does not",
        arguments: DisconnectReason.Code.allCases
    )
    func end(code: DisconnectReason.Code) {
        var trial = PathTrial()
        trial.crossed(bytes: 10, at: .at(0))
        #expect(trial.ended(code) == nil)
        trial.pinging(bytes: 10, at: .at(210))
        let tells: Set<DisconnectReason.Code> = [.peerSilent, .pathLost, .pathTimedOut, .peerReset]
        #expect(trial.ended(code) == (tells.contains(code) ? .seconds(210) : nil))
    }
}
