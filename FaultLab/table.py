# ===----------------------------------------------------------------------===
# This source file is part of the Belay open source project.
# Copyright (c) 2026 the Belay project authors.
# Licensed under Apache License v2.0; see LICENSE for details.
# SPDX-License-Identifier: Apache-2.0
# ===----------------------------------------------------------------------===
"""All faults, in the order of the report."""

import path_faults  # noqa: F401
import host_faults  # noqa: F401
import loss_faults  # noqa: F401
import phase_faults  # noqa: F401
import program_faults  # noqa: F401
import reading_faults  # noqa: F401
import translation_faults  # noqa: F401
from catalogue import FAULTS, named

__all__ = ["FAULTS", "named"]
