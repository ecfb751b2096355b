//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore

/// The wire formats read slowly, from all bytes at once, by what DESIGN section 6 says of them.
struct ObviousWire {
    /// Why a stream is over.
    enum Violation: Equatable {
        case broken
        case tooLarge(size: UInt64)
    }

    private(set) var readings: [FuzzReading] = []
    private(set) var violation: Violation?
    /// What is left behind the last whole element.
    private(set) var unfinished: [UInt8] = []

    // MARK: Lines

    static func lines(_ bytes: [UInt8], limit: Int) -> ObviousWire {
        var wire = ObviousWire()
        var lines = ObviousText.split(bytes, at: 0x0A)
        wire.unfinished = lines.removeLast()
        for line in lines {
            let line = line.last == 0x0D ? Array(line.dropLast()) : line
            guard line.count <= limit else {
                wire.violation = .tooLarge(size: UInt64(limit) + 1)
                return wire
            }
            guard let reading = Self.reading(ofLine: line) else {
                wire.violation = .broken
                return wire
            }
            wire.readings.append(reading)
        }
        let mayBeWhole = wire.unfinished.last == 0x0D ? wire.unfinished.count - 1 : wire.unfinished.count
        if mayBeWhole > limit { wire.violation = .tooLarge(size: UInt64(limit) + 1) }
        return wire
    }

    /// Nil for what breaks the protocol.
    private static func reading(ofLine line: [UInt8]) -> FuzzReading? {
        guard ObviousText.isText(line), !line.contains(0) else { return nil }
        let words = ObviousText.split(line, at: 0x20)
        let verb = String(decoding: words[0], as: UTF8.self)
        if verb == "ping" || verb == "pong", words.count <= 2 {
            let token = words.count == 2 ? words[1] : nil
            let isToken = token.map { (1...64).contains($0.count) && $0.allSatisfy { (0x21...0x7E).contains($0) } }
            if isToken != false { return verb == "ping" ? .ping(token) : .pong(token) }
        }
        if verb == "bye", words.count == 1 { return .goodbye(Goodbye()) }
        if verb == "bye", words.count == 2, ObviousText.isCode(words[1]) {
            return .goodbye(Goodbye(code: String(decoding: words[1], as: UTF8.self)))
        }
        if verb == "hello" || verb == "welcome", words.count >= 2, ObviousText.isIdentity(words[1]),
            let keys = Self.keys(words.dropFirst(2))
        {
            let name = String(decoding: words[1], as: UTF8.self)
            if verb == "hello" { return Self.hello(name, keys) }
            if let epoch = keys["epoch"], let every = keys["every"], let within = keys["within"] {
                guard let epoch = ObviousText.number(epoch), let every = ObviousText.duration(every),
                    let within = ObviousText.duration(within)
                else { return nil }
                return .welcome(Welcome(connection: name, epoch: epoch, every: every, within: within))
            }
        }
        return .message(line.first == UInt8(ascii: "\\") ? Array(line.dropFirst()) : line)
    }

    private static func hello(_ name: String, _ keys: [String: [UInt8]]) -> FuzzReading? {
        let every = keys["every"].map { ObviousText.duration($0) }
        let within = keys["within"].map { ObviousText.duration($0) }
        guard keys["token"] != [], every != .some(nil), within != .some(nil) else { return nil }
        let token = keys["token"].map { String(decoding: $0, as: UTF8.self) }
        return .hello(Hello(identity: name, token: token, every: every ?? nil, within: within ?? nil))
    }

    /// The words `key=value`, or nil when one of them has another form.
    private static func keys(_ words: ArraySlice<[UInt8]>) -> [String: [UInt8]]? {
        var keys: [String: [UInt8]] = [:]
        for word in words {
            let parts = ObviousText.split(word, at: UInt8(ascii: "="))
            guard ObviousText.isWord(word), parts.count >= 2, !parts[0].isEmpty else { return nil }
            // Bytes that are equal, not characters that look so.
            let known = ["token", "epoch", "every", "within"].first { Array($0.utf8) == parts[0] }
            if let known { keys[known] = Array(word.dropFirst(parts[0].count + 1)) }
        }
        return keys
    }

    // MARK: Frames

