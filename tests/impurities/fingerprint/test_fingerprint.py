"""Fingerprints by hand, and how their draw answers to a change of its ranges."""

import dataclasses
import math

import numpy as np
import pytest

from impurities.fingerprint.film import CONTACT_LIMIT, Fingerprint, evaluate
from impurities.fingerprint.ranges import FingerprintRanges, sample_prints, validate
from impurities.fingerprint.ridges import RidgeFlow
from stainless.ranges import bounds

AREA = (-60.0, -50.0, 60.0, 50.0)
#: Straight ridges below an upright, evenly pressed finger.
PLAIN = Fingerprint(
    center_mm=(0.0, 0.0),
    angle_rad=0.0,
    width_mm=12.0,
    length_mm=16.0,
    period_mm=0.5,
    flow=RidgeFlow(),
    contrast=-0.1,
    haze=0.25,
    tilt=0.0,
    tilt_rad=0.0,
    unevenness=0.0,
    gaps=0.0,
    drag_mm=(0.0, 0.0),
    noise_offset=(3.0, 7.0),
    seed=5,
)


def with_(**changes):
    return [dataclasses.replace(PLAIN, **changes)]


def drawn(seed=1, **fields):
    return sample_prints(FingerprintRanges(**fields), AREA, np.random.default_rng(seed))


def test_hand_computed_crests_and_valleys():
    v = np.linspace(-0.8, 0.8, 400)
    line = evaluate([PLAIN], 0.0, v, 0.8).reflectance
    # Under full pressure a crest has the whole film, 0.8·(1 − 0.1); a valley the haze, a quarter.
    assert line.min() == pytest.approx(0.72, abs=1e-6)
    assert line.max() == pytest.approx(0.78, abs=1e-6)
    # 1.6 mm at a period of 0.5 mm: three ridges and a bit.
    crossings = (np.diff(np.sign(line - 0.75)) != 0).sum()
    assert 6 <= crossings <= 7
    # Ridges run along u: much the same a tenth of a period further, valleys above crests half of
    # one further along v.
    beside = evaluate([PLAIN], 0.05, v, 0.8).reflectance
    above = evaluate([PLAIN], 0.0, v + 0.25, 0.8).reflectance
    assert np.corrcoef(line, beside)[0, 1] > 0.97
    assert np.corrcoef(line, above)[0, 1] < -0.8


def test_the_film_fades_to_nothing_at_the_border_of_the_contact():
    # pressure = 1 − ρ², at the limit where ρ = √(1 − limit); halves of the oval are 6 and 8 mm.
    edge = math.sqrt(1 - CONTACT_LIMIT)
    u, v = np.array([edge * 6 - 0.02, edge * 6 + 0.02, 0, 0]), np.array([0, 0, 7.48, 7.53])
    field = evaluate([PLAIN], u, v)
    assert field.mask.tolist() == [True, False, True, False]
    assert (field.reflectance[1], field.reflectance[3]) == (1, 1)
    assert 0.99 < field.reflectance[0] < 1


def test_a_turn_turns_the_oval():
    turned = with_(angle_rad=math.pi / 2)
    assert evaluate(turned, [7.0, 0.0], [0.0, 7.0]).mask.tolist() == [True, False]
    assert evaluate([PLAIN], [7.0, 0.0], [0.0, 7.0]).mask.tolist() == [False, True]
    # Counter-clockwise: a tip that pointed along y points along −x; tilt took its pressure.
    half = with_(angle_rad=math.pi / 2, tilt=1.0, tilt_rad=math.pi / 2)
    assert evaluate(half, [-4.0, 4.0], 0.0).mask.tolist() == [False, True]


def test_a_tilted_finger_leaves_part_of_its_print():
    # pressure = 1 − ρ² − (1 + s)/2 along u: 0.12 at s where s² + s/2 = 0.38, s = 0.415 and −0.915.
    field = evaluate(with_(tilt=1.0), [-5.55, -5.4, 2.4, 2.6], 0.0)
    assert field.mask.tolist() == [False, True, True, False]
    # Far beyond the oval nothing comes back.
    assert not evaluate(with_(tilt=1.0), np.linspace(-40, -6.5, 300), 0.0).mask.any()


def test_a_drag_carries_film_and_contact_along():
    dragged = with_(drag_mm=(1.0, 0.0))
    x = np.arange(-12.0, 12.0, 0.05)
    before, after = evaluate([PLAIN], x, 0.0), evaluate(dragged, x, 0.0)
    assert x[after.mask].min() > x[before.mask].min()
    assert x[after.mask].max() > x[before.mask].max() + 0.5
    # An exponential trail moves what there is by its length, 1 mm on average.
    y = np.arange(-12.0, 12.0, 0.05)[:, None]

    def middle(prints):
        film = 1 - evaluate(prints, x, y).reflectance
        return (film * x).sum() / film.sum()

    assert middle(dragged) - middle([PLAIN]) == pytest.approx(1.0, abs=0.25)
    # Across the ridges it blurs them.
    v = np.linspace(-0.8, 0.8, 400)
    across = evaluate(with_(drag_mm=(0.0, 1.0)), 0.0, v).reflectance
    assert np.ptp(across) < 0.5 * np.ptp(evaluate([PLAIN], 0.0, v).reflectance)


