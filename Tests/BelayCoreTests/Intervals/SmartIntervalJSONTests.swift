//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Testing

@Suite("what was learned survives a restart, and hostile text does no harm")
struct SmartIntervalJSONTests {
    private static func problems(of json: String, _ configuration: SmartInterval.Configuration = .init()) -> [String] {
        do throws(ConfigurationError) {
            _ = try SmartInterval(configuration, json: Array(json.utf8))
            return []
        } catch {
            return error.problems.map(\.key)
        }
    }

    private static func document(_ networks: String...) -> String {
        #"{"version":1,"networks":["# + networks.joined(separator: ",") + "]}"
    }

    private static func restored(_ networks: String...) throws -> SmartInterval {
        let json = #"{"version":1,"networks":["# + networks.joined(separator: ",") + "]}"
        return try SmartInterval(Self.probing, json: Array(json.utf8))
    }

    private static let probing: SmartInterval.Configuration = {
        var configuration = SmartInterval.Configuration()
        configuration.probes = true
        return configuration
    }()

    private static let now = WallClock(millisecondsSince1970: 1_700_000_000_000)

    // MARK: - Kept

    @Test("each stage is restored as it was, and goes on as it would have")
    func roundTrip() throws {
        var generator = SplitMix64(seed: 3)
        var intervals = try SmartInterval(Self.probing)
        let labels = ["home", "caf\u{E9} \"5\" \\ \u{1}\u{0}", "\u{1F3E0}", String(repeating: "x", count: 128)]
        var now = Self.now
        for _ in 0..<2_000 {
            let label = labels[Int.random(in: 0..<labels.count, using: &generator)]
            let idle = intervals.inForce(on: label)
            now.millisecondsSince1970 += Int64.random(in: 0...50_000_000, using: &generator)
            if Int.random(in: 0..<10, using: &generator) < 8 {
                intervals.answered(on: label, idleFor: idle, at: now)
            } else {
                intervals.unanswered(on: label, idleFor: idle, at: now)
            }
            let restored = try SmartInterval(Self.probing, json: intervals.json)
            #expect(restored == intervals)
        }
    }

