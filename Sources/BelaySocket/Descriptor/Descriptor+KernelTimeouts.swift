//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

public import BelayCore

/// An option that the kernel refused.
public struct RefusedOption: Hashable, Sendable {
    /// The option's name in the kernel's headers.
    public var name: String
    /// Why it was refused.
    public var errno: ErrorNumber
}

/// An option that the kernel does not have as it was asked to.
public struct OptionNote: Hashable, Sendable {
    /// The option's name in the kernel's headers.
    public var name: String
    /// The value that was asked for, in the option's own unit.
    public var asked: Int32
    /// The value that the kernel has; nil where it could not be read.
    public var got: Int32?
    /// Why it could not be read; ENOPROTOOPT of a kernel that does not know the option.
    public var errno: ErrorNumber?
}

extension OptionNote: CustomStringConvertible {
    /// The note as one line.
    public var description: String {
        let got = self.got.map { "the kernel has \($0)" } ?? "not to be read"
        return "\(self.name): asked for \(self.asked), \(got)" + (self.errno.map { " (\($0))" } ?? "")
    }
}

extension Descriptor {
    /// Applies the kernel's timers and buffers of a connection (rule R11).
    ///
    /// A refused option does not keep the others from being set, and none is fatal: the heartbeat judges anyway.
    /// Nothing is read back, because this runs once per connection; see ``verify(_:)``. On Linux a listener hands on
    /// all of them to the connections that it accepts.
    ///
    /// - Returns: the options that this kernel refused.
    public func apply(_ timeouts: KernelTimeouts) -> [RefusedOption] { self.apply(timeouts, through: .system) }

    func apply(_ timeouts: KernelTimeouts, through calls: SystemCalls) -> [RefusedOption] {
        var refused: [RefusedOption] = []
        timeouts.forEachOption { option, value in
            if let errno = self.set(level: option.level, name: option.number, to: value, through: calls) {
                refused.append(RefusedOption(name: option.name, errno: errno))
            }
        }
        return refused
    }

    /// Reads back each option that ``apply(_:)`` sets, and notes those that the kernel has otherwise.
    ///
    /// It costs a system call per option. Once per listener is enough: a kernel that takes an option takes it on each
    /// connection. An option that was refused but has the value asked for anyway is not noted, nor is a time that the
    /// kernel has rounded to its tick (TCP_RTO_MAX_MS, by less than 10 ms).
    ///
    /// - Returns: a note for each difference, in the order in which the options are set; empty if all is as asked.
    public func verify(_ timeouts: KernelTimeouts) -> [OptionNote] { self.verify(timeouts, through: .system) }

    func verify(_ timeouts: KernelTimeouts, through calls: SystemCalls) -> [OptionNote] {
        var notes: [OptionNote] = []
        timeouts.forEachOption { option, asked in
            do throws(ErrorNumber) {
                let got = try self.read(option, through: calls)
                if !option.isSame(asked, got) { notes.append(OptionNote(name: option.name, asked: asked, got: got)) }
            } catch {
                notes.append(OptionNote(name: option.name, asked: asked, errno: error))
            }
        }
        return notes
    }

    func read(_ option: KernelOption, through calls: SystemCalls) throws(ErrorNumber) -> Int32 {
        try self.option(level: option.level, name: option.number, through: calls)
    }
}
