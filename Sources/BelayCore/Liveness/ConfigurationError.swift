//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// Everything that is wrong with a configuration, reported at once.
public struct ConfigurationError: Error, Hashable, Sendable {
    /// One thing that is wrong.
    public struct Problem: Hashable, Sendable {
        /// The property's name, such as `detectWithin`.
        public var key: String
        /// What is wrong and what is allowed, in one line, without the key.
        public var message: String

        /// A problem with the property `key`.
        public init(key: String, message: String) {
            self.key = key
            self.message = message
        }
    }

    /// The problems in the order of the properties; never empty.
    public var problems: [Problem]

    /// An error that reports these problems.
    public init(problems: [Problem]) {
        self.problems = problems
    }
}

extension ConfigurationError: CustomStringConvertible {
    /// All problems in one line, separated by semicolons.
    public var description: String {
        self.problems.map { "\($0.key) \($0.message)" }.joined(separator: "; ")
    }
}

/// Collects problems while a configuration is checked, so that all of them are reported together.
package struct ProblemCollector {
    private var problems: [ConfigurationError.Problem] = []

    package init() {}

    package mutating func report(_ key: String, _ message: String) {
        self.problems.append(.init(key: key, message: message))
    }

    package mutating func check(_ key: String, _ duration: Duration?, in range: ClosedRange<Duration>) {
        guard let duration, !range.contains(duration) else { return }
        self.report(key, "is \(duration.text), allowed are \(range.lowerBound.text) to \(range.upperBound.text)")
    }

    package mutating func check(_ key: String, _ value: Int?, in range: ClosedRange<Int>) {
        guard let value, !range.contains(value) else { return }
        self.report(key, "is \(value), allowed are \(range.lowerBound) to \(range.upperBound)")
    }

    /// Takes over the problems of a part.
    package mutating func absorb(_ validate: () throws(ConfigurationError) -> Void) {
        do throws(ConfigurationError) { try validate() } catch { self.problems += error.problems }
    }

    package func throwIfAny() throws(ConfigurationError) {
        guard self.problems.isEmpty else { throw ConfigurationError(problems: self.problems) }
    }
}
