"""Regions of an anomaly map against a flood fill."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from train.detectors.detector import Score
from train.regions import explained_regions, regions

MAPS = arrays.arrays(
    np.float32, st.tuples(st.integers(1, 7), st.integers(1, 7)), elements=st.integers(0, 4)
)


def flooded(flagged):
    """Return the sets of (x, y) of the 8-connected regions."""
    left = {(int(x), int(y)) for y, x in np.argwhere(flagged)}
    found = []
    while left:
        region, edge = set(), [left.pop()]
        while edge:
            x, y = edge.pop()
            region.add((x, y))
            near = {(x + dx, y + dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1)} & left
            left -= near
            edge += near
        found.append(region)
    return found


@settings(deadline=None, max_examples=60)
@given(MAPS)
def test_regions_are_those_of_a_flood_fill(scores):
    asked = []
    found = regions(scores, 2.0, lambda x, y: asked.append((x, y)) or {"at": [x, y]})
    expected = flooded(scores >= 2)
    assert len(found) == len(expected)
    assert [region["score"] for region in found] == sorted(
        (region["score"] for region in found), reverse=True
    )
    for region in found:
        peak = tuple(region["peak"])
        (pixels,) = [pixels for pixels in expected if peak in pixels]
        assert region["area"] == len(pixels)
        assert region["score"] == max(scores[y, x] for x, y in pixels) == scores[peak[::-1]]
        left, top = (min(pixel[axis] for pixel in pixels) for axis in (0, 1))
        right, bottom = (max(pixel[axis] for pixel in pixels) for axis in (0, 1))
        assert region["box"] == [left, top, right - left + 1, bottom - top + 1]
        assert region["nearest"] == {"at": list(peak)} and peak in asked


def test_a_threshold_is_compared_as_the_map_is_stored():
    """In float32: a pixel that equals a threshold of float64 is anomalous."""
    scores = np.full((1, 1), 0.1, np.float32)
    assert len(regions(scores, 0.1)) == 1
    assert regions(scores, float(np.nextafter(np.float32(0.1), np.float32(1)))) == []


def test_a_detector_that_explains_nothing_leaves_the_nearest_unknown():
    score = Score(3.0, np.full((2, 2), 3, np.float32))
    (region,) = explained_regions(object(), score, 1.0)
    assert region["nearest"] is None and region["area"] == 4