    @Test("the text is the one that is documented")
    func text() throws {
        var intervals = try SmartInterval(Self.probing)
        #expect(String(decoding: intervals.json, as: UTF8.self) == Self.document())
        for _ in 0..<3 { intervals.answered(on: "new", idleFor: .seconds(200), at: Self.now) }
        intervals.answered(on: "new", idleFor: .seconds(210), at: Self.now)
        for _ in 0..<2 {
            for _ in 0..<3 { intervals.answered(on: "home", idleFor: .seconds(200), at: Self.now) }
            intervals.unanswered(on: "home", idleFor: .seconds(210), at: Self.now)
        }
        intervals.answered(on: "away", idleFor: .seconds(200), at: Self.now)
        #expect(
            String(decoding: intervals.json, as: UTF8.self)
                == Self.document(
                    #"{"network":"new","stage":"trying","interval":"3m30s","answered":1,"unanswered":0}"#,
                    #"{"network":"home","stage":"learned","interval":"3m20s","since":1700000000000,"unanswered":0}"#,
                    #"{"network":"away","stage":"warmingUp","interval":"3m30s","answered":1,"unanswered":0}"#
                )
        )
    }

    @Test("the largest table there may be is restored too")
    func largest() throws {
        var configuration = Self.probing
        configuration.maximumNetworks = 1_000
        var intervals = try SmartInterval(configuration)
        for index in 0..<1_000 {
            let label = String(repeating: "\u{1}", count: 124) + "\(1_000 + index)"
            intervals.answered(on: label, idleFor: .seconds(200), at: Self.now)
        }
        #expect(intervals.json.count > 800_000)
        #expect(try SmartInterval(configuration, json: intervals.json) == intervals)
    }

    // MARK: - Brought into range

    @Test("intervals and counts out of range are brought into it")
    func clamped() throws {
        func learned(_ interval: String) throws -> Duration? {
            try Self.restored(
                #"{"network":"a","stage":"learned","interval":"\#(interval)","since":0,"unanswered":0}"#
            ).learned(on: "a")
        }
        #expect(try learned("0s") == .seconds(200))
        #expect(try learned("1us") == .seconds(200))
        #expect(try learned("209s") == .seconds(200))
        #expect(try learned("210s") == .seconds(210))
        #expect(try learned("580s") == .seconds(580))
        #expect(try learned("600s") == .seconds(580))
        #expect(try learned("1000000h") == .seconds(580))

        var trying = try Self.restored(
            #"{"network":"a","stage":"trying","interval":"1000000h","answered":1e300,"unanswered":-1e300}"#
        )
        #expect(trying.inForce(on: "a") == .seconds(600))
        trying.answered(on: "a", idleFor: .seconds(600), at: Self.now)
        #expect(trying.learned(on: "a") == .seconds(580), "four of the five answers were there")
        #expect(
            try Self.restored(
                #"{"network":"a","stage":"trying","interval":"1s","answered":-5,"unanswered":0.5}"#
            ).inForce(on: "a") == .seconds(210)
        )

        var warming = try Self.restored(
            #"{"network":"a","stage":"warmingUp","interval":"1000000h","answered":99,"unanswered":99}"#
        )
        #expect(warming.inForce(on: "a") == .seconds(200))
        warming.answered(on: "a", idleFor: .seconds(200), at: Self.now)
        #expect(warming.inForce(on: "a") == .seconds(600))
        warming.unanswered(on: "a", idleFor: .seconds(600), at: Self.now)
        #expect(warming.learned(on: "a") == .seconds(520))
    }

    @Test("a time in the future, before 1970 or beyond all numbers does not stop the weekly try for ever")
    func times() throws {
        for since in ["1e300", "-1e300", "9007199254740993", "1700000000000.5", "-1"] {
            var intervals = try Self.restored(
                #"{"network":"a","stage":"learned","interval":"370s","since":\#(since),"unanswered":0}"#
            )
            var now = Self.now
            intervals.answered(on: "a", idleFor: .seconds(370), at: now)
            now.millisecondsSince1970 += 7 * 86_400_000
            intervals.answered(on: "a", idleFor: intervals.inForce(on: "a"), at: now)
            #expect(intervals.inForce(on: "a") == .seconds(390), "\(since)")
        }
    }

    @Test(
        "of two networks with one label the later counts, of too many the first are forgotten, and the rest is ignored"
    )
    func networks() throws {
        func one(_ label: Int, _ interval: Int) -> String {
            #"{"network":"\#(label)","stage":"learned","interval":"\#(interval)s","since":0,"unanswered":0,"x":[{}]}"#
        }
        let twice = try Self.restored(one(1, 300), one(2, 310), one(1, 320))
        #expect(twice.learned(on: "1") == .seconds(320))
        #expect(twice.learned(on: "2") == .seconds(310))
        #expect(twice.forgotten == 0)
        let many = try SmartInterval(
            json: Array(Self.document((0..<40).map { one($0, 300) }.joined(separator: ",")).utf8)
        )
        #expect(many.forgotten == 8)
        #expect(many.learned(on: "7") == nil)
        #expect(many.learned(on: "8") == .seconds(300))
        #expect(
            Self.problems(of: Self.document((0..<1_001).map { one($0, 300) }.joined(separator: ","))) == ["networks"]
        )
    }

    // MARK: - Refused

    @Test("what cannot be brought into range is refused, with every key")
    func refused() {
        let rows: [(String, [String])] = [
            ("", ["json"]),
            ("{", ["json"]),
            ("[]", ["json"]),
            ("null", ["json"]),
            (String(repeating: "[", count: 100_000), ["json"]),
            (#"{"version":1,"networks":[]}"# + String(repeating: " ", count: 1 << 20), ["json"]),
            ("{}", ["version"]),
            (#"{"version":0,"networks":[]}"#, ["version"]),
            (#"{"version":2,"networks":[]}"#, ["version"]),
            (#"{"version":"1","networks":[]}"#, ["version"]),
            (#"{"version":1}"#, ["networks"]),
            (#"{"version":1,"networks":{}}"#, ["networks"]),
            (
                Self.document("7"), ["networks[0].network", "networks[0].stage", "networks[0].unanswered"]
            ),
            (
                Self.document(#"{"network":"","stage":"stable","unanswered":true}"#),
                ["networks[0].network", "networks[0].stage", "networks[0].unanswered"]
            ),
            (
                Self.document(
                    #"{"network":"a","stage":"warmingUp","interval":"210s","answered":0,"unanswered":0}"#,
                    #"{"network":"\#(String(repeating: "x", count: 129))","stage":"trying","unanswered":0}"#,
                    #"{"network":"b","stage":"learned","interval":"-5s","since":null,"unanswered":0}"#
                ),
                [
                    "networks[1].network", "networks[1].answered", "networks[1].interval", "networks[2].since",
                    "networks[2].interval",
                ]
            ),
        ]
        for (json, keys) in rows {
            #expect(Self.problems(of: json) == keys, "\(json.prefix(80))")
        }
    }

    @Test("a bad configuration is reported before the text")
    func configurationFirst() {
        var configuration = SmartInterval.Configuration()
        configuration.warmUps = 0
        configuration.successesPerStep = -1
        configuration.failuresToConclude = 0
        #expect(
            Self.problems(of: "{", configuration) == ["successesPerStep", "warmUps", "failuresToConclude"]
        )
    }

    @Test("no change of a byte or two of a good text does harm")
    func mutations() throws {
        let good = Array(
            Self.document(
                #"{"network":"home","stage":"learned","interval":"9m40s","since":1700000000000,"unanswered":0}"#,
                #"{"network":"new","stage":"trying","interval":"3m30s","answered":1,"unanswered":0}"#
            ).utf8
        )
        #expect(throws: Never.self) { try SmartInterval(json: good) }
        var generator = SplitMix64(seed: 5)
        var refused = 0
        for _ in 0..<20_000 {
            var bytes = good
            for _ in 0..<Int.random(in: 1...2, using: &generator) {
                let index = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes[index] = UInt8.random(in: 0...255, using: &generator)
                case 1: bytes.remove(at: index)
                default: bytes.insert(UInt8.random(in: 0x20...0x7E, using: &generator), at: index)
                }
            }
            do throws(ConfigurationError) {
                let intervals = try SmartInterval(Self.probing, json: bytes)
                for label in ["home", "new"] {
                    #expect((.seconds(200) ... .seconds(600)).contains(intervals.inForce(on: label)))
                }
            } catch {
                refused += 1
                #expect(!error.problems.isEmpty)
            }
        }
        #expect(refused > 5_000 && refused < 20_000)
    }
}
