//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

extension Duration {
    /// For people, in at most two digits and one decimal of the largest unit that fits: `450ms`, `1.5s`, `3m`, `12h`.
    var rounded: String {
        let milliseconds = self / .milliseconds(1)
        return switch milliseconds {
        case ..<0.9995: "\(Int(milliseconds * 1_000))us"
        case ..<999.5: "\(Int(milliseconds.rounded()))ms"
        case ..<9_950: "\((milliseconds / 100).rounded() / 10)s"
        case ..<99_500: "\(Int((milliseconds / 1_000).rounded()))s"
        case ..<5_970_000: "\(Int((milliseconds / 60_000).rounded()))m"
        default: "\(Int((milliseconds / 3_600_000).rounded()))h"
        }
    }
}
