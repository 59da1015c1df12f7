"""The finish as slopes: the same whatever window shows it, of the stated strength, along v."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from render.parts.plate.surface.parallel_texture import (
    DeepGrooves,
    ParallelTexture,
    StreakLayer,
    TextureRanges,
    Window,
    sample_texture,
    slope_map,
)
from stainless.streams import Draw, Stream, seed_sequence

REACH = 30.0
NO_GROOVES = DeepGrooves(0, 40.0, 40.0, (3.0, 25.0), (0.01, 0.02), (0.04, 0.2), (0.0, 0.01))


def texture(*layers, grooves=NO_GROOVES, waviness=0.0, seed=5):
    return ParallelTexture(0.0, layers, grooves, waviness, 15.0, seed)


WHOLE = texture(
    StreakLayer(0.05, 5.0, 0.05),
    StreakLayer(0.5, 30.0, 0.01),
    grooves=dataclasses.replace(NO_GROOVES, count=300),
    waviness=0.01,
)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 60), st.integers(0, 60), st.integers(1, 40), st.integers(1, 40))
def test_a_point_has_the_same_slope_through_any_window(row, column, rows, columns):
    texel = 0.0625  # exact in binary: both windows name the very same points
    whole = slope_map(WHOLE, Window(-3.0, -2.0, texel, (100, 100)), REACH)
    start = (-3.0 + column * texel, -2.0 + row * texel)
    part = slope_map(WHOLE, Window(*start, texel, (rows, columns)), REACH)
    for one, other in zip(whole, part, strict=True):
        expected = one[row : row + rows, column : column + columns]
        np.testing.assert_allclose(other, expected, atol=2e-6)


def test_a_finer_window_has_the_same_slopes_at_the_same_points():
    coarse = slope_map(WHOLE, Window(0.0, 0.0, 0.03, (50, 70)), REACH)
    fine = slope_map(WHOLE, Window(0.0, 0.0, 0.01, (150, 210)), REACH)
    for one, other in zip(coarse, fine, strict=True):
        np.testing.assert_allclose(one, other[1::3, 1::3], atol=2e-6)


def test_another_seed_is_another_finish():
    window = Window(0.0, 0.0, 0.05, (40, 40))
    one, other = (slope_map(dataclasses.replace(WHOLE, seed=s), window, REACH)[1] for s in (1, 2))
    assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 0.2


def test_streaks_slope_across_the_grooves_only_with_the_stated_strength():
    layer = StreakLayer(0.05, 1.0, 0.04)
    along, across = slope_map(texture(layer), Window(-28.0, -28.0, 0.07, (800, 800)), REACH)
    assert not along.any()
    # 800 x 56 independent streaks: the root mean square strays by less than a percent.
    assert np.sqrt(np.mean(across**2)) == pytest.approx(0.04, rel=0.02)
    assert abs(across.mean()) < 0.0015


def test_layers_add_their_powers():
    layers = StreakLayer(0.05, 1.0, 0.04), StreakLayer(0.1, 1.0, 0.03)
    across = slope_map(texture(*layers), Window(-28.0, -28.0, 0.07, (800, 800)), REACH)[1]
    assert np.sqrt(np.mean(across**2)) == pytest.approx(0.05, rel=0.02)


def test_a_streak_forgets_itself_over_its_length_and_grooves_know_nothing_of_each_other():
    across = slope_map(
        texture(StreakLayer(0.1, 2.0, 0.04)), Window(-28.0, -28.0, 0.1, (560, 560)), REACH
    )[1]

    def correlation(rows, columns):
        one = across[: 560 - rows, : 560 - columns]
        other = across[rows:, columns:]
        return np.corrcoef(one.ravel(), other.ravel())[0, 1]

    assert correlation(0, 20) == pytest.approx(np.exp(-1), abs=0.04)
    assert correlation(0, 40) == pytest.approx(np.exp(-2), abs=0.04)
    assert abs(correlation(2, 0)) < 0.02


def test_waviness_has_the_stated_slope_along_either_direction():
    squares = np.zeros(2)
    for seed in range(30):
        smooth = texture(waviness=0.02, seed=seed)
        slopes = slope_map(smooth, Window(-28.0, -28.0, 2.0, (28, 28)), REACH)
        squares += [np.mean(slope**2) for slope in slopes]
    np.testing.assert_allclose(np.sqrt(squares / 30), 0.02, rtol=0.1)


def test_waviness_is_the_gradient_of_a_height():
    smooth = texture(waviness=0.02)
    texel = 0.1
    along, across = (
        slope.astype(np.float64)
        for slope in slope_map(smooth, Window(-5.0, -5.0, texel, (100, 100)), REACH)
    )
    # Mixed derivatives of a height agree.
    left = np.gradient(along, texel, axis=0)
    right = np.gradient(across, texel, axis=1)
    assert np.abs(left - right)[1:-1, 1:-1].max() < 0.02 * np.abs(left).max()


def deep(count=1, **changes):
    plain = DeepGrooves(count, 0.0, 0.0, (8.0, 8.0), (0.1, 0.1), (0.2, 0.2), (0.0, 0.0))
    return texture(grooves=dataclasses.replace(plain, **changes))


def test_a_deep_groove_has_its_steepest_flank_one_deviation_off_its_axis():
    window = Window(-5.0, -1.0, 0.01, (200, 1000))
    along, across = slope_map(deep(), window, REACH)
    u, v = window.centres()
    assert not along.any()
    row, column = np.unravel_index(across.argmax(), across.shape)
    assert across.max() == pytest.approx(0.2, rel=0.01)
    assert v[row] == pytest.approx(0.1, abs=0.011)
    assert u[column] == pytest.approx(0, abs=0.011)
    np.testing.assert_allclose(across, -across[::-1], atol=1e-6, err_msg="a valley: odd in v")
    # Above the axis the surface rises, below it falls: the groove is cut into the metal.
    assert (across[105:140, 500] > 0).all()
    ended = np.abs(u) >= 4
    assert not across[:, ended].any()
    assert across[110][np.abs(u) < 3.9].all()


def test_a_tilted_groove_slopes_across_its_own_axis():
    along, across = slope_map(
        deep(tilt_rad=(0.3, 0.3)), Window(-5.0, -3.0, 0.02, (300, 500)), REACH
    )
    slopes = np.stack([along.ravel(), across.ravel()])
    steep = slopes[:, np.hypot(*slopes) > 0.02]
    assert steep.shape[1] > 100
    ratio = steep[0] / steep[1]
    np.testing.assert_allclose(np.abs(ratio), np.tan(0.3), rtol=1e-4)


def test_one_groove_more_leaves_the_others():
    window = Window(-20.0, -20.0, 0.1, (400, 400))
    spread = {"width_mm": 40.0, "height_mm": 40.0}
    few, more = (slope_map(deep(n, **spread), window, REACH)[1] for n in (20, 21))
    assert 0 < np.count_nonzero(few != more) < 0.01 * few.size


def test_grooves_of_a_sample_by_its_density():
    drawn = sample_texture(
        TextureRanges(grooves_per_cm2=7.0, strength=2.0),
        (120.0, 100.0),
        Draw(seed_sequence(1, 0, Stream.TEXTURE)),
    )
    assert drawn.grooves.count == 840
    assert [layer.rms_slope for layer in drawn.layers] == [0.09, 0.056, 0.028, 0.01]


@pytest.mark.parametrize("corner", [(-31.0, 0.0), (0.0, -31.0), (28.0, 0.0), (0.0, 28.0)])
def test_a_window_that_leaves_the_plate_is_refused(corner):
    window = Window(*corner, 0.1, (40, 40))
    with pytest.raises(ValueError, match="leaves the texture's square"):
        slope_map(WHOLE, window, REACH)


def test_texel_centres():
    u, v = Window(1.0, 2.0, 0.5, (2, 3)).centres()
    assert u.tolist() == [1.25, 1.75, 2.25]
    assert v.tolist() == [2.25, 2.75]