def test_gaps_open_the_ridges_and_leave_the_contact():
    x, y = np.linspace(-4, 4, 200), np.linspace(-6, 6, 200)[:, None]
    whole, open_ = evaluate([PLAIN], x, y), evaluate(with_(gaps=1.0), x, y)
    assert np.array_equal(whole.mask, open_.mask)
    full = whole.reflectance < 0.91
    assert full.mean() > 0.1
    assert (open_.reflectance[full] > 0.95).mean() > 0.05
    # Haze stays below a gap: the film thins, unevenly, but is not wiped off.
    assert open_.reflectance[whole.mask].max() < 1


def test_overlapping_prints_both_act():
    pair = [PLAIN, *with_(center_mm=(3.0, 0.0), contrast=-0.2)]
    x, y = np.linspace(-9, 9, 300), 0.3
    first, second = (evaluate([finger], x, y, 0.8) for finger in pair)
    both = evaluate(pair, x, y, 0.8)
    np.testing.assert_allclose(
        both.reflectance, first.reflectance * second.reflectance / 0.8, rtol=1e-12
    )
    assert np.array_equal(both.instance, np.where(second.mask, 2, first.mask))


#: What a change of each range may move in a print.
MOVES = [
    ("angle_deg", 10.0, {"angle_rad"}),
    ("width_mm", (4.0, 25.0), {"width_mm", "flow"}),
    ("length_mm", 20.0, {"length_mm", "flow"}),
    ("period_mm", (0.3, 1.0), {"period_mm"}),
    ("loops", 0.1, {"flow"}),
    ("whorls", 0.0, {"flow"}),
    ("contrast", (-1.0, 0.0), {"contrast"}),
    ("haze", 0.5, {"haze"}),
    ("tilt", 0.9, {"tilt"}),
    ("unevenness", 0.0, {"unevenness"}),
    ("gaps", (0.0, 1.0), {"gaps"}),
    ("drag_mm", 3.0, {"drag_mm"}),
    ("jitter", 0.0, {"center_mm"}),
    ("centers_mm", [(0.0, 1.0)] * 12, {"center_mm"}),
]


@pytest.mark.parametrize(("field", "value", "moved"), MOVES, ids=[move[0] for move in MOVES])
def test_a_range_moves_its_own_number_and_no_other(field, value, moved):
    before, after = drawn(per_sample=12.0), drawn(per_sample=12.0, **{field: value})
    different = {
        key.name
        for key in dataclasses.fields(Fingerprint)
        if any(
            getattr(a, key.name) != getattr(b, key.name) for a, b in zip(before, after, strict=True)
        )
    }
    assert different == moved


def test_every_range_is_tried():
    tried = {move[0] for move in MOVES} | {"per_sample"}
    assert tried == {key.name for key in dataclasses.fields(FingerprintRanges)}


def test_numbers_lie_in_their_ranges_and_patterns_in_their_shares():
    ranges = FingerprintRanges(per_sample=600.0)
    prints = sample_prints(ranges, AREA, np.random.default_rng(2))
    for name in ("width_mm", "length_mm", "period_mm", "contrast", "haze", "tilt", "gaps"):
        low, high = bounds(getattr(ranges, name))
        values = [getattr(finger, name) for finger in prints]
        assert low <= min(values) < low + 0.05 * (high - low)
        assert high - 0.05 * (high - low) < max(values) <= high
    assert max(math.hypot(*finger.drag_mm) for finger in prints) <= 0.2 + 1e-12
    cores = np.bincount([len(finger.flow.cores_mm) for finger in prints], minlength=3) / 600
    # Arches, loops and whorls; four standard deviations of 600 draws are 0.08 at most.
    np.testing.assert_allclose(cores, [0.05, 0.65, 0.3], atol=0.08)
    # Thumbs of either hand.
    sides = [finger.flow.deltas_mm[0][0] > 0 for finger in prints if len(finger.flow.cores_mm) == 1]
    assert 0.35 < np.mean(sides) < 0.65


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"per_sample": -1.0}, "per_sample: -1.0, expected within"),
        ({"per_sample": (0.5, 2.0)}, "per_sample: .* whole numbers"),
        ({"jitter": 2.0}, "jitter: 2.0"),
        ({"centers_mm": [(0.0, math.nan)]}, "centers_mm: .* finite"),
        ({"angle_deg": 999.0}, "angle_deg: 999.0"),
        ({"width_mm": 0.0}, "width_mm: 0.0"),
        ({"length_mm": 99.0}, "length_mm: 99.0"),
        ({"period_mm": 0.01}, "period_mm: 0.01"),
        ({"loops": 0.9, "whorls": 0.2}, "whorls: 0.2, expected 1 at most together with loops 0.9"),
        ({"contrast": 0.2}, "contrast: 0.2"),
        ({"haze": (0.0, 1.1)}, "haze: "),
        ({"tilt": (0.5, 0.2)}, "tilt: .* low <= high"),
        ({"unevenness": 0.7}, "unevenness: 0.7"),
        ({"gaps": math.nan}, "gaps: nan, expected finite"),
        ({"drag_mm": -1.0}, "drag_mm: -1.0"),
    ],
)
def test_bad_ranges_are_one_line_that_names_the_key(fields, message):
    with pytest.raises(ValueError, match=message) as caught:
        validate(FingerprintRanges(**fields))
    assert "\n" not in str(caught.value)
