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

// A package of its own, so that nobody who uses Belay resolves or builds it.
let package = Package(
    name: "belay-simulations",
    platforms: [.macOS(.v26)],
    dependencies: [
        .package(name: "belay", path: ".."),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    ],
    targets: [
        // Numbers, tables and documents, as both programs write them.
        .target(
            name: "Report",
            dependencies: [.product(name: "BelayCore", package: "belay")],
            swiftSettings: strict
        ),
        // How well detectors do in simulations: tables and a figure.
        .executableTarget(
            name: "detectors",
            dependencies: [
                "Report",
                .product(name: "BelayCore", package: "belay"),
                .product(name: "BelayTesting", package: "belay"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict
        ),
        // What millions of connections cost machines and wheel: a table.
        .executableTarget(
            name: "scale",
            dependencies: [
                "Report",
                .product(name: "BelayCore", package: "belay"),
                .product(name: "BelayTesting", package: "belay"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict
        ),
        // Random scenarios for as long as one likes, with an oracle that knows the truth.
        .executableTarget(
            name: "soak",
            dependencies: [
                .product(name: "BelayCore", package: "belay"),
                .product(name: "BelayTesting", package: "belay"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict
        ),
    ],
    swiftLanguageModes: [.v6]
)
