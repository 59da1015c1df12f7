"""A metric is added in one file: nothing else changes."""

import json
import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "examples" / "measures"

#: Two methods on eight pictures; the second scores everything higher by one.
SCRIPT = f"""
import json, sys
from importlib import util
import numpy as np
import train

# The package of the measures with the example beside them, before anything looks into it.
place = train.__path__[0] + "/metrics/measures"
package = util.module_from_spec(util.spec_from_file_location(
    "train.metrics.measures", place + "/__init__.py",
    submodule_search_locations=[place, {str(EXAMPLES)!r}],
))
sys.modules[package.__name__] = package
from train.metrics import Record, compare, evaluate
from train.metrics.figures import FIGURES, METRIC_VERSION

def records(more):
    rng = np.random.default_rng(5)
    for number in range(8):
        mask = np.zeros((12, 14), bool)
        mask[3:6, 4:7] = number % 2
        label = "dent" if number % 2 else "good"
        scores = rng.random(mask.shape).astype(np.float32) + more
        yield Record(str(number), str(number), label, scores, mask)

results = [evaluate(lambda more=more: records(more), 0.5) for more in (0, 1)]
rows = [result["per_image"] for result in results]
print(json.dumps({{
    "figures": list(FIGURES),
    "version": METRIC_VERSION,
    "values": [FIGURES["quiet_score"].of(result) for result in results],
    "good": [[row["score"] for row in table if row["label"] == "good"] for table in rows],
    "difference": compare(*rows, seed=1, rounds=50)["quiet_score"].difference,
    "worst": FIGURES["quiet_score"].worst(rows[0]),
}}))
"""


def test_it_is_measured_compared_and_part_of_the_version():
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["figures"][-1] == "quiet_score"
    assert "quiet 1" in found["version"].split(", ")
    for value, good in zip(found["values"], found["good"], strict=True):
        assert len(good) == 4
        assert abs(value - sum(good) / 4) < 1e-9
    assert abs(abs(found["difference"]) - 1) < 1e-6
    assert [score is None for score in found["worst"]] == [False, True] * 4
