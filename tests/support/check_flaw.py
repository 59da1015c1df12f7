"""What every kind of flaw of a metal surface promises, whatever it is."""

from __future__ import annotations

import dataclasses
import json
import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from render.parts.plate.flaw import SurfaceFlaw
from stainless import config
from stainless.homography import axis_aligned, project
from stainless.ranges import Range, bounds
from support.rebuild import rebuilt

AREA = (-10.0, -10.0, 10.0, 10.0)


def check_flaw(kind: SurfaceFlaw) -> None:
    """Run every check of this module on a kind."""
    for check in CHECKS:
        check(kind)


def drawn(kind: SurfaceFlaw, seed: int = 3, **fields: Any) -> list[Any]:
    """Return three flaws, or what the fields say."""
    ranges = kind.ranges(**{"per_plate": 3.0, **fields})
    return kind.sample(ranges, AREA, np.random.default_rng(seed))


def every_key_says_what_it_means(kind: SurfaceFlaw) -> None:
    for key in config.keys(kind.ranges):
        assert key.meaning, key.name


def is_drawn_by_its_seed_and_survives_json(kind: SurfaceFlaw) -> None:
    kind.validate(kind.ranges())
    flaws = drawn(kind)
    assert flaws == drawn(kind) != drawn(kind, seed=4)
    text = json.dumps([dataclasses.asdict(flaw) for flaw in flaws])
    assert [rebuilt(type(flaws[0]), fields) for fields in json.loads(text)] == flaws


def the_generator_is_read_for_a_fixed_amount(kind: SurfaceFlaw) -> None:
    rest = set()
    for fields in ({}, {"per_plate": 0.0}, {"centers_mm": [(1.0, 2.0)]}):
        rng = np.random.default_rng(4)
        kind.sample(kind.ranges(**fields), AREA, rng)
        rest.add(rng.random())
    assert len(rest) == 1


def one_more_leaves_those_before_as_they_were(kind: SurfaceFlaw) -> None:
    assert drawn(kind, per_plate=9.0)[:4] == drawn(kind, per_plate=4.0)
    assert len(drawn(kind, per_plate=9.0)) == 9
    assert drawn(kind, per_plate=0.0) == []


def its_mask_is_there_and_inside_its_box(kind: SurfaceFlaw) -> None:
    for flaw in drawn(kind):
        x0, y0, x1, y1 = kind.box(flaw)
        margin = 0.1 * max(x1 - x0, y1 - y0)
        step = (max(x1 - x0, y1 - y0) + 2 * margin) / 500
        homography = axis_aligned((x0 - margin, y0 - margin), step)
        columns, rows = np.meshgrid(np.arange(500) + 0.5, np.arange(500) + 0.5)
        x, y = project(homography, columns, rows)
        mask = kind.inside(flaw, kind.relief(flaw, x, y))
        assert mask.sum() > 50
        assert x0 <= x[mask].min() < x[mask].max() <= x1
        assert y0 <= y[mask].min() < y[mask].max() <= y1


def slopes_are_those_of_the_height(kind: SurfaceFlaw) -> None:
    rng, step = np.random.default_rng(5), 1e-6
    for flaw in drawn(kind):
        x0, y0, x1, y1 = kind.box(flaw)
        x, y = rng.uniform(x0, x1, 4000), rng.uniform(y0, y1, 4000)
        height, *slopes = kind.relief(flaw, x, y)
        assert np.abs(height).max() > 0
        for slope, dx, dy in zip(slopes, (step, 0.0), (0.0, step), strict=True):
            up, down = kind.relief(flaw, x + dx, y + dy)[0], kind.relief(flaw, x - dx, y - dy)[0]
            error = np.abs((up - down) / (2 * step) - slope)
            # A border between two formulas may lie within the step of a few of the points.
            assert np.quantile(error, 0.99) < 1e-4 * max(1.0, np.abs(slope).max())


def limit(kind: SurfaceFlaw, field: str, power: float) -> Range:
    """Return the default range with both ends scaled until the kind's own check refuses."""
    low, high = bounds(getattr(kind.ranges(), field))
    for exponent in np.linspace(power, 0, 40):
        value = (low * 10**exponent, high * 10**exponent)
        try:
            kind.validate(kind.ranges(**{field: value}))
        except ValueError:
            continue
        return value
    raise AssertionError(f"the default of {field} is refused")


def extreme_parameters_stay_finite(kind: SurfaceFlaw) -> None:
    ranges = kind.ranges()
    fields = [
        field.name
        for field in dataclasses.fields(ranges)
        if isinstance(getattr(ranges, field.name), tuple) and field.name != "per_plate"
    ]
    for power in (-4.0, 4.0):
        extremes = {field: limit(kind, field, power) for field in fields}
        for chosen in [extremes, *({field: value} for field, value in extremes.items())]:
            for flaw in drawn(kind, **chosen):
                x0, y0, x1, y1 = kind.box(flaw)
                assert all(map(math.isfinite, (x0, y0, x1, y1)))
                # From the box's own grid, where it is large, to points far off and its very centre.
                x = np.concatenate([np.linspace(x0, x1, 60), [-1e6, (x0 + x1) / 2, 1e6]])
                y = np.concatenate([np.linspace(y0, y1, 60), [-1e6, (y0 + y1) / 2, 1e6]])
                with warnings.catch_warnings():
                    warnings.simplefilter("error")
                    relief = kind.relief(flaw, *np.meshgrid(x, y))
                assert all(np.isfinite(layer).all() for layer in relief), chosen


CHECKS: tuple[Callable[[SurfaceFlaw], None], ...] = (
    every_key_says_what_it_means,
    is_drawn_by_its_seed_and_survives_json,
    the_generator_is_read_for_a_fixed_amount,
    one_more_leaves_those_before_as_they_were,
    its_mask_is_there_and_inside_its_box,
    slopes_are_those_of_the_height,
    extreme_parameters_stay_finite,
)
