# ===----------------------------------------------------------------------===
# This source file is part of the Belay open source project.
# Copyright (c) 2026 the Belay project authors.
# Licensed under Apache License v2.0; see LICENSE for details.
# SPDX-License-Identifier: Apache-2.0
# ===----------------------------------------------------------------------===
"""One fault, so many times: a process of its own, which the laboratory starts with a task and reads line by line.

    lane.py '{"fault": NAME, "pairs": [["raw", "both"], ...], "runs": 20, "lateness": PATH}'

Each line of standard output is a JSON object: an observation, or at last the summary of the lane.
"""

import json
import sys
import traceback

from ground import Ground  # noqa: F401  first: it says where the modules of the scenarios are
from harness import allow_descriptors, perform
import table
from lateness import Lateness
from observation import Observation
from scene import Pair, Scene


def tell(line):
    print(json.dumps(line), flush=True)


def main():
    task = json.loads(sys.argv[1])
    fault = table.named(task["fault"])
    pairs = [Pair(*pair) for pair in task["pairs"]]
    allow_descriptors(8192)
    scenes, told = [], [0]

    def report():
        for observation in scenes[0].observations[told[0]:]:
            tell(observation.as_json())
        told[0] = len(scenes[0].observations)

    def scenario(stage):
        scene = Scene(stage, fault, pairs, Lateness(task["lateness"]))
        scenes.append(scene)
        for number in range(1, task["runs"] + 1):
            fault.run(scene, number)
            report()
        scene.close()
        scene.resources.check()

    _, failure = perform(scenario, 30 + fault.slow * task["runs"])
    if failure:
        facts = [str(event) for event in failure.events]
        scene = scenes[0] if scenes else None
        tell(Observation(fault.name, fault.phase, wrong=[str(failure)], facts=facts).as_json())
    if scenes:
        report()
    tell({"lane": fault.name, "growth": scenes[0].resources.growth if scenes else None,
          "notes": scenes[0].notes if scenes else []})


if __name__ == "__main__":
    try:
        main()
    except Exception:
        tell({"fault": json.loads(sys.argv[1])["fault"], "phase": "", "wrong": [traceback.format_exc()], "facts": []})
        sys.exit(1)