    static func frames(_ bytes: [UInt8], limit: Int) -> ObviousWire {
        var wire = ObviousWire()
        var rest = bytes
        while rest.count >= 4 {
            let length = rest[..<4].reduce(UInt64(0)) { $0 * 256 + UInt64($1) }
            if length == 0 { wire.violation = .broken }
            if length > UInt64(limit) + 1 { wire.violation = .tooLarge(size: length - 1) }
            guard wire.violation == nil, rest.count >= 5 else { break }
            let type = rest[4]
            if type > 6 || (type == 1 || type == 2) && length != 9 { wire.violation = .broken }
            if (3...6).contains(type), length > 8_193 { wire.violation = .tooLarge(size: length - 1) }
            guard wire.violation == nil, UInt64(rest.count) >= 4 + length else { break }
            guard let reading = Self.reading(ofFrame: type, Array(rest[5..<4 + Int(length)])) else {
                wire.violation = .broken
                break
            }
            wire.readings.append(reading)
            rest.removeFirst(4 + Int(length))
        }
        wire.unfinished = rest
        return wire
    }

    private static func reading(ofFrame type: UInt8, _ payload: [UInt8]) -> FuzzReading? {
        switch type {
        case 0: return .message(payload)
        case 1: return .ping(payload)
        case 2: return .pong(payload)
        case 5 where payload.isEmpty: return .goodbye(Goodbye())
        default: break
        }
        guard case .object(let members)? = ObviousJSON.read(payload), let texts = Self.texts(of: type, members) else {
            return nil
        }
        let every = texts["every"].map { ObviousText.duration(Array($0.utf8)) }
        let within = texts["within"].map { ObviousText.duration(Array($0.utf8)) }
        let retryAfter = texts["retryAfter"].map { ObviousText.duration(Array($0.utf8)) }
        let isCode = texts["code"].map { ObviousText.isCode(Array($0.utf8)) }
        switch type {
        case 3:
            guard let name = texts["id"], ObviousText.isIdentity(Array(name.utf8)), every != .some(nil),
                within != .some(nil), texts["token"].map({ ObviousText.isWord(Array($0.utf8)) }) != false
            else { return nil }
            return .hello(Hello(identity: name, token: texts["token"], every: every ?? nil, within: within ?? nil))
        case 4:
            guard let name = texts["connection"], ObviousText.isIdentity(Array(name.utf8)), let every = every ?? nil,
                let within = within ?? nil, case .number(let number)? = members["epoch"], number >= 0,
                number <= 9_007_199_254_740_991, number.rounded() == number
            else { return nil }
            return .welcome(Welcome(connection: name, epoch: UInt64(number), every: every, within: within))
        case 5:
            guard isCode != false, retryAfter != .some(nil) else { return nil }
            return .goodbye(Goodbye(code: texts["code"], retryAfter: retryAfter ?? nil))
        default:
            guard isCode == true, let code = texts["code"], let message = texts["message"] else { return nil }
            return .error(ErrorReport(code: code, message: message))
        }
    }

    /// The members of a frame that must be text; null is as good as none, and nil is returned for anything else.
    private static func texts(of type: UInt8, _ members: [String: JSONValue]) -> [String: String]? {
        let names =
            switch type {
            case 3: ["id", "token", "every", "within"]
            case 4: ["connection", "every", "within"]
            case 5: ["code", "retryAfter"]
            default: ["code", "message"]
            }
        var texts: [String: String] = [:]
        for name in names {
            switch members[name] {
            case nil, .null: continue
            case .string(let text): texts[name] = text
            default: return nil
            }
        }
        return texts
    }

    // MARK: Raw

    /// What each of these reads brings.
    static func raw(_ pieces: [[UInt8]]) -> ObviousWire {
        var wire = ObviousWire()
        for piece in pieces {
            var rest = wire.unfinished + piece
            while !rest.isEmpty {
                if rest.starts(with: "ping".utf8) {
                    wire.readings.append(.ping(nil))
                    rest.removeFirst(4)
                } else if rest.starts(with: "pong".utf8) {
                    wire.readings.append(.pong(nil))
                    rest.removeFirst(4)
                } else if "ping".utf8.starts(with: rest) || "pong".utf8.starts(with: rest) {
                    break
                } else {
                    wire.readings.append(.message(rest))
                    rest = []
                }
            }
            wire.unfinished = rest
        }
        return wire
    }
}
