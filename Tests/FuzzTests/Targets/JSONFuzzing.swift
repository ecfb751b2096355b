//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore

/// Reads a document twice, by our reader and by a slow one.
enum JSONFuzzing {
    static func run(_ bytes: [UInt8]) throws(FuzzFinding) {
        let obvious = ObviousJSON.read(bytes)
        switch Result(catching: { () throws(JSONError) in
            try JSONReader(maximumSize: bytes.count).read(bytes.span.bytes)
        }) {
        case .success(let value):
            let isSame = obvious.map { value.isIdentical(to: $0) } ?? false
            try mustHold(isSame, "\(value), obviously \(String(describing: obvious))")
        case .failure(let error):
            try mustHold(obvious == nil, "\(error) in \(String(describing: obvious))")
        }
    }
}
