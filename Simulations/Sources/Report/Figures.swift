//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Foundation

/// Numbers as people read them.
package enum Figures {
    package static func fixed(_ value: Double, places: Int) -> String { String(format: "%.\(places)f", value) }

    package static func seconds(_ value: Double) -> String { "\(Self.fixed(value, places: 2)) s" }

    /// Five significant digits of a number of seconds, or all of its whole part.
    package static func significant(_ duration: Duration) -> String {
        let seconds = duration / .seconds(1)
        let digits = Int(Self.decimalLogarithm(max(seconds, 1))) + 1
        return digits > 4 ? Self.count(Int(seconds.rounded())) : Self.fixed(seconds, places: 5 - digits)
    }

    /// A whole number with its thousands apart.
    package static func count(_ number: Int) -> String {
        var groups: [String] = []
        var rest = String(number)
        while rest.count > 3 {
            groups.insert(String(rest.suffix(3)), at: 0)
            rest.removeLast(3)
        }
        return ([rest] + groups).joined(separator: ",")
    }

    package static func percent(_ ratio: Double) -> String { String(format: "%+.1f %%", ratio * 100) }

    package static func decimalLogarithm(_ value: Double) -> Double { log10(value) }
}
