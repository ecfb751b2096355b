//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// Something that does not hold for an input.
struct FuzzFinding: Error, CustomStringConvertible {
    let description: String
}

/// Checks what must hold whatever the input.
func mustHold(_ holds: Bool, _ otherwise: @autoclosure () -> String) throws(FuzzFinding) {
    guard !holds else { return }
    throw FuzzFinding(description: otherwise())
}

/// Checks that a text can be shown: one line, and nothing in it steers a terminal.
func mustBeHarmless(_ text: String) throws(FuzzFinding) {
    try mustHold(ObviousText.isHarmless(text), "not fit to be shown: \(text.debugDescription)")
}
