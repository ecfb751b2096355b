//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

public import ArgumentParser
public import BelayCore
public import Logging

// Values of flags that are written as the library spells them.

extension Verdict: ExpressibleByArgument {}

extension LivenessPolicy.Heartbeats: ExpressibleByArgument {}

extension KernelTimeouts.Mode: ExpressibleByArgument {}

extension Logger.Level: @retroactive ExpressibleByArgument {}
