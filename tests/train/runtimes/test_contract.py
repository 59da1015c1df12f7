import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from train.detectors.detector import Score
from train.runtimes.contract import Comparison
from train.runtimes.licences import licence_class
from train.verdicts.decision import decide


def score(value, peak=None):
    return Score(value, None if peak is None else np.full((2, 3), peak, np.float32))


def compared(expected, found, decision=None):
    comparison = Comparison(decision)
    comparison.add(expected, found)
    return comparison


@given(st.floats(-1e3, 1e3), st.floats(0, 3), st.booleans())
def test_the_contract_ends_where_it_says(value, share, above):
    away = share * (1e-5 + 1e-4 * abs(value)) * (1 if above else -1)
    if abs(share - 1) > 1e-6:
        assert compared(score(value), score(value + away)).held == (share < 1)


def test_what_is_no_number_breaks_it():
    comparison = compared(score(1.0), score(math.nan))
    assert not comparison.held and "BROKEN" in comparison.line()
    assert comparison.record()["deviation"] > 1e300


def test_a_flipped_verdict_breaks_it_however_close_the_scores_are():
    decision = decide({"picture": {"value": 1.0, "rule": "given"}})
    comparison = compared(score(1.0), score(np.nextafter(1.0, 0)), decision)
    assert comparison.flipped == 1 and comparison.share <= 1 and not comparison.held
    assert compared(score(1.0), score(1.00001), decision).held


def test_pixels_decide_where_pictures_have_no_threshold():
    decision = decide({"pixel": {"value": 1.0, "rule": "given"}})
    assert compared(score(1, 1.0), score(1, 0.99999), decision).flipped == 1
    held = compared(score(1, 2.0), score(1, 2.0001), decision)
    assert held.flipped == 0 and held.map_share == pytest.approx(0.476, rel=0.01)
    assert held.nearest == pytest.approx(1.0)


def test_licences_have_classes():
    assert licence_class("apache-2.0") == licence_class("MIT, over apache-2.0") == "permissive"
    assert licence_class("cc-by-nc-4.0") == licence_class("dinov3-license") == "restricted"
    assert licence_class("CC BY-SA 4.0") != "permissive"
    assert licence_class(None) == licence_class("of the given file") == "unknown"
