// swift-tools-version: 6.2
//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import PackageDescription

// By itself, so that neither libFuzzer nor what it needs reaches those who use the library.
let package = Package(
    name: "Fuzzing",
    platforms: [.macOS(.v26)],
    dependencies: [.package(name: "belay", path: "..")],
    targets: [
        // One program; the environment variable TARGET says what it looks at. `make fuzz` builds and runs it.
        .executableTarget(
            name: "Fuzz",
            dependencies: [
                .product(name: "BelayCore", package: "belay"),
                .product(name: "BelaySocket", package: "belay"),
            ],
            swiftSettings: [
                .enableUpcomingFeature("ExistentialAny"),
                .enableUpcomingFeature("InternalImportsByDefault"),
                .enableUpcomingFeature("MemberImportVisibility"),
                .treatAllWarnings(as: .error),
            ]
        )
    ],
    swiftLanguageModes: [.v6]
)
