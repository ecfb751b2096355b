// swift-tools-version: 6.2
//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import PackageDescription

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

let nio = "swift-nio"

let package = Package(
    name: "belay",
    platforms: [.macOS(.v26)],
    products: [
        .library(name: "BelayCore", targets: ["BelayCore"]),
        .library(name: "BelaySocket", targets: ["BelaySocket"]),
        .library(name: "BelayNIO", targets: ["BelayNIO"]),
        .library(name: "BelayTesting", targets: ["BelayTesting"]),
        .executable(name: "belay", targets: ["belay"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-numerics", from: "1.1.1"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    ],
    targets: [
        // Every decision, as values: no IO, no clock, no randomness of its own.
        .target(
            name: "BelayCore",
            dependencies: [.product(name: "RealModule", package: "swift-numerics")],
            swiftSettings: strict
        ),
        // What Swift cannot import of the kernel's interface, or the C library's headers lack.
        .target(name: "CBelayLinux"),
        // Every direct system call.
        .target(name: "BelaySocket", dependencies: ["BelayCore", "CBelayLinux"], swiftSettings: strict),
        // The shell on SwiftNIO that interprets what BelayCore decides.
        .target(
            name: "BelayNIO",
            dependencies: [
                "BelayCore",
                "BelaySocket",
                .product(name: "NIOCore", package: nio),
                .product(name: "NIOPosix", package: nio),
                .product(name: "Histogram", package: "hdrhistogram-swift"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict
        ),
        // What users test their own code with: a manual clock, seeded randomness, a simulated link, trials of detectors.
        .target(
            name: "BelayTesting",
            dependencies: ["BelayCore", .product(name: "RealModule", package: "swift-numerics")],
            swiftSettings: strict
        ),
        // The command line: parses and calls.
        .executableTarget(
            name: "belay",
            dependencies: [
                "BelayCore",
                "BelaySocket",
                "BelayNIO",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Histogram", package: "hdrhistogram-swift"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: nio),
                .product(name: "NIOPosix", package: nio),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "BelayCoreTests",
            dependencies: ["BelayCore", "BelayTesting", .product(name: "RealModule", package: "swift-numerics")],
            swiftSettings: strict
        ),
        .testTarget(name: "BelayTestingTests", dependencies: ["BelayCore", "BelayTesting"], swiftSettings: strict),
        // Scenarios drawn from seeds, with an oracle that knows the truth.
        .testTarget(name: "SimulationTests", dependencies: ["BelayTesting", "BelayCore"], swiftSettings: strict),
        .testTarget(name: "BelaySocketTests", dependencies: ["BelaySocket", "BelayCore"], swiftSettings: strict),
        .testTarget(
            name: "BelayNIOTests",
            dependencies: [
                "BelayNIO",
                "BelayCore",
                "BelaySocket",
                .product(name: "NIOCore", package: nio),
                .product(name: "NIOPosix", package: nio),
                .product(name: "NIOEmbedded", package: nio),
                .product(name: "NIOTestUtils", package: nio),
                .product(name: "InMemoryLogging", package: "swift-log"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "ServiceLifecycleTestKit", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "CommandLineTests",
            dependencies: ["belay", "BelayCore", "BelaySocket"],
            swiftSettings: strict
        ),
        // What comes from outside, against parsers that are slow and obvious; Fuzzing/ has the same targets for libFuzzer.
        .testTarget(
            name: "FuzzTests",
            dependencies: ["belay", "BelayCore", "BelaySocket"],
            swiftSettings: strict
        ),
        // The structure of the package and the code of its documents.
        .testTarget(
            name: "ProjectTests",
            dependencies: [
                "BelayCore",
                "BelayNIO",
                "BelaySocket",
                "BelayTesting",
                .product(name: "NIOCore", package: nio),
                .product(name: "NIOEmbedded", package: nio),
                .product(name: "NIOPosix", package: nio),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict
        ),
    ],
    swiftLanguageModes: [.v6]
)
