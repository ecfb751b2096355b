//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

#if !os(Linux)
extension SocketInventory {
    @discardableResult
    static func visit(
        matching filter: SocketFilter,
        details: SocketDetails,
        through calls: SystemCalls,
        _ body: (SocketEntry) -> Bool
    ) throws(InventoryError) -> InventorySummary {
        throw .unsupportedSystem
    }

    static func lookUp(
        local: TransportAddress,
        remote: TransportAddress,
        through calls: SystemCalls
    ) throws(InventoryError) -> SocketEntry? {
        throw .unsupportedSystem
    }

    static func destroy(_ entry: SocketEntry, through calls: SystemCalls) throws(InventoryError) {
        throw .unsupportedSystem
    }
}
#endif
