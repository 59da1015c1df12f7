"""Stickers by hand, and how their draw answers to a change of its ranges."""

import dataclasses
import math

import numpy as np
import pytest

from impurities.placement import spread
from impurities.sticker.ranges import StickerRanges, sample_stickers, validate
from impurities.sticker.sticker import Bubble, Sticker, evaluate, rasterize
from stainless.homography import axis_aligned
from stainless.ranges import bounds

AREA = (-60.0, -50.0, 60.0, 50.0)
#: A label of 10 by 6 mm with a printed one of 4 mm on it; its stem stands at u = 0.06·4 = 0.24.
PLAIN = Sticker(
    center_mm=(0.0, 0.0),
    angle_rad=0.0,
    width_mm=10.0,
    height_mm=6.0,
    corner_mm=1.0,
    diffuse=1.0,
    albedo=0.75,
    ink_albedo=0.08,
    text="1",
    digit_mm=4.0,
    stroke_mm=0.4,
    slant=0.0,
    wobble=0.0,
    noise_offset=(0.0, 0.0),
    thickness_mm=0.1,
    rim_mm=0.2,
)


def with_(**changes):
    return [dataclasses.replace(PLAIN, **changes)]


def drawn(seed=1, **fields):
    return sample_stickers(StickerRanges(**fields), AREA, np.random.default_rng(seed))


def test_hand_computed_outline():
    # Corners are arcs of 1 mm around (±4, ±2): (4.6, 2.6) is 0.85 from there, (4.8, 2.8) 1.13.
    x = np.array([4.99, 5.01, 0.0, 0.0, 4.6, 4.8, -4.6, -4.8])
    y = np.array([0.0, 0.0, -2.99, -3.01, 2.6, 2.8, -2.6, -2.8])
    field = evaluate([PLAIN], x, y, 0.8)
    assert field.mask.tolist() == [True, False] * 4
    assert field.diffuse.tolist() == [1, 0] * 4
    assert field.albedo.tolist() == [0.75, 0] * 4
    assert (field.reflectance == 0.8).all()
    dot = with_(width_mm=6.0, corner_mm=3.0)
    assert evaluate(dot, [2.1, 2.2], [2.1, 2.2]).mask.tolist() == [True, False]


def test_hand_computed_ink():
    # The pen is 0.4 wide: the stem reaches from u = 0.04 to 0.44, and 0.2 below its foot at −2.
    x, y = np.array([0.03, 0.05, 0.43, 0.45, 0.24, 0.24]), np.array([0, 0, 0, 0, -2.19, -2.21])
    field = evaluate([PLAIN], x, y)
    assert field.albedo.tolist() == [0.75, 0.08, 0.08, 0.75, 0.08, 0.75]
    film = evaluate(with_(diffuse=0.6), x, y)
    assert np.array_equal(film.albedo, field.albedo)
    assert (film.diffuse == 0.6).all()


def test_hand_computed_rim():
    # 3t² − 2t³ is steepest half-way, 1.5 of the mean slope 0.1/0.2; the surface falls outwards.
    x, y = np.array([4.9, -4.9, 0.0, 0.0, 4.7, 5.1]), np.array([0.0, 0.0, 2.9, -2.9, 0.0, 0.0])
    field = evaluate([PLAIN], x, y)
    np.testing.assert_allclose(field.slope_x, [-0.75, 0.75, 0, 0, 0, 0], atol=1e-9)
    np.testing.assert_allclose(field.slope_y, [0, 0, -0.75, 0.75, 0, 0], atol=1e-9)
    # In a corner it falls along the diagonal.
    corner = evaluate([PLAIN], 4 + 0.9 * math.sqrt(0.5), 2 + 0.9 * math.sqrt(0.5))
    assert corner.slope_x == pytest.approx(-0.75 * math.sqrt(0.5))
    assert corner.slope_y == pytest.approx(-0.75 * math.sqrt(0.5))
    # Along the way in, slopes add up to the thickness.
    x = np.linspace(-5.5, -3.0, 5001)
    rise = evaluate([PLAIN], x, 1.3).slope_x.sum() * (x[1] - x[0])
    assert rise == pytest.approx(0.1, abs=1e-4)


