"""Augmentation: pure, seeded by purpose, and each effect is what its name says."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stainless.errors import InputError
from train.augment import Augmentation, Border, Ranges, augment, beyond_border, draw

IMAGE = np.random.default_rng(3).integers(40, 200, (48, 64, 3), dtype=np.uint8)


def test_the_default_changes_nothing():
    assert np.array_equal(augment(IMAGE, Augmentation()), IMAGE)


@given(seed=st.integers(0, 2**32), image=st.integers(0, 10**6), epoch=st.integers(0, 50))
def test_a_draw_depends_on_its_arguments_alone_and_stays_in_range(seed, image, epoch):
    ranges = Ranges()
    np.random.seed(seed % 2**32)  # noqa: NPY002 - the global generator must not matter
    first = draw(ranges, seed, image, epoch)
    assert first == draw(ranges, seed, image, epoch)
    assert ranges.brightness[0] <= first.brightness <= ranges.brightness[1]
    assert ranges.contrast[0] <= first.contrast <= ranges.contrast[1]
    assert ranges.blur_px[0] <= first.blur_px <= ranges.blur_px[1]
    assert first.border is None or first.border.side in range(4)


def test_image_epoch_and_seed_all_change_the_draw():
    drawn = {draw(Ranges(), s, i, e) for s in (0, 1) for i in (0, 1) for e in (0, 1)}
    assert len(drawn) == 8


def test_switching_one_purpose_off_leaves_the_others():
    every, without = Ranges(border=1.0), Ranges(border=0.0)
    for image in range(20):
        assert replace(draw(every, 5, image, 0), border=None) == draw(without, 5, image, 0)


def test_noise_repeats_and_has_the_given_deviation():
    grey = np.full((200, 200, 3), 128, np.uint8)
    how = Augmentation(noise=0.05, noise_key=(7, 1, 2, 7))
    noisy = augment(grey, how)
    assert np.array_equal(noisy, augment(grey, how))
    assert noisy.std() == pytest.approx(0.05 * 255, rel=0.02)
    other = augment(grey, replace(how, noise_key=(7, 1, 3, 7)))
    assert abs(np.corrcoef(noisy.ravel(), other.ravel())[0, 1]) < 0.02


def test_flips_brightness_and_contrast():
    assert np.array_equal(augment(IMAGE, Augmentation(flip_horizontal=True)), IMAGE[:, ::-1])
    assert np.array_equal(augment(IMAGE, Augmentation(flip_vertical=True)), IMAGE[::-1])
    lighter = augment(IMAGE, Augmentation(brightness=0.1)).astype(int) - IMAGE
    assert set(np.unique(lighter)) <= {25, 26}
    flat = augment(IMAGE, Augmentation(contrast=0.5))
    assert flat.std() == pytest.approx(IMAGE.std() / 2, rel=0.02)


def test_blur_keeps_the_mean_and_takes_the_detail():
    blurred = augment(IMAGE, Augmentation(blur_px=2.0))
    assert blurred.mean() == pytest.approx(IMAGE.mean(), abs=1)
    assert blurred.std() < IMAGE.std() / 3


@pytest.mark.parametrize("side", range(4))
def test_a_border_blackens_its_side_and_no_light_reaches_it(side):
    border = Border(side, depth=0.25, tilt_deg=0.0)
    dark = augment(IMAGE, Augmentation(brightness=0.1, border=border))
    black = beyond_border(48, 64, border)
    assert (dark[black] == 0).all() and (dark[~black] > 0).all()
    edge = [black[:, 0], black[:, -1], black[0], black[-1]]
    assert [bool(e.all()) for e in edge] == [side == other for other in range(4)]
    assert black.mean() == pytest.approx(0.25, abs=0.01)


def test_a_tilted_border_keeps_its_angle_on_a_wide_image():
    black = beyond_border(1000, 4000, Border(2, depth=0.5, tilt_deg=5.0))
    reach = black.sum(axis=0).astype(float)
    slope = np.polyfit(np.arange(4000), reach, 1)[0]
    assert np.rad2deg(np.arctan(slope)) == pytest.approx(5.0, abs=0.05)


@pytest.mark.parametrize("wrong", [{"flip": 1.5}, {"noise": (0.2, 0.1)}, {"border": -0.1}])
def test_impossible_ranges_are_refused(wrong):
    with pytest.raises(InputError, match=next(iter(wrong))):
        Ranges(**wrong)
