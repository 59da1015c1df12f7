"""What every kind of impurity promises, whatever it is."""

from __future__ import annotations

import dataclasses
import json
import typing
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from impurities.impurity import Impurity
from impurities.raster import Field, Raster
from stainless import config
from stainless.homography import axis_aligned, project
from stainless.ranges import Range
from support.rebuild import rebuilt

AREA = (-30.0, -25.0, 30.0, 25.0)
CENTERS = [(-4.0, 2.0), (3.0, -1.0), (5.0, 4.0)]
TILTED = np.array([[0.19, -0.06, -11.0], [-0.06, -0.19, 14.0], [1e-4, -2e-4, 1.0]])
SHAPE = (110, 130)
LAYERS = ("ratio", "diffuse", "albedo", "slope_x", "slope_y")


def check_impurity(kind: Impurity) -> None:
    """Run every check of this module on a kind."""
    for check in CHECKS:
        check(kind)


def drawn(kind: Impurity, seed: int = 1, **fields: Any) -> list[Any]:
    """Return three pieces that overlap, or what the fields say."""
    ranges = kind.ranges(**({"centers_mm": CENTERS} | fields))
    return kind.sample(ranges, AREA, np.random.default_rng(seed))


def layers(raster: Raster) -> dict[str, np.ndarray]:
    """Return the layers that a raster has, by name."""
    return {name: layer for name in LAYERS if (layer := getattr(raster, name)) is not None}


def dilated(mask: np.ndarray) -> np.ndarray:
    """Return a mask with the eight neighbours of its pixels."""
    padded = np.pad(mask, 1, mode="edge")
    return np.lib.stride_tricks.sliding_window_view(padded, (3, 3)).any(axis=(2, 3))