def test_hand_computed_bubble():
    bubbled = with_(bubbles=(Bubble((-2.5, 0.5), 1.0, 0.08),))
    # Half-way down the dome of cos² the slope is h·π / 2R; at its top and its foot there is none.
    field = evaluate(bubbled, [-2.5, -2.0, -2.5, -3.5, -1.4], [0.5, 0.5, 0.0, 0.5, 0.5])
    steep = 0.08 * math.pi / 2
    np.testing.assert_allclose(field.slope_x, [0, -steep, 0, 0, 0], atol=1e-12)
    np.testing.assert_allclose(field.slope_y, [0, 0, steep, 0, 0], atol=1e-12)
    x = np.linspace(-3.6, -2.5, 4001)
    assert evaluate(bubbled, x, 0.5).slope_x.sum() * (x[1] - x[0]) == pytest.approx(0.08, abs=1e-4)


def test_a_turn_turns_outline_ink_and_slopes():
    turned = with_(center_mm=(3.0, -1.0), angle_rad=0.7, bubbles=(Bubble((-2.5, 0.5), 1.0, 0.08),))
    upright = with_(bubbles=turned[0].bubbles)
    u, v = np.random.default_rng(1).uniform(-5.5, 5.5, (2, 4000))
    cos, sin = math.cos(0.7), math.sin(0.7)
    before = evaluate(upright, u, v)
    after = evaluate(turned, 3.0 + cos * u - sin * v, -1.0 + sin * u + cos * v)
    assert np.array_equal(before.mask, after.mask)
    assert np.array_equal(before.albedo, after.albedo)
    np.testing.assert_allclose(
        after.slope_x, cos * before.slope_x - sin * before.slope_y, atol=1e-9
    )
    np.testing.assert_allclose(
        after.slope_y, sin * before.slope_x + cos * before.slope_y, atol=1e-9
    )


def test_hand_computed_pixels():
    # Pixels of 1 mm, from x = 3.5 to 6.5: the edge at 5 halves the second; its inner half has four
    # of the sixteen points within the rim, from 4.8 on: x = 4.875, where t = 0.625.
    raster = rasterize([PLAIN], axis_aligned((3.5, -0.5), 1.0), (1, 3), supersample=4)
    assert raster.diffuse.tolist() == [[1, 0.5, 0]]
    np.testing.assert_allclose(raster.albedo, [[0.75, 0.75, 0]])
    steep = 0.1 / 0.2 * 6 * 0.625 * 0.375
    np.testing.assert_allclose(raster.slope_x, [[0, -steep / 4, 0]], rtol=1e-6)
    assert raster.mask.tolist() == [[True, False, False]]
    # From x = −0.06 to 0.14 the stem has one half of the pixel, from 0.04 on.
    inked = rasterize([PLAIN], axis_aligned((-0.06, -0.1), 0.2), (1, 1), supersample=4)
    assert inked.albedo == pytest.approx((0.75 + 0.08) / 2)


def test_the_later_sticker_hides_the_earlier():
    film = dataclasses.replace(PLAIN, center_mm=(6.0, 0.0), diffuse=0.6, albedo=0.5, text="7")
    field = evaluate([PLAIN, film], [3.0, 1.5, 0.0], [-2.0, -2.0, -1.0])
    assert field.instance.tolist() == [2, 2, 1]
    assert field.diffuse.tolist() == [0.6, 0.6, 1.0]
    assert field.albedo.tolist() == [0.5, 0.5, 0.75]
    # The film's edge at x = 1 runs through the middle of a pixel on paper.
    raster = rasterize([PLAIN, film], axis_aligned((0.9, -2.1), 0.2), (1, 1), supersample=4)
    assert raster.diffuse == pytest.approx(0.8)
    assert raster.albedo == pytest.approx((0.5 * 1.0 * 0.75 + 0.5 * 0.6 * 0.5) / 0.8)


