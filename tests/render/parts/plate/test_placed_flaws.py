"""Flaws of given place and size, and the pictures without and with them."""

import dataclasses
import json

import numpy as np
import pytest
from tiny_scenes import scene

from render.cycles.tracer import Tracer
from render.labels import class_table
from render.picture import render_sample
from render.plan import plan_sample
from stainless.errors import InputError

DENT = {"sample": 0, "kind": "dent", "center_mm": [-5, 3], "keys": {"radius_mm": 1.5}}
#: So small that it is on no pixel's centre.
SPECK = {"sample": 0, "kind": "scratch", "center_mm": [4.07, 2.03], "keys": {"length_mm": 0.02}}


def placed(*flaws, **changes):
    common = {"samples": "2", "test_every": "1", "lights__variants": "[hexagon]"}
    return scene(placed=json.dumps(list(flaws)), **{**common, **changes})


@pytest.fixture(scope="module")
def pictures():
    drawn = placed(DENT, SPECK)
    found = render_sample(drawn, plan_sample(drawn, 0), Tracer(1))
    return {picture.shot.twin: picture for picture in found}


def test_the_plan_has_them_where_and_as_large_as_they_were_given():
    drawn = placed(DENT, SPECK, {**DENT, "sample": 1})
    (dent,), (speck,) = plan_sample(drawn, 0).part.defects.values()
    assert (dent.center_mm, dent.radius_mm) == ((-5, 3), 1.5)
    assert speck.chord()[0] == pytest.approx(0.02)
    assert [*plan_sample(drawn, 1).part.defects] == ["dent"]
    assert plan_sample(drawn, 0).split == "test"


def test_one_more_moves_nothing_else():
    few, more = (plan_sample(placed(*flaws), 0) for flaws in ([DENT], [DENT, SPECK, DENT]))
    assert (
        more.part.defects["dent"][0] == few.part.defects["dent"][0] != more.part.defects["dent"][1]
    )
    plain = plan_sample(scene(samples="2", test_every="1", lights__variants="[hexagon]"), 0)
    assert dataclasses.replace(more, part=plain.part) == plain
    assert dataclasses.replace(more.part, defects={}) == plain.part


def test_what_their_keys_leave_open_is_the_scene_s():
    drawn = placed(DENT, defects__dent__steepness="9", defects__dent__waves="0")
    assert plan_sample(drawn, 0).part.defects["dent"][0].steepness == 9
    assert plan_sample(drawn, 0).part.defects["dent"][0].imprint == ()


def test_pictures_come_without_and_with_them(pictures):
    assert list(pictures) == ["clean", "stained", "clean_flawed", "stained_flawed"]
    instances = pictures["clean_flawed"].labels.instances
    assert set(np.unique(instances)) == {0, 1, 2}
    assert (instances == 2).sum() == 1
    clean, flawed = pictures["clean"].pixels, pictures["clean_flawed"].pixels
    dent = instances == 1
    assert np.abs(clean[dent].astype(int) - flawed[dent]).mean() > 3
    assert not pictures["clean"].labels.classes.any()
    assert not pictures["stained"].truth
    assert pictures["stained_flawed"].truth["structural"][dent].all()
    # Rows and columns of a picture of 20 mm on 96 pixels, y upwards.
    rows, columns = np.nonzero(instances == 2)
    x, y = (columns[0] + 0.5 - 48) * 20 / 96, (40 - rows[0] - 0.5) * 20 / 96
    assert np.hypot(x - 4.07, y - 2.03) < 2


def test_without_them_a_plate_is_what_it_always_was(pictures):
    plain = scene(samples="2", test_every="1", lights__variants="[hexagon]")
    for picture in render_sample(plain, plan_sample(plain, 0), Tracer(1)):
        np.testing.assert_array_equal(picture.pixels, pictures[picture.shot.twin].pixels)


def test_impurities_are_the_same_on_both(pictures):
    stains = pictures["stained"].labels.classes == 1
    assert stains.any()
    dent = pictures["clean_flawed"].labels.classes > 0
    np.testing.assert_array_equal(stains & ~dent, pictures["stained_flawed"].labels.classes == 1)


def test_the_classes_of_placed_flaws_are_listed():
    names = [known["name"] for known in class_table(placed(DENT))["classes"]]
    assert names == ["water_stain", "dent"]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"kind": "hole"}, r"placed\[0\].kind: hole, expected one of bump, dent, scratch"),
        ({"sample": 2}, r"placed\[0\].sample: 2, expected 0 to 1"),
        ({"keys": {"size": 3}}, r"placed\[0\].keys: size: unknown key"),
        ({"keys": {"radius_mm": -1}}, r"placed\[0\].radius_mm: -1.0, expected within"),
        ({"keys": 3}, r"placed\[0\].keys: 3, expected keys with values"),
    ],
)
def test_what_cannot_be_placed_is_refused(change, line):
    with pytest.raises(InputError, match=line) as caught:
        placed({**DENT, **change})
    assert "\n" not in str(caught.value)


def test_placed_flaws_are_for_testing_and_outside_of_a_series():
    with pytest.raises(InputError, match="test_every: 0, expected 1 with placed flaws"):
        placed(DENT, test_every="0")
    with pytest.raises(InputError, match="placed: given, expected none in a series"):
        placed(DENT, test_every="0", series="{}", samples="1")
