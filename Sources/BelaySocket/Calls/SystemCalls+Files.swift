//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

extension SystemCalls {
    /// Tells the names in a directory that are numbers.
    @Sendable static func directoryNumbers(_ path: String, _ body: (Int32) -> Void) throws(ErrorNumber) {
        guard let directory = opendir(path) else { throw ErrorNumber(rawValue: errno) }
        defer { closedir(directory) }
        while true {
            // The end of the directory and an error look alike but for errno.
            errno = 0
            guard let entry = readdir(directory) else {
                let number = ErrorNumber(rawValue: errno)
                guard number.rawValue == 0 else { throw number }
                return
            }
            if let number = withUnsafeBytes(of: &entry.pointee.d_name, Self.number(inName:)) { body(number) }
        }
    }

    /// The number that a name ended by NUL consists of.
    static func number(inName name: UnsafeRawBufferPointer) -> Int32? {
        var number: Int32?
        for byte in name {
            guard byte != 0 else { return number }
            let digit = Int32(byte) - 0x30
            guard (0...9).contains(digit) else { return nil }
            let (tens, tooLarge) = (number ?? 0).multipliedReportingOverflow(by: 10)
            let (sum, tooLargeYet) = tens.addingReportingOverflow(digit)
            guard !tooLarge, !tooLargeYet else { return nil }
            number = sum
        }
        return nil
    }

    /// Reads the first bytes of a file.
    @Sendable static func fileStart(
        _ path: String,
        _ room: UnsafeMutableRawBufferPointer
    ) throws(ErrorNumber) -> Int {
        let descriptor = try Self.returned { open(path, O_RDONLY | O_CLOEXEC) }
        defer { Self.system.close(descriptor) }
        return try Self.returned { read(descriptor, room.baseAddress, room.count) }
    }
}