def pixel_points(
    homography: np.ndarray, shape: tuple[int, int], per_edge: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """Return surface points on a regular grid within every pixel, (rows·n, columns·n)."""
    rows, columns = ((np.arange(count * per_edge) + 0.5) / per_edge for count in shape)
    return project(homography, columns[None, :], rows[:, None])


def every_key_says_what_it_means(kind: Impurity) -> None:
    for key in config.keys(kind.ranges):
        assert key.meaning, key.name


def defaults_are_valid_and_put_something_on_a_plate(kind: Impurity) -> None:
    kind.validate(kind.ranges())
    for seed in range(5):
        pieces = kind.sample(kind.ranges(), AREA, np.random.default_rng(seed))
        assert pieces
        assert all(AREA[0] <= piece.center_mm[0] <= AREA[2] for piece in pieces)
        assert all(AREA[1] <= piece.center_mm[1] <= AREA[3] for piece in pieces)


def survives_json_with_every_digit(kind: Impurity) -> None:
    pieces = drawn(kind)
    text = json.dumps([dataclasses.asdict(piece) for piece in pieces])
    again = [rebuilt(type(pieces[0]), fields) for fields in json.loads(text)]
    assert again == pieces
    # What is costly to work out may be kept by the piece it belongs to.
    assert [hash(piece) for piece in again] == [hash(piece) for piece in pieces]


def the_seed_alone_decides(kind: Impurity) -> None:
    assert drawn(kind, 1) == drawn(kind, 1)
    one, other = drawn(kind, 1), drawn(kind, 2)
    assert all(a != b for a, b in zip(one, other, strict=True))
    rasters = [kind.rasterize(pieces, TILTED, SHAPE, 0.7) for pieces in (one, one, other)]
    first, again, else_where = (layers(raster) for raster in rasters)
    assert all(np.array_equal(first[layer], again[layer]) for layer in first)
    assert any(not np.array_equal(first[layer], else_where[layer]) for layer in first)


def the_generator_is_read_for_a_fixed_amount(kind: Impurity) -> None:
    rest = set()
    for fields in ({}, {"centers_mm": None}, {"centers_mm": []}):
        rng = np.random.default_rng(4)
        kind.sample(kind.ranges(**fields), AREA, rng)
        rest.add(rng.random())
    assert len(rest) == 1


def one_more_leaves_those_before_as_they_were(kind: Impurity) -> None:
    few, more = drawn(kind, centers_mm=CENTERS[:2]), drawn(kind)
    assert len(more) == 3
    assert more[:2] == few
    if "per_sample" in {field.name for field in dataclasses.fields(kind.ranges)}:
        counted = {
            count: drawn(kind, centers_mm=None, per_sample=count) for count in (0.0, 2.0, 7.0)
        }
        assert [len(pieces) for pieces in counted.values()] == [0, 2, 7]
        assert counted[7.0][:2] == counted[2.0]
        # All counts of a range occur.
        seen = {len(drawn(kind, seed, centers_mm=None, per_sample=(1, 3))) for seed in range(40)}
        assert seen == {1, 2, 3}


def the_mask_is_the_evaluation_at_pixel_centres(kind: Impurity) -> None:
    pieces = drawn(kind)
    for homography in (axis_aligned((-11.0, -9.0), 0.17), TILTED):
        raster = kind.rasterize(pieces, homography, SHAPE, 0.7)
        field = kind.evaluate(pieces, *pixel_points(homography, SHAPE), 0.7)
        assert isinstance(raster, Raster)
        assert isinstance(field, Field)
        assert np.array_equal(raster.instance, field.instance)
        assert np.array_equal(raster.mask, field.mask)
        assert np.array_equal(raster.mask, raster.instance > 0)
        assert raster.instance.dtype == np.uint16
        assert set(np.unique(raster.instance)) == {0, 1, 2, 3}


def nothing_changes_away_from_the_mask_and_something_within(kind: Impurity) -> None:
    raster = kind.rasterize(drawn(kind), TILTED, SHAPE, 0.7)
    away = ~dilated(raster.mask)
    assert away.any()
    assert all(
        layer.dtype == np.float32 and layer.shape == SHAPE for layer in layers(raster).values()
    )
    assert (raster.ratio[away] == 1).all()
    if kind.diffuse:
        assert (raster.ratio == 1).all()
        for layer in ("diffuse", "albedo", "slope_x", "slope_y"):
            assert not getattr(raster, layer)[away].any()
        assert (raster.diffuse[raster.mask] > 0).all()
        assert raster.slope_x.any()
        assert raster.slope_y.any()
    else:
        assert list(layers(raster)) == ["ratio"]
        assert (raster.ratio[raster.mask] != 1).mean() > 0.5


def every_layer_is_the_mean_over_the_pixel(kind: Impurity) -> None:
    pieces, shape, fine = drawn(kind), (90, 100), 6

    def mean(layer: np.ndarray) -> np.ndarray:
        return layer.reshape(shape[0], fine, shape[1], fine).mean(axis=(1, 3))

    for pixel_mm in (0.0652, 0.3):
        homography = axis_aligned((-6.0, -4.0), pixel_mm)
        raster = kind.rasterize(pieces, homography, shape, 0.7)
        field = kind.evaluate(pieces, *pixel_points(homography, shape, fine), 0.7)
        expected = {"ratio": mean(field.reflectance / 0.7)}
        if kind.diffuse:
            expected["diffuse"] = mean(field.diffuse)
            reflected = mean(field.diffuse * field.albedo)
            np.testing.assert_allclose(raster.diffuse * raster.albedo, reflected, atol=0.2)
            expected |= {"slope_x": mean(field.slope_x), "slope_y": mean(field.slope_y)}
        for layer, exact in expected.items():
            error = np.abs(getattr(raster, layer) - exact)
            # 3² points along edges miss the mean by a fraction of the step, elsewhere by little.
            assert error.max() < 0.25 * max(np.ptp(exact), 0.1), layer
            assert error.mean() < 0.01 * max(np.ptp(exact), 0.1), layer


def extremes(kind: Impurity) -> Iterator[tuple[str, set[float]]]:
    """Yield, for every range of a kind, the least and the largest constant that it accepts."""
    for key, hint in typing.get_type_hints(kind.ranges).items():
        if hint not in (Range, float):
            continue
        accepted = []
        for value in (-360.0, -5.0, -1.0, 0.0, 1e-6, 0.01, 0.3, 1.0, 2.0, 5.0, 30.0, 999.0):
            try:
                kind.validate(kind.ranges(centers_mm=CENTERS[:1], **{key: value}))
            except ValueError:
                continue
            accepted.append(value)
        yield key, {accepted[0], accepted[-1]}


def extreme_parameters_stay_finite_and_within_bounds(kind: Impurity) -> None:
    homography = axis_aligned((-15.0, -15.0), 0.5)
    for key, values in extremes(kind):
        for value in values:
            pieces = drawn(kind, centers_mm=CENTERS[:1], **{key: value})
            raster = kind.rasterize(pieces, homography, (60, 60), 0.7, 1)
            for layer in layers(raster).values():
                assert np.isfinite(layer).all(), (key, value)
            assert raster.ratio.min() >= 0, (key, value)
            assert raster.ratio.max() <= 1 / 0.7 + 1e-6, (key, value)
            if kind.diffuse:
                for layer in (raster.diffuse, raster.albedo):
                    assert 0 <= layer.min() <= layer.max() <= 1, (key, value)


def any_resolution_from_the_whole_plate_in_a_pixel_to_micrometres(kind: Impurity) -> None:
    pieces = drawn(kind)
    for pixel in (500.0, 7.0, 0.001):
        raster = kind.rasterize(pieces, axis_aligned((-2.5 * pixel, -2.5 * pixel), pixel), (5, 5))
        assert all(np.isfinite(layer).all() for layer in layers(raster).values())
        elsewhere = kind.rasterize(pieces, axis_aligned((500.0 * pixel, 400.0), pixel), (5, 5))
        assert not elsewhere.mask.any()
        assert (elsewhere.ratio == 1).all()


def without_any_nothing_changes(kind: Impurity) -> None:
    raster = kind.rasterize([], TILTED, (4, 5), 0.7)
    assert (raster.ratio == 1).all()
    assert not raster.mask.any()
    assert kind.diffuse == (raster.diffuse is not None)
    field = kind.evaluate([], np.arange(3.0), 0.0, 0.7)
    assert field.reflectance.tolist() == [0.7] * 3


def refuses_what_it_cannot_paint(kind: Impurity) -> None:
    fine = {"pixel_to_surface": np.eye(3), "shape": (4, 4)}
    for changes, message in (
        ({"reflectance": 0.0}, "reflectance: 0.0, expected above 0"),
        ({"reflectance": 1.5}, "reflectance: 1.5"),
        ({"pixel_to_surface": np.zeros((3, 3))}, "pixel_to_surface: singular"),
        ({"supersample": 0}, "supersample: 0"),
    ):
        with pytest.raises(ValueError, match=message):
            kind.rasterize([], **(fine | changes))
    with pytest.raises(ValueError, match="x_mm, y_mm: expected finite"):
        kind.evaluate([], [0.0, np.nan], 0.0)
    for area in ((0, 0, 0, 1), (0, 1, 1, 0), (0, 0, np.inf, 1)):
        with pytest.raises(ValueError, match="area_mm"):
            kind.sample(kind.ranges(), area, np.random.default_rng(1))


CHECKS: tuple[Callable[[Impurity], None], ...] = (
    every_key_says_what_it_means,
    defaults_are_valid_and_put_something_on_a_plate,
    survives_json_with_every_digit,
    the_seed_alone_decides,
    the_generator_is_read_for_a_fixed_amount,
    one_more_leaves_those_before_as_they_were,
    the_mask_is_the_evaluation_at_pixel_centres,
    nothing_changes_away_from_the_mask_and_something_within,
    every_layer_is_the_mean_over_the_pixel,
    extreme_parameters_stay_finite_and_within_bounds,
    any_resolution_from_the_whole_plate_in_a_pixel_to_micrometres,
    without_any_nothing_changes,
    refuses_what_it_cannot_paint,
)
