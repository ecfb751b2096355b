//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// The JSON object in a control frame of `frames`, and what it must hold.
struct ControlFrame {
    /// What violations are said to be in.
    private let kind: StaticString
    private let members: [String: JSONValue]

    /// Reads the payload of a frame.
    ///
    /// - Throws: ``WireError/violation(_:)`` when it is not a JSON object.
    init(_ kind: StaticString, _ payload: RawSpan) throws(WireError) {
        let value: JSONValue
        do {
            // The parser has already held the payload against its limit.
            value = try JSONReader(maximumSize: payload.byteCount).read(payload)
        } catch {
            throw .violation("\(kind): \(error)")
        }
        guard case .object(let members) = value else { throw .violation("\(kind): not a JSON object") }
        self.kind = kind
        self.members = members
    }

    // MARK: Messages

    func hello() throws(WireError) -> Hello {
        let token = try text("token")
        if let token, !Hello.isToken(token) {
            throw .violation("hello: token is empty, or has spaces or invisible characters")
        }
        return Hello(
            identity: try identity("id"),
            token: token,
            every: try duration("every"),
            within: try duration("within")
        )
    }

    func welcome() throws(WireError) -> Welcome {
        Welcome(
            connection: try identity("connection"),
            epoch: try epoch(),
            every: try required(duration("every"), "every"),
            within: try required(duration("within"), "within")
        )
    }

    func goodbye() throws(WireError) -> Goodbye {
        Goodbye(code: try code(), retryAfter: try duration("retryAfter"))
    }

    func errorReport() throws(WireError) -> ErrorReport {
        ErrorReport(code: try required(code(), "code"), message: try required(text("message"), "message"))
    }

    // MARK: Members

    private func required<Value>(_ value: Value?, _ key: StaticString) throws(WireError) -> Value {
        guard let value else { throw .violation("\(kind): \(key) is missing") }
        return value
    }

    private func text(_ key: StaticString) throws(WireError) -> String? {
        switch members["\(key)"] {
        case nil, .null:
            return nil
        case .string(let text):
            return text
        default:
            throw .violation("\(kind): \(key) is not a string")
        }
    }

    private func identity(_ key: StaticString) throws(WireError) -> String {
        let identity = try required(text(key), key)
        guard Hello.isIdentity(identity) else {
            throw .badValue(of: key, identity, in: kind, expected: "1 to 128 visible bytes without spaces")
        }
        return identity
    }

    private func code() throws(WireError) -> String? {
        guard let code = try text("code") else { return nil }
        guard Goodbye.isCode(code) else {
            throw .badValue(of: "code", code, in: kind, expected: "1 to 64 of a-z, 0-9, dot and hyphen")
        }
        return code
    }

    private func duration(_ key: StaticString) throws(WireError) -> Duration? {
        guard let text = try text(key) else { return nil }
        guard let duration = Duration(text: text) else {
            throw .badValue(of: key, text, in: kind, expected: WireError.durationForm)
        }
        return duration
    }

    private func epoch() throws(WireError) -> UInt64 {
        let value = try required(members["epoch"], "epoch")
        // Above 2^53 - 1 several integers are the same double. Not `UInt64(exactly:)`: it needs the mathematics library,
        // which nothing else here links.
        guard case .number(let number) = value, number >= 0, number < 0x1p53,
            case let epoch = UInt64(number), Double(epoch) == number
        else {
            throw .violation("\(kind): epoch is not an integer from 0 to \((1 << 53) - 1)")
        }
        return epoch
    }
}
