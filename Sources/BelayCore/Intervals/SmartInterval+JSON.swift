//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

extension SmartInterval {
    /// The form of ``json``.
    private static let version = 1
    /// More than ``json`` has with as many and as long labels as there may be.
    private static let maximumSize = 1 << 20
    /// Up to here numbers in JSON are exact (RFC 7493 section 2.2).
    fileprivate static let exactIntegers = 0...(1 << 53) - 1

    /// What is learned of each network, as one JSON object in UTF-8; ``init(_:json:)`` restores it.
    ///
    /// `{"version":1,"networks":[{"network":"home","stage":"learned","interval":"9m40s","since":0,"unanswered":0}]}`.
    /// The stage is `learned`, `trying`, or `warmingUp` with the interval that is tried next; these two have `answered`
    /// in place of `since`. The network used least recently comes first. ``forgotten`` is not kept.
    public var json: [UInt8] {
        var json = JSONWriter()
        json.beginObject()
        json.key("version")
        json.integer(Self.version)
        json.key("networks")
        json.beginArray()
        for network in self.networks {
            json.beginObject()
            json.key("network")
            json.string(network.label)
            network.lesson.write(to: &json)
            json.endObject()
        }
        json.endArray()
        json.endObject()
        return json.bytes
    }

    /// Restores what was learned.
    ///
    /// Nothing in it is trusted. Numbers and intervals out of range are brought into it, since the configuration may
    /// have changed meanwhile; of two networks with one label the later counts; of too many the first are forgotten.
    ///
    /// - Parameters:
    ///   - configuration: how to learn from here on.
    ///   - json: what ``json`` gave, at most 1 MiB.
    /// - Throws: ``ConfigurationError`` with every problem of the configuration, or else with every problem of the
    ///   text, each with its key, such as `networks[2].interval`.
    public init(_ configuration: Configuration = Configuration(), json: [UInt8]) throws(ConfigurationError) {
        try configuration.validate()
        var problems = ProblemCollector()
        let networks = Self.networks(of: json, configuration, &problems)
        try problems.throwIfAny()
        try self.init(configuration, networks: networks)
    }

    private static func networks(
        of json: [UInt8],
        _ configuration: Configuration,
        _ problems: inout ProblemCollector
    ) -> [Network] {
        let document: JSONValue
        do {
            document = try JSONReader(maximumSize: Self.maximumSize).read(json.span.bytes)
        } catch {
            problems.report("json", "cannot be read: \(error)")
            return []
        }
        guard case .object(let members) = document else {
            problems.report("json", "is not an object")
            return []
        }
        guard members["version"] == .number(Double(Self.version)) else {
            problems.report("version", "is missing or not \(Self.version)")
            return []
        }
        guard case .array(let elements) = members["networks"] else {
            problems.report("networks", "is missing or not an array")
            return []
        }
        guard elements.count <= Configuration.networkCounts.upperBound else {
            problems.check("networks", elements.count, in: 0...Configuration.networkCounts.upperBound)
            return []
        }
        return elements.enumerated().compactMap { index, element in
            var reader = MemberReader(element, path: "networks[\(index)]")
            let label = reader.text("network")
            if let label, !Self.isLabel(label) {
                reader.report("network", "has \(label.utf8.count) bytes, allowed are 1 to 128")
            }
            let lesson = IntervalLesson(configuration, &reader)
            problems.absorb(reader.problems.throwIfAny)
            return label.flatMap { label in lesson.map { Network(label: label, lesson: $0) } }
        }
    }
}

extension IntervalLesson {
    fileprivate func write(to json: inout JSONWriter) {
        json.key("stage")
        switch self.stage {
        case .warmingUp(let answered, let next):
            json.string("warmingUp")
            json.key("interval")
            json.string(next.text)
            json.key("answered")
            json.integer(answered)
        case .trying(let interval, let answered):
            json.string("trying")
            json.key("interval")
            json.string(interval.text)
            json.key("answered")
            json.integer(answered)
        case .learned(let interval, let since):
            json.string("learned")
            json.key("interval")
            json.string(interval.text)
            json.key("since")
            json.integer(since.millisecondsSince1970)
        }
        json.key("unanswered")
        json.integer(self.unanswered)
    }

    /// What was written, within the ranges of the configuration; nil when there is a problem.
    fileprivate init?(_ configuration: Configuration, _ reader: inout MemberReader) {
        self.init(configuration)
        let tried = configuration.shortest...configuration.longest
        switch reader.text("stage") {
        case "warmingUp":
            let answered = reader.integer("answered", within: 0...(configuration.warmUps - 1))
            guard let next = reader.duration("interval"), let answered else { break }
            self.stage = .warmingUp(answered: answered, next: next.within(tried))
        case "trying":
            let answered = reader.integer("answered", within: 0...(configuration.successesPerStep - 1))
            guard let interval = reader.duration("interval"), let answered else { break }
            self.stage = .trying(interval.within(tried), answered: answered)
        case "learned":
            let since = reader.integer("since", within: SmartInterval.exactIntegers)
            guard let interval = reader.duration("interval"), let since else { break }
            // What is shorter than all that is tried was left when nothing held.
            let learned =
                interval < configuration.shortest
                ? configuration.unlearned : min(interval, configuration.longest - configuration.backOff)
            self.stage = .learned(learned, since: WallClock(millisecondsSince1970: Int64(since)))
        case .some:
            reader.report("stage", "is not warmingUp, trying or learned")
        case nil:
            break
        }
        let unanswered = reader.integer("unanswered", within: 0...(configuration.failuresToConclude - 1))
        guard let unanswered, !reader.hasProblems else { return nil }
        self.unanswered = unanswered
    }
}

extension Duration {
    fileprivate func within(_ range: ClosedRange<Duration>) -> Duration {
        min(max(self, range.lowerBound), range.upperBound)
    }
}

/// Reads the members of one object, and reports those that are missing or of another kind.
private struct MemberReader {
    private(set) var problems = ProblemCollector()
    private(set) var hasProblems = false
    private let path: String
    private let members: [String: JSONValue]

    init(_ value: JSONValue, path: String) {
        self.path = path
        if case .object(let members) = value { self.members = members } else { self.members = [:] }
    }

    mutating func report(_ key: String, _ message: String) {
        self.problems.report("\(self.path).\(key)", message)
        self.hasProblems = true
    }

    mutating func text(_ key: String) -> String? {
        if case .string(let text) = self.members[key] { return text }
        self.report(key, "is missing or not a string")
        return nil
    }

    mutating func duration(_ key: String) -> Duration? {
        guard let text = self.text(key) else { return nil }
        if let duration = Duration(text: text) { return duration }
        self.report(key, "is not a duration such as 3m30s")
        return nil
    }

    /// The number brought into the range, without what follows its point.
    mutating func integer(_ key: String, within range: ClosedRange<Int>) -> Int? {
        if case .number(let number) = self.members[key] {
            return Int(min(max(number, Double(range.lowerBound)), Double(range.upperBound)))
        }
        self.report(key, "is missing or not a number")
        return nil
    }
}
