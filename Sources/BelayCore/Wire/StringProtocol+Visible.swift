//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

extension Unicode.Scalar {
    /// Whether a reader sees something of it: no control character, line break, or invisible format character.
    ///
    /// Format characters (general category Cf) are left out because they reorder or hide what a log line shows.
    fileprivate var isVisibleOrSpace: Bool {
        if 0x20...0x7E ~= value {
            return true
        }
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate:
            return false
        default:
            return true
        }
    }
}

extension StringProtocol {
    /// Whether it is one word for people and logs: not empty, and neither spaces nor invisible characters in it.
    var isVisibleWord: Bool {
        !isEmpty
            && unicodeScalars.allSatisfy { scalar in
                scalar != " " && scalar.isVisibleOrSpace
                    && (scalar.isASCII || scalar.properties.generalCategory != .spaceSeparator)
            }
    }

    /// At most the first `limit` characters (Unicode scalars) that are visible or a space: safe to put in one log line.
    package func visible(atMost limit: Int) -> String {
        var text = ""
        text.unicodeScalars.append(contentsOf: unicodeScalars.lazy.filter(\.isVisibleOrSpace).prefix(limit))
        return text
    }
}
