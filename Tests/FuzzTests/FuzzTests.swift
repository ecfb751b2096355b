//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import Foundation
import Testing

@Suite("what comes from outside")
struct FuzzTests {
    /// The kept inputs of a target, by name.
    private static func corpus(_ target: FuzzTarget) throws -> [(name: String, bytes: [UInt8])] {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let folder = root.appending(path: "Fuzzing/Corpus/\(target.rawValue)")
        return try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            .sorted { $0.lastPathComponent < $1.lastPathComponent }
            .map { ($0.lastPathComponent, Array(try Data(contentsOf: $0))) }
    }

    @Test("holds for every input that is kept", arguments: FuzzTarget.allCases)
    func corpus(target: FuzzTarget) throws {
        let corpus = try Self.corpus(target)
        #expect(!corpus.isEmpty)
        for (name, bytes) in corpus {
            do { try target.run(bytes) } catch { Issue.record("\(target) \(name): \(error)") }
        }
    }

    /// A number above zero that the environment gives, or else this one.
    private static func number(_ name: String, otherwise number: UInt64) throws -> UInt64 {
        guard let text = ProcessInfo.processInfo.environment[name] else { return number }
        let given = UInt64(text).flatMap { $0 > 0 ? $0 : nil }
        return try #require(given, "\(name) is '\(text)', allowed are whole numbers from 1 on")
    }

    /// FUZZ_ROUNDS says how often each seed does damage, FUZZ_SEED which is the first of the two.
    @Test("holds for seeded damage to what is kept", arguments: FuzzTarget.allCases, [0, 1] as [UInt64])
    func damage(target: FuzzTarget, beyondFirst: UInt64) throws {
        let rounds = try Self.number("FUZZ_ROUNDS", otherwise: 300)
        let seed = try Self.number("FUZZ_SEED", otherwise: 1) &+ beyondFirst
        let corpus = try Self.corpus(target).map(\.bytes)
        var mutation = Mutation(seed: seed)
        for round in 0..<rounds {
            let bytes = mutation.next(of: corpus)
            do { try target.run(bytes) } catch {
                Issue.record(
                    "\(target), seed \(seed), round \(round): \(error), input \(Data(bytes).base64EncodedString())"
                )
                return
            }
        }
    }
}