#: What a change of each range may move in a sticker. The outline moves what must fit into it.
FITTED = {"digit_mm", "stroke_mm", "bubbles"}
MOVES = [
    ("angle_deg", 10.0, {"angle_rad"}),
    ("dots", 0.9, {"width_mm", "height_mm", "corner_mm", "center_mm", *FITTED}),
    ("diameter_mm", 5.0, {"width_mm", "height_mm", "corner_mm", "center_mm", *FITTED}),
    ("width_mm", (5.0, 30.0), {"width_mm", "center_mm", *FITTED}),
    ("height_mm", (5.0, 30.0), {"height_mm", "center_mm", *FITTED}),
    ("corner_mm", 0.0, {"corner_mm", *FITTED}),
    ("papers", 0.1, {"diffuse", "albedo"}),
    ("paper_albedo", 0.9, {"albedo"}),
    ("film_albedo", 0.9, {"albedo"}),
    ("film_diffuse", 0.9, {"diffuse"}),
    ("ink_albedo", 0.3, {"ink_albedo"}),
    ("number", (100, 999), {"text", "digit_mm", "stroke_mm"}),
    ("prints", 0.9, {"slant", "wobble"}),
    ("digit_share", 0.3, {"digit_mm", "stroke_mm"}),
    ("stroke_share", 0.2, {"stroke_mm"}),
    ("slant", 0.5, {"slant"}),
    ("wobble", 0.0, {"wobble"}),
    ("thickness_mm", 0.5, {"thickness_mm"}),
    ("rim_mm", (0.05, 1.0), {"rim_mm", *FITTED}),
    ("bubbles", 16, {"bubbles"}),
    ("bubble_radius_mm", 0.2, {"bubbles"}),
    ("bubble_height_mm", 0.5, {"bubbles"}),
    ("jitter", 0.0, {"center_mm"}),
    ("centers_mm", [(0.0, 1.0)] * 20, {"center_mm"}),
]


@pytest.mark.parametrize(("field", "value", "moved"), MOVES, ids=[move[0] for move in MOVES])
def test_a_range_moves_its_own_number_and_what_must_fit(field, value, moved):
    before, after = drawn(per_sample=20), drawn(per_sample=20, **{field: value})
    different = {
        key.name
        for key in dataclasses.fields(Sticker)
        if any(
            getattr(a, key.name) != getattr(b, key.name) for a, b in zip(before, after, strict=True)
        )
    }
    assert different <= moved
    assert moved - FITTED <= different
    assert different


def test_every_range_is_tried():
    tried = {move[0] for move in MOVES} | {"per_sample"}
    assert tried == {key.name for key in dataclasses.fields(StickerRanges)}


def test_one_bubble_more_leaves_those_before_as_they_were():
    for few, more in zip(
        drawn(per_sample=9, bubbles=2), drawn(per_sample=9, bubbles=5), strict=True
    ):
        assert more.bubbles[:2] == few.bubbles
        assert len(more.bubbles) == 5


