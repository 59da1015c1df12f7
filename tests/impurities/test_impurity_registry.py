"""Whatever is registered can be drawn, painted, written as JSON and read back."""

import ast
import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

import impurities
from impurities.registry import IMPURITIES
from stainless.homography import axis_aligned


@pytest.mark.parametrize("name", IMPURITIES)
def test_a_registered_impurity_keeps_its_contract(name):
    kind = IMPURITIES[name]
    ranges = kind.ranges()
    kind.validate(ranges)
    drawn = kind.sample(ranges, (0.0, 0.0, 20.0, 20.0), np.random.default_rng(1))
    assert drawn
    text = json.dumps([dataclasses.asdict(one) for one in drawn])
    assert [kind.from_dict(fields) for fields in json.loads(text)] == drawn
    raster = kind.rasterize(drawn, axis_aligned((0.0, 0.0), 0.125), (160, 160), 0.7, 3)
    centers = (np.arange(160) + 0.5) * 0.125
    field = kind.evaluate(drawn, centers[None, :], centers[:, None], 0.7)
    assert np.array_equal(raster.instance, field.instance)
    assert np.array_equal(raster.mask, field.mask)
    assert raster.mask.any()
    assert (raster.ratio[raster.mask] != 1).any()


def test_impurities_need_neither_blender_nor_torch():
    allowed = {"__future__", "collections", "dataclasses", "enum", "functools", "math", "typing"}
    allowed |= {"impurities", "noise", "numpy", "stainless"}
    folder = Path(impurities.__file__).parent
    sources = list(folder.rglob("*.py"))
    assert len(sources) > 5
    for source in sources:
        for node in ast.walk(ast.parse(source.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            for name in names:
                assert name.split(".")[0] in allowed, f"{source.name} imports {name}"
