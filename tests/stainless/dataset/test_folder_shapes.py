"""Masks go with their pictures, whatever the folders, names and spellings."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from support.datasets import write_image

from stainless.dataset import load_mask, read_category

lots = st.lists(st.sampled_from(["a", "b", "lot 7", "é", "x.y"]), max_size=3).map("/".join)
places = st.sets(
    st.tuples(st.sampled_from(["good", "dent", "scratch"]), lots, st.sampled_from("01é")),
    min_size=1,
    max_size=12,
)


@settings(max_examples=30, deadline=None)
@given(places, st.sampled_from(["{}_mask.png", "{}.png", "{}/0.png"]), st.randoms())
def test_whatever_the_folders_masks_go_with_their_pictures(tmp_path_factory, chosen, form, random):
    if form.endswith("/0.png"):
        # A folder of masks and one of pictures cannot have one name.
        paths = {Path(*place) for place in chosen}
        assume(not any(set(path.parents) & paths for path in paths))
    folder = tmp_path_factory.mktemp("shapes") / "plate"
    chosen = chosen | {("good", "", "z")}
    expected = {}
    for number, (label, below, stem) in enumerate(sorted(chosen)):
        path = Path(label, below, stem)
        spelling = unicodedata.normalize(random.choice(["NFC", "NFD"]), path.as_posix())
        write_image(folder / "test" / f"{path.as_posix()}.png", np.full((4, 5), 90, np.uint8))
        mask = np.zeros(20, np.uint8)
        if label != "good":
            mask[number] = 255
            write_image(folder / "ground_truth" / form.format(spelling), mask.reshape(4, 5))
        expected[f"test/{path.as_posix()}"] = mask.reshape(4, 5) > 0
    found = {s.name: load_mask(s) for s in read_category(folder.parent, "plate", "test")}
    assert found.keys() == expected.keys()
    assert all((found[name] == mask).all() for name, mask in expected.items())