def test_what_is_drawn_lies_on_the_plate_and_within_the_sticker():
    ranges = StickerRanges(per_sample=300, bubbles=3, number=(0, 999))
    stickers = sample_stickers(ranges, AREA, np.random.default_rng(2))
    paper = [sticker.diffuse == 1 for sticker in stickers]
    dots = [
        sticker.corner_mm == sticker.width_mm / 2 == sticker.height_mm / 2 for sticker in stickers
    ]
    printed = [sticker.wobble == 0 for sticker in stickers]
    # Four standard deviations of 300 draws are 0.115 at most.
    for share, flags in ((0.7, paper), (0.35, dots), (0.4, printed)):
        assert abs(np.mean(flags) - share) < 0.115
    assert {len(sticker.text) for sticker in stickers} == {1, 2, 3}
    for sticker in stickers:
        x, y = sticker.center_mm
        assert AREA[0] + sticker.reach_mm <= x <= AREA[2] - sticker.reach_mm
        assert AREA[1] + sticker.reach_mm <= y <= AREA[3] - sticker.reach_mm
        low, high = bounds(ranges.thickness_mm)
        assert low <= sticker.thickness_mm <= high
        # The border of every bubble lies on the blank beyond the rim.
        for bubble in sticker.bubbles:
            around = np.linspace(0, 2 * np.pi, 24)
            u = bubble.center_mm[0] + bubble.radius_mm * np.cos(around)
            v = bubble.center_mm[1] + bubble.radius_mm * np.sin(around)
            upright = dataclasses.replace(
                sticker, center_mm=(0.0, 0.0), angle_rad=0.0, bubbles=(), text=""
            )
            field = evaluate([upright], u, v)
            assert field.mask.all()
            np.testing.assert_allclose(field.slope_x, 0, atol=1e-6)


def test_pieces_spread_evenly_without_jitter_and_keep_inside():
    area, uniform = (0.0, 0.0, 10.0, 4.0), np.random.default_rng(1).random((100, 2))
    even = spread(area, np.array([0.2, 0.7]), uniform, 0.0)
    assert even[0].tolist() == pytest.approx([2.0, 2.8])
    # The next is 1/φ and 1/φ² of the edges further, 0.7549 and 0.5698, modulo 1.
    assert even[1].tolist() == pytest.approx([9.5488, (0.7 + 0.56984 - 1) * 4], abs=1e-3)
    counts, _, _ = np.histogram2d(*even.T, bins=(5, 5), range=((0, 10), (0, 4)))
    assert counts.min() >= 3
    assert counts.max() <= 5
    anywhere = spread(area, np.array([0.2, 0.7]), uniform, 1.0, 1.5)
    assert (anywhere >= 1.5).all()
    assert (anywhere <= [8.5, 2.5]).all()
    narrow = spread(area, np.array([0.2, 0.7]), uniform, 1.0, 3.0)
    assert (narrow[:, 1] == 2.0).all()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"per_sample": 1e9}, "per_sample: "),
        ({"dots": 1.5}, "dots: 1.5"),
        ({"diameter_mm": 0.0}, "diameter_mm: 0.0"),
        ({"width_mm": (20.0, 10.0)}, "width_mm: .* low <= high"),
        ({"height_mm": 0.5}, "height_mm: 0.5"),
        ({"corner_mm": 4.0}, "corner_mm: 4.0, expected at most half .* 3.5"),
        ({"rim_mm": 3.5}, "rim_mm: 3.5, expected below half .* 3.5"),
        ({"rim_mm": 0.0}, "rim_mm: 0.0, expected above 0"),
        ({"papers": -0.1}, "papers: -0.1"),
        ({"paper_albedo": 1.1}, "paper_albedo: 1.1"),
        ({"film_diffuse": math.nan}, "film_diffuse: nan, expected finite"),
        ({"number": 1.5}, "number: 1.5, expected whole numbers"),
        ({"number": -3}, "number: -3"),
        ({"digit_share": 0.0}, "digit_share: 0.0"),
        ({"stroke_share": 0.9}, "stroke_share: 0.9"),
        ({"wobble": 3.0}, "wobble: 3.0"),
        ({"thickness_mm": -0.1}, "thickness_mm: -0.1"),
        ({"bubbles": 17}, "bubbles: 17"),
        ({"bubbles": (0, 2.5)}, "bubbles: .* whole numbers"),
        ({"bubble_radius_mm": 0.0}, "bubble_radius_mm: 0.0"),
    ],
)
def test_bad_ranges_are_one_line_that_names_the_key(fields, message):
    with pytest.raises(ValueError, match=message) as caught:
        validate(StickerRanges(**fields))
    assert "\n" not in str(caught.value)
