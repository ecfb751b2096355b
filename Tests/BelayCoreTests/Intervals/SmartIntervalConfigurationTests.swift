//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Testing

@Suite("validate() reports everything that is wrong with how intervals are learned")
struct SmartIntervalConfigurationTests {
    private static func keys(_ change: (inout SmartInterval.Configuration) -> Void) -> [String] {
        var configuration = SmartInterval.Configuration()
        change(&configuration)
        do throws(ConfigurationError) {
            try configuration.validate()
            return []
        } catch {
            return error.problems.map(\.key)
        }
    }

    @Test("the defaults are allowed, and do not probe")
    func defaults() {
        #expect(Self.keys { _ in } == [])
        #expect(!SmartInterval.Configuration().probes)
    }

    @Test("each value has a range")
    func ranges() {
        #expect(Self.keys { $0.unlearned = .milliseconds(999) } == ["unlearned"])
        #expect(Self.keys { $0.unlearned = .seconds(1) } == [])
        #expect(Self.keys { $0.unlearned = .seconds(210) } == [])
        #expect(Self.keys { $0.unlearned = .seconds(211) } == ["unlearned"])
        #expect(Self.keys { $0.shortest = .zero } == ["shortest", "unlearned"])
        #expect(Self.keys { $0.shortest = .seconds(580) } == [])
        #expect(Self.keys { $0.shortest = .seconds(581) } == ["longest"])
        #expect(Self.keys { $0.longest = .seconds(86_400) } == [])
        #expect(Self.keys { $0.longest = .seconds(86_401) } == ["longest"])
        #expect(Self.keys { $0.step = .milliseconds(999) } == ["step"])
        #expect(Self.keys { $0.step = .seconds(86_400) } == [])
        #expect(Self.keys { $0.backOff = .zero } == ["backOff"])
        #expect(Self.keys { $0.backOff = .seconds(390) } == [])
        #expect(Self.keys { $0.backOff = .seconds(391) } == ["longest"])
        #expect(Self.keys { $0.probeAgainAfter = .seconds(3_599) } == ["probeAgainAfter"])
        #expect(Self.keys { $0.probeAgainAfter = .seconds(366 * 86_400) } == [])
        for (count, isAllowed) in [(0, false), (1, true), (100, true), (101, false)] {
            #expect(Self.keys { $0.successesPerStep = count } == (isAllowed ? [] : ["successesPerStep"]))
            #expect(Self.keys { $0.warmUps = count } == (isAllowed ? [] : ["warmUps"]))
            #expect(Self.keys { $0.failuresToConclude = count } == (isAllowed ? [] : ["failuresToConclude"]))
        }
        for (count, isAllowed) in [(0, false), (1, true), (1_000, true), (1_001, false)] {
            #expect(Self.keys { $0.maximumNetworks = count } == (isAllowed ? [] : ["maximumNetworks"]))
        }
    }

    @Test("everything is reported at once, and no value is too large to be")
    func allAtOnce() {
        for extreme in [Duration(attoseconds: .max), Duration(attoseconds: .min)] {
            let keys = Self.keys {
                $0.unlearned = extreme
                $0.shortest = extreme
                $0.longest = extreme
                $0.step = extreme
                $0.backOff = extreme
                $0.probeAgainAfter = extreme
                $0.successesPerStep = .min
                $0.warmUps = .max
                $0.failuresToConclude = .min
                $0.maximumNetworks = .max
            }
            #expect(
                keys == [
                    "unlearned", "shortest", "longest", "step", "backOff", "successesPerStep", "warmUps",
                    "failuresToConclude", "probeAgainAfter", "maximumNetworks",
                ]
            )
            #expect(Self.keys { $0.backOff = extreme } == ["backOff"])
        }
    }

    @Test("nothing learns with a configuration that is not allowed")
    func refused() {
        var configuration = SmartInterval.Configuration()
        configuration.maximumNetworks = 0
        #expect(throws: ConfigurationError.self) { try SmartInterval(configuration) }
    }
}
