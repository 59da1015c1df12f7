"""sPRO straight from its definition, and where it must be AU-PRO."""

from __future__ import annotations

import json
import math
from itertools import pairwise

import brute_force
import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from stainless.dataset import Region
from train.metrics import FIGURES, Record, Thresholds, compare, csv_text, evaluate, format_table
from train.metrics.saturation import LIMITS, rank_weights

LABELS = ("good", "structural_anomalies", "logical_anomalies")


@st.composite
def pictures(draw):
    """Two to five small images with regions that may overlap: [(label, scores, regions), ...]."""
    shape = draw(st_numpy.array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=6))
    values = draw(st.sampled_from([brute_force.scores_of_few, brute_force.scores_of_any]))
    found = []
    for number in range(draw(st.integers(2, 5))):
        label = "good" if number == 0 else draw(st.sampled_from(LABELS))
        scores = draw(st_numpy.arrays(np.float32, shape, elements=values))
        regions = []
        for _ in range(0 if label == "good" else draw(st.integers(1, 3))):
            mask = draw(st_numpy.arrays(bool, shape).filter(lambda mask: mask.any()))
            saturation = draw(st.one_of(st.floats(0.3, 40.0), st.integers(1, 9).map(float)))
            name = draw(st.sampled_from(["dent", "missing_hole"]))
            regions.append(Region(mask, name, min(saturation, float(mask.sum()))))
        found.append((label, scores, regions))
    return found


def records_of(found, ignore=None):
    def read():
        for number, (label, scores, regions) in enumerate(found):
            mask = np.logical_or.reduce([np.zeros(scores.shape, bool), *(r.mask for r in regions)])
            yield Record(
                f"{number}", f"{number}", label, scores, mask, None, ignore, None,
                lambda regions=regions: regions,
            )  # fmt: skip

    return read


def au_spro(found, limit, flaw=None):
    """Return the area under the mean saturated overlap, threshold by threshold."""
    regions, nominal = [], []
    for _, scores, of_image in found:
        defective = np.logical_or.reduce(
            [np.zeros(scores.shape, bool), *(region.mask for region in of_image)]
        )
        nominal.append(scores[~defective])
        own = [region for region in of_image if flaw in (None, region.name)]
        regions += [(scores[region.mask], region.saturation) for region in own]
    nominal = np.concatenate(nominal)
    if not regions or not len(nominal):
        return None
    curve = [(0.0, 0.0)]
    for threshold in np.unique(np.concatenate([s.ravel() for _, s, _ in found]))[::-1]:
        overlap = np.mean([min((s >= threshold).sum() / enough, 1) for s, enough in regions])
        curve.append(((nominal >= threshold).mean(), overlap))
    area = 0.0
    for (x0, y0), (x1, y1) in pairwise(curve):
        if x0 < limit and x1 > x0:
            end = min(x1, limit)
            area += (end - x0) * (y0 + (y0 + (y1 - y0) * (end - x0) / (x1 - x0))) / 2
    return area / limit


@pytest.mark.filterwarnings("error")
@settings(max_examples=60, deadline=None)
@given(pictures(), st.sampled_from([-2.0, 0.0, 0.25, 1.0]))
def test_the_curve_is_what_its_definition_says(found, threshold):
    result = evaluate(records_of(found), threshold)
    json.dumps(result, allow_nan=False)
    if all(label == "good" for label, _, _ in found):
        assert "every" not in result
        return
    groups = {
        "structural": ([f for f in found if f[0] != LABELS[2]], None),
        "logical": ([f for f in found if f[0] != LABELS[1]], None),
        "every": (found, None),
    }
    sections = {name: result.get(name) for name in groups}
    for flaw in result["flaws"]:
        of = [f for f in found if f[0] == "good" or any(r.name == flaw for r in f[2])]
        groups[flaw], sections[flaw] = (of, flaw), result["flaws"][flaw]
    for name, (images, flaw) in groups.items():
        if all(label == "good" for label, _, _ in images):
            assert sections[name] is None
            continue
        for limit in LIMITS:
            expected = au_spro(images, limit, flaw)
            value = sections[name]["au_spro_at"][f"{limit:g}"]
            assert value == (None if expected is None else pytest.approx(expected, abs=1e-12))
        assert sections[name]["au_spro"] == sections[name]["au_spro_at"]["0.05"]
        tops = np.array([scores.max() for _, scores, _ in images], float)
        bad = np.array([label != "good" for label, _, _ in images])
        assert sections[name]["image_auroc"] == pytest.approx(brute_force.auroc(tops, bad))
        scores, positive = [], []
        for _, each, regions in images:
            own = np.zeros(each.shape, bool)
            other = own.copy()
            for region in regions:
                (own if flaw in (None, region.name) else other)[region.mask] = True
            kept = own | ~other
            scores.append(each[kept])
            positive.append(own[kept])
        scores, positive = np.concatenate(scores).astype(float), np.concatenate(positive)
        if not positive.all():
            area = brute_force.auroc(scores, positive)
            assert sections[name]["pixel_auroc"] == pytest.approx(area, abs=1e-12)
    overlaps = [
        min((scores[r.mask] >= np.float32(threshold)).sum() / r.saturation, 1)
        for _, scores, regions in found
        for r in regions
    ]
    if overlaps:
        assert result["every"]["spro"] == pytest.approx(np.mean(overlaps))
    if {label for label, _, _ in found} == set(LABELS):
        both = [result[kind]["au_spro"] for kind in ("structural", "logical")]
        expected = None if None in both else pytest.approx(np.mean(both))
        assert result["kinds"]["au_spro"] == expected
    assert isinstance(format_table(result), str) and csv_text(result)


