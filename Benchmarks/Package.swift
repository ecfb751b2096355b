// swift-tools-version: 6.2
//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import PackageDescription

let nio: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
]

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
]

// A package of its own, so that nobody who uses Belay resolves or builds it.
let package = Package(
    name: "belay-benchmarks",
    platforms: [.macOS(.v26)],
    dependencies: [
        .package(name: "belay", path: ".."),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    ],
    targets: [
        // What the servers on SwiftNIO share: arguments, a log that costs nothing while measuring, a bounded life.
        .target(name: "PeerSupport", dependencies: nio, swiftSettings: strict),
        // SwiftNIO as one writes it: IdleStateHandler, and a repeated task for each channel.
        .executableTarget(name: "nio-idle-state", dependencies: nio + ["PeerSupport"], swiftSettings: strict),
        // SwiftNIO at its best: one timing wheel, one handler, nothing else.
        .executableTarget(name: "nio-best", dependencies: nio + ["PeerSupport"], swiftSettings: strict),
        // Deadlines: Belay's wheel beside what SwiftNIO schedules.
        .executableTarget(
            name: "timers",
            dependencies: nio + [.product(name: "BelayCore", package: "belay"), "PeerSupport"],
            swiftSettings: strict
        ),
        // A connection machine and nothing around it.
        .executableTarget(
            name: "machine",
            dependencies: [.product(name: "BelayCore", package: "belay"), "PeerSupport"],
            swiftSettings: strict
        ),
    ],
    swiftLanguageModes: [.v6]
)
