//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// An error number of the kernel, with its name.
///
/// Numbers are those of Linux's generic system call interface (`include/uapi/asm-generic/errno.h`), which x86-64,
/// AArch64 and RISC-V share. A shell on another system translates before it builds one.
public struct ErrorNumber: RawRepresentable, Error, Hashable, Sendable {
    /// The number as the kernel returned it.
    public var rawValue: Int32

    /// The error with this number; any number is accepted.
    public init(rawValue: Int32) {
        self.rawValue = rawValue
    }

    /// The symbolic name, such as `ECONNRESET`, or `errno N` for a number that has none.
    public var name: String {
        let index = Int(self.rawValue)
        guard Self.names.indices.contains(index), !Self.names[index].isEmpty else { return "errno \(self.rawValue)" }
        return Self.names[index]
    }
}

extension ErrorNumber: CustomStringConvertible {
    /// The symbolic name.
    public var description: String { self.name }
}

extension ErrorNumber {
    /// Operation not permitted: on a send, a local packet filter refused it.
    public static let notPermitted = ErrorNumber(rawValue: 1)
    /// No such file or directory, or no such connection where one is looked up.
    public static let noSuchEntry = ErrorNumber(rawValue: 2)
    /// No such process.
    public static let noSuchProcess = ErrorNumber(rawValue: 3)
    /// A signal interrupted the call.
    public static let interrupted = ErrorNumber(rawValue: 4)
    /// The number is no open descriptor.
    public static let badDescriptor = ErrorNumber(rawValue: 9)
    /// Nothing can be done without waiting.
    public static let wouldBlock = ErrorNumber(rawValue: 11)
    /// An argument that the kernel does not accept.
    public static let invalidArgument = ErrorNumber(rawValue: 22)
    /// The kernel has no such call.
    public static let notImplemented = ErrorNumber(rawValue: 38)
    /// The descriptor is no socket.
    public static let notASocket = ErrorNumber(rawValue: 88)
    /// The kernel knows no such option.
    public static let noSuchOption = ErrorNumber(rawValue: 92)
    /// The kernel does not support it.
    public static let notSupported = ErrorNumber(rawValue: 95)
    /// The socket is not connected.
    public static let notConnected = ErrorNumber(rawValue: 107)
    /// Permission denied.
    public static let permissionDenied = ErrorNumber(rawValue: 13)
    /// The kernel has no memory.
    public static let noMemory = ErrorNumber(rawValue: 12)
    /// Too many open files in the whole system.
    public static let tooManyOpenFilesInSystem = ErrorNumber(rawValue: 23)
    /// Too many open files in this process.
    public static let tooManyOpenFiles = ErrorNumber(rawValue: 24)
    /// Write on a connection that was already reset or shut down.
    public static let brokenPipe = ErrorNumber(rawValue: 32)
    /// A host has no such protocol (ICMP protocol unreachable).
    public static let protocolNotAvailable = ErrorNumber.noSuchOption
    /// Somebody else listens there.
    public static let addressInUse = ErrorNumber(rawValue: 98)
    /// Our own address is gone.
    public static let addressNotAvailable = ErrorNumber(rawValue: 99)
    /// Our own network interface is down.
    public static let networkDown = ErrorNumber(rawValue: 100)
    /// A router knows no route to the network.
    public static let networkUnreachable = ErrorNumber(rawValue: 101)
    /// The connection was aborted before it was accepted, or by the local stack on the peer's behalf.
    public static let connectionAborted = ErrorNumber(rawValue: 103)
    /// The peer sent RST.
    public static let connectionReset = ErrorNumber(rawValue: 104)
    /// The kernel has no memory for what we send.
    public static let noBufferSpace = ErrorNumber(rawValue: 105)
    /// The kernel gave up: keepalive, user timeout or retransmissions.
    public static let timedOut = ErrorNumber(rawValue: 110)
    /// Nobody listens there (RST to a SYN, or ICMP port unreachable).
    public static let connectionRefused = ErrorNumber(rawValue: 111)
    /// The host is down (ICMP host unknown).
    public static let hostDown = ErrorNumber(rawValue: 112)
    /// A router or host says that the host cannot be reached.
    public static let hostUnreachable = ErrorNumber(rawValue: 113)
    /// The machine is not on the network (ICMP host isolated).
    public static let notOnNetwork = ErrorNumber(rawValue: 64)

    private static let names = """
        0 EPERM ENOENT ESRCH EINTR EIO ENXIO E2BIG ENOEXEC EBADF ECHILD EAGAIN ENOMEM EACCES EFAULT ENOTBLK EBUSY EEXIST \
        EXDEV ENODEV ENOTDIR EISDIR EINVAL ENFILE EMFILE ENOTTY ETXTBSY EFBIG ENOSPC ESPIPE EROFS EMLINK EPIPE EDOM \
        ERANGE EDEADLK ENAMETOOLONG ENOLCK ENOSYS ENOTEMPTY ELOOP - ENOMSG EIDRM ECHRNG EL2NSYNC EL3HLT EL3RST ELNRNG \
        EUNATCH ENOCSI EL2HLT EBADE EBADR EXFULL ENOANO EBADRQC EBADSLT - EBFONT ENOSTR ENODATA ETIME ENOSR ENONET \
        ENOPKG EREMOTE ENOLINK EADV ESRMNT ECOMM EPROTO EMULTIHOP EDOTDOT EBADMSG EOVERFLOW ENOTUNIQ EBADFD EREMCHG \
        ELIBACC ELIBBAD ELIBSCN ELIBMAX ELIBEXEC EILSEQ ERESTART ESTRPIPE EUSERS ENOTSOCK EDESTADDRREQ EMSGSIZE \
        EPROTOTYPE ENOPROTOOPT EPROTONOSUPPORT ESOCKTNOSUPPORT EOPNOTSUPP EPFNOSUPPORT EAFNOSUPPORT EADDRINUSE \
        EADDRNOTAVAIL ENETDOWN ENETUNREACH ENETRESET ECONNABORTED ECONNRESET ENOBUFS EISCONN ENOTCONN ESHUTDOWN \
        ETOOMANYREFS ETIMEDOUT ECONNREFUSED EHOSTDOWN EHOSTUNREACH EALREADY EINPROGRESS ESTALE EUCLEAN ENOTNAM ENAVAIL \
        EISNAM EREMOTEIO EDQUOT ENOMEDIUM EMEDIUMTYPE ECANCELED ENOKEY EKEYEXPIRED EKEYREVOKED EKEYREJECTED EOWNERDEAD \
        ENOTRECOVERABLE ERFKILL EHWPOISON
        """.split(separator: " ").map { $0.first == "E" ? String($0) : "" }
}
