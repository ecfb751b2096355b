//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// The words of a control line of the form `VERB NAME [key=value]`, with any number of keys.
///
/// Unknown keys are skipped; the last of equal keys counts. Only words that matter become strings, so that a line full
/// of others costs little more than a message of its length.
struct ControlWords {
    private let name: String
    private var token: String?
    private var epoch: String?
    private var every: String?
    private var within: String?

    /// `nil` when the line, valid UTF-8 that begins with a verb and a space, does not have that form.
    init?(_ line: RawSpan) {
        var position = 0
        _ = line.nextWord(at: &position)
        // A longer name is none, and need not become a string to know it.
        guard let word = line.nextWord(at: &position), word.count <= 128 else { return nil }
        name = line.text(word)
        guard Hello.isIdentity(name) else { return nil }
        while let word = line.nextWord(at: &position) {
            guard line.isVisibleWord(word), let key = line.prefix(of: word, endingBefore: UInt8(ascii: "=")),
                !key.isEmpty
            else { return nil }
            let value = key.upperBound + 1..<word.upperBound
            switch key.count {
            case 5 where line.hasBytes("token", at: key.lowerBound):
                token = line.text(value)
            case 5 where line.hasBytes("epoch", at: key.lowerBound):
                epoch = line.text(value)
            case 5 where line.hasBytes("every", at: key.lowerBound):
                every = line.text(value)
            case 6 where line.hasBytes("within", at: key.lowerBound):
                within = line.text(value)
            default:
                continue
            }
        }
    }

    /// The hello that the words are.
    ///
    /// - Throws: ``WireError/violation(_:)`` for a wrong value.
    func hello() throws(WireError) -> Hello {
        guard token != "" else { throw .violation("hello: token is empty") }
        return Hello(
            identity: name,
            token: token,
            every: try every.map { value throws(WireError) in try duration("every", value, in: "hello") },
            within: try within.map { value throws(WireError) in try duration("within", value, in: "hello") }
        )
    }

    /// The welcome that the words are; `nil` when a key is missing, since `welcome home` is something people write.
    ///
    /// - Throws: ``WireError/violation(_:)`` for a wrong value.
    func welcome() throws(WireError) -> Welcome? {
        guard let epoch, let every, let within else { return nil }
        guard epoch.utf8.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }), let number = UInt64(epoch) else {
            throw .badValue(of: "epoch", epoch, in: "welcome", expected: "an integer from 0 to \(UInt64.max)")
        }
        return Welcome(
            connection: name,
            epoch: number,
            every: try duration("every", every, in: "welcome"),
            within: try duration("within", within, in: "welcome")
        )
    }

    private func duration(
        _ key: StaticString,
        _ value: String,
        in kind: StaticString
    ) throws(WireError) -> Duration {
        guard let duration = Duration(text: value) else {
            throw .badValue(of: key, value, in: kind, expected: WireError.durationForm)
        }
        return duration
    }
}

extension RawSpan {
    /// The bytes from `position` to the next space or the end; `position` moves behind them and the space.
    ///
    /// `nil` when `position` is behind the end. Two spaces have an empty word between them.
    fileprivate func nextWord(at position: inout Int) -> Range<Int>? {
        guard position <= byteCount else { return nil }
        let rest = position..<byteCount
        let word = prefix(of: rest, endingBefore: UInt8(ascii: " ")) ?? rest
        position = word.upperBound + 1
        return word
    }

    /// The part of `range` before the first `delimiter`; `nil` when there is none in it.
    fileprivate func prefix(of range: Range<Int>, endingBefore delimiter: UInt8) -> Range<Int>? {
        for index in range where byte(at: index) == delimiter {
            return range.lowerBound..<index
        }
        return nil
    }

    /// Whether the bytes in `range` are a word of visible characters.
    fileprivate func isVisibleWord(_ range: Range<Int>) -> Bool {
        for index in range where !(0x21...0x7E ~= byte(at: index)) {
            return text(range).isVisibleWord
        }
        return !range.isEmpty
    }
}
