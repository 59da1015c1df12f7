"""Pen strokes: where they are, that they hold together, that they differ."""

import numpy as np
import pytest

from impurities.sticker.digits import ADVANCE, WIDTH, distance, strokes, text_width

ALL = "0123456789"


def test_hand_computed_distances():
    # A one of 10 mm: its stem stands at u = (0.36 − 0.3)·10 = 0.6 from v = −5 to 5.
    one = strokes("1", 10.0)
    u, v = np.array([0.6, 1.6, 0.6, 3.6, 99.0]), np.array([0.0, -1.0, -7.0, -9.0, 0.0])
    # Beside the stem 1, below its foot 2, and 5 from the foot of the triangle 3-4-5.
    assert distance(one, u, v, 9.0)[:4].tolist() == pytest.approx([0.0, 1.0, 2.0, 5.0])
    assert distance(one, u, v, 9.0)[4] > 9.0
    # The flag goes from (0.12, 0.78) to (0.36, 1): half-way lies (0.24, 0.89), −0.6 and 3.9 mm.
    assert distance(one, np.array([-0.6]), np.array([3.9]), 1.0) == pytest.approx(0.0, abs=1e-9)


def test_a_text_is_centred_and_its_digits_stand_side_by_side():
    assert text_width("8") == WIDTH
    assert text_width("808") == pytest.approx(WIDTH + 2 * ADVANCE)
    alone, row = strokes("8", 5.0)[0], strokes("808", 5.0)
    shift = np.array([ADVANCE * 5.0, 0.0] * 2)
    np.testing.assert_allclose(row[0], alone - shift, atol=1e-12)
    np.testing.assert_allclose(row[2], alone + shift, atol=1e-12)
    ends = alone.reshape(-1, 2)
    np.testing.assert_allclose(ends.min(axis=0) + ends.max(axis=0), 0, atol=0.1)


@pytest.mark.parametrize("digit", ALL)
def test_a_digit_fills_its_box(digit):
    (glyph,) = strokes(digit, 1.0)
    ends = glyph.reshape(-1, 2)
    assert np.abs(ends[:, 0]).max() <= WIDTH / 2 + 0.02
    assert ends[:, 1].min() == pytest.approx(-0.5, abs=0.03)
    assert ends[:, 1].max() == pytest.approx(0.5, abs=0.05)
    # No piece without length, at which the distance could not be told.
    assert np.hypot(*(glyph[:, 2:] - glyph[:, :2]).T).min() > 1e-3


@pytest.mark.parametrize("digit", ALL)
@pytest.mark.parametrize("wobble", [0.0, 0.15])
def test_the_pen_never_leaves_the_paper(digit, wobble):
    (glyph,) = strokes(digit, 4.0, 0.2, wobble, (11.0, 80.0))
    reached, left = {tuple(glyph[0, :2])}, [tuple(piece) for piece in glyph]
    grown = True
    while grown:
        near = [p for p in left if p[:2] in reached or p[2:] in reached]
        reached |= {end for p in near for end in (p[:2], p[2:])}
        left = [p for p in left if p not in near]
        grown = bool(near)
    assert not left


def test_digits_differ_from_each_other():
    u, v = (
        axis.ravel() for axis in np.meshgrid(np.linspace(-0.4, 0.4, 60), np.linspace(-0.6, 0.6, 90))
    )
    inked = {digit: distance(strokes(digit, 1.0), u, v, 0.1) < 0.06 for digit in ALL}
    for one in ALL:
        for other in ALL:
            if one < other:
                both, either = inked[one] & inked[other], inked[one] | inked[other]
                assert both.sum() < 0.75 * either.sum(), (one, other)


def test_handwriting_slants_and_strays():
    (printed,), (slanted,) = strokes("7", 2.0), strokes("7", 2.0, slant=0.5)
    # At the top, v = 1 mm, the lean is half of it; the foot leans as far the other way.
    np.testing.assert_allclose(slanted[0, :2] - printed[0, :2], [0.5, 0.0], atol=1e-12)
    np.testing.assert_allclose(slanted[-1, 2:] - printed[-1, 2:], [-0.5, 0.0], atol=1e-12)
    (strayed,) = strokes("7", 2.0, wobble=0.1, noise_offset=(0.3, 0.4))
    off = np.abs(strayed - printed)
    assert 0.01 < off.max() <= 0.1 * 2.0
    (elsewhere,) = strokes("7", 2.0, wobble=0.1, noise_offset=(99.3, 5.4))
    assert not np.allclose(strayed, elsewhere)


def test_only_digits_can_be_written():
    with pytest.raises(KeyError):
        strokes("4a", 1.0)
