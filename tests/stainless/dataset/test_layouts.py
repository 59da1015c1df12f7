"""Where files of a dataset lie."""

import itertools

import pytest

from stainless.dataset.layouts import LAYOUTS, LOGICAL, STRUCTURAL, annotation_file

MVTEC, LOCO = LAYOUTS["mvtec"], LAYOUTS["loco"]


def test_mvtec_as_published():
    assert MVTEC.kind([]) == "good"
    assert MVTEC.kind([LOGICAL]) == MVTEC.kind([STRUCTURAL]) == "defective"
    where = "nut", "test", "defective", "007"
    assert MVTEC.picture(*where).as_posix() == "nut/test/defective/007.png"
    truth = MVTEC.truth(*where, 3)
    assert truth.as_posix() == "nut/ground_truth/defective/007_mask.png"
    where = "nut", "validation", "good", "007"
    assert MVTEC.picture(*where).as_posix() == "validation/nut/test/good/007.png"
    assert MVTEC.config is None


def test_loco_as_published():
    assert LOCO.kind([]) == "good"
    assert LOCO.kind([STRUCTURAL]) == "structural_anomalies"
    assert LOCO.kind([LOGICAL]) == LOCO.kind([STRUCTURAL, LOGICAL]) == "logical_anomalies"
    where = "nut", "test", "logical_anomalies", "007"
    assert LOCO.picture(*where).as_posix() == "nut/test/logical_anomalies/007.png"
    truth = LOCO.truth(*where, 3)
    assert truth.as_posix() == "nut/ground_truth/logical_anomalies/007/003.png"
    where = "nut", "validation", "good", "007"
    assert LOCO.picture(*where).as_posix() == "nut/validation/good/007.png"
    assert LOCO.config == "defects_config.json"


@pytest.mark.parametrize("name", LAYOUTS)
def test_no_two_files_share_a_place_and_all_lie_in_their_tree(name):
    layout = LAYOUTS[name]
    places = []
    for split, kind, stem in itertools.product(("train", "validation", "test"), "ab", "01"):
        picture = layout.picture("nut", split, kind, stem)
        places += [picture, annotation_file(picture, "class"), annotation_file(picture, "mask")]
        assert picture.is_relative_to(layout.tree("nut", split))
    places += [layout.truth("nut", "test", kind, stem, 0) for kind in "ab" for stem in "01"]
    assert len(set(places)) == len(places)
