//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import ArgumentParser

/// How well failure detectors do in simulations: the published figure, and a comparison on two other paths.
@main
struct DetectorsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "detectors",
        abstract: "How well failure detectors do in simulations, against theory and against each other.",
        subcommands: [FigureCommand.self, CompareCommand.self]
    )
}