@settings(max_examples=40, deadline=None)
@given(brute_force.images(), st.sampled_from(LIMITS))
def test_where_every_saturation_is_the_area_it_is_au_pro(found, limit):
    whole = []
    for scores, mask in found:
        count, numbers = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
        masks = [numbers == number for number in range(1, count)]
        regions = [Region(mask, "dent", float(mask.sum())) for mask in masks]
        whole.append(("structural_anomalies" if regions else "good", scores, regions))
    result = evaluate(records_of(whole), 0.0)
    _, mask = brute_force.flat(found)
    if mask.any() and not mask.all():
        value = result["every"]["au_spro_at"][f"{limit:g}"]
        assert value == pytest.approx(brute_force.au_pro(found, limit), abs=1e-12)
        assert result["every"]["au_spro_at"]["0.3"] == pytest.approx(result["regions"]["au_pro"])


@given(
    st_numpy.arrays(np.float32, st.integers(1, 30), elements=brute_force.scores_of_few),
    st.floats(0.01, 40.0),
)
def test_weights_are_the_growth_of_the_overlap(scores, saturation):
    weights = rank_weights(scores, saturation)
    assert (weights >= 0).all() and math.isclose(weights.sum(), 1.0)
    enough = min(saturation, len(scores))
    for threshold in np.unique(scores):
        flagged = scores >= threshold
        assert weights[flagged].sum() == pytest.approx(min(flagged.sum() / enough, 1.0))


def by_hand():
    """A good image, a dent half found and a hole that is missing anywhere in its place."""
    blank = np.zeros((4, 5), np.float32)
    dent, hole = np.zeros((4, 5), bool), np.zeros((4, 5), bool)
    dent[0, :4], hole[1:3] = True, True
    found, marked, good = blank.copy(), blank.copy(), blank.copy()
    found[0, :2], marked[1, :3], good[0, 0] = 5, 4, 3
    return [
        ("good", good, []),
        ("structural_anomalies", found, [Region(dent, "dent", 4.0)]),
        ("logical_anomalies", marked, [Region(hole, "missing_hole", 2.0)]),
    ]


def test_by_hand():
    result = evaluate(records_of(by_hand()), 3.5)
    # All nominal pixels but one are below every defective one that is marked: the overlap is what
    # is marked at once, and rises on the way to the one step of all pixels of score 0.
    assert result["logical"]["au_spro_at"]["0.01"] == pytest.approx(1.0)
    assert result["structural"]["image_auroc"] == result["logical"]["image_auroc"] == 1.0
    first, second, third = result["per_image"]
    assert (first["spro_regions"], first["spro_sum"]) == (0, 0.0)
    assert second["spro_sum"] == 0.5 and third["spro_sum"] == 1.0
    assert result["every"]["spro"] == 0.75
    assert result["kinds"]["regions"] == 2 and result["flaws"]["dent"]["pictures"] == 1
    lines = format_table(result).splitlines()
    assert any(line.startswith("mean of both") for line in lines)
    assert any(line.startswith("missing_hole") for line in lines)
    summary = {key: figure.of(result) for key, figure in FIGURES.items()}
    assert summary["kinds_image_auroc"] == 1.0 and summary["spro"] == 0.75
    assert summary["structural_au_spro"] == result["structural"]["au_spro"]
    rows = result["per_image"]
    assert FIGURES["logical_au_spro"].worst(rows) == [None, None, 1.0]
    interval = compare(rows, rows, 0, 20)["structural_image_auroc"]
    assert interval.difference == 0


def test_ignored_pixels_make_a_region_smaller():
    ignore = np.zeros((4, 5), bool)
    ignore[0, 2:4] = True
    result = evaluate(records_of(by_hand(), ignore), 3.5)
    assert result["per_image"][1]["spro_sum"] == 1.0
    ignore[0] = True
    result = evaluate(records_of(by_hand(), ignore), 3.5)
    assert result["structural"]["regions"] == 0 and result["structural"]["au_spro"] is None


def test_other_datasets_have_no_kinds():
    scores, mask = np.eye(4, dtype=np.float32), np.eye(4, dtype=bool)
    records = lambda: iter([Record("a", "a", "dent", scores, mask)])  # noqa: E731
    result = evaluate(records, 0.5)
    assert not {"structural", "every", "flaws"} & set(result)
    assert "spro_sum" not in result["per_image"][0]
    assert "AU-sPRO" not in format_table(result)


def test_without_maps_there_is_the_auroc_of_images():
    def read():
        for number, (label, _, regions) in enumerate(by_hand()):
            mask = np.logical_or.reduce([np.zeros((4, 5), bool), *(r.mask for r in regions)])
            yield Record(
                f"{number}", "g", label, None, mask, None, None, float(number), lambda r=regions: r
            )

    result = evaluate(read, Thresholds(None, 1.0))
    assert result["structural"]["image_auroc"] == result["kinds"]["image_auroc"] == 1.0
    assert result["kinds"]["au_spro"] is None and result["per_image"][1]["spro_sum"] is None
    assert "mean of both" in format_table(result)
