"""Groups stay together, and a drawn validation split depends on nothing but what it says."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stainless.dataset import Sample, read_category, split_validation
from stainless.dataset.groups import read_groups
from stainless.errors import InputError


def sample(number: int, label: str, group: str) -> Sample:
    name = f"test/{label}/{number:03}"
    return Sample(Path(f"{name}.png"), label, None, group, name)


several = st.lists(
    st.tuples(st.sampled_from(["good", "dent", "scratch"]), st.integers(0, 8)),
    min_size=1,
    max_size=60,
)


def drawn(samples, fraction, seed):
    try:
        return split_validation(samples, fraction, seed)
    except InputError:
        groups = defaultdict(set)
        for sample in samples:
            groups[sample.label].add(sample.group)
        alone = set().union(*(each for each in groups.values() if len(each) == 1))
        assert alone == set().union(*groups.values()), "a group could have been drawn"
        return None


@settings(max_examples=100, deadline=None)
@given(several, st.floats(0.05, 0.9), st.integers(0, 5), st.randoms())
def test_split(chosen, fraction, seed, random):
    samples = [sample(n, label, f"part{group}") for n, (label, group) in enumerate(chosen)]
    split = drawn(samples, fraction, seed)
    if split is None:
        return
    by_name = {sample.name for sample in samples}
    assert {sample.name for sample in [*split.validation, *split.test]} == by_name
    assert len(split.validation) + len(split.test) == len(samples)
    assert not {sample.group for sample in split.validation} & {
        sample.group for sample in split.test
    }
    shuffled = samples[:]
    random.shuffle(shuffled)
    assert drawn(shuffled, fraction, seed) == split


def test_every_class_gets_about_its_fraction():
    samples = [
        sample(100 * g + n, label, f"{label}{g}")
        for label in ("good", "dent", "scratch")
        for g in range(20)
        for n in range(1 + g % 3)
    ]
    split = split_validation(samples, 0.3, 7)
    whole, part = (Counter(sample.label for sample in each) for each in (samples, split.validation))
    for label in whole:
        assert abs(part[label] / whole[label] - 0.3) < 0.05
        assert f"{label} {part[label]} of {whole[label]} images" in split.how
    assert "seed 7" in split.how and "fraction 0.3" in split.how
    assert split_validation(samples, 0.3, 8).validation != split.validation


def test_a_class_of_one_group_stays_in_the_test_part():
    samples = [sample(n, "dent", "only") for n in range(5)]
    samples += [sample(n, "good", f"part{n}") for n in range(5)]
    split = split_validation(samples, 0.5, 0)
    assert {sample.label for sample in split.validation} == {"good"}
    assert "dent 0 of 5 images (0 of 1 groups)" in split.how
    with pytest.raises(InputError, match="every group is the only one of a class"):
        split_validation(samples[:5], 0.5, 0)


@pytest.mark.parametrize(("fraction", "seed"), [(0.0, 1), (1.0, 1), (float("nan"), 1), (0.5, -1)])
def test_bad_arguments(fraction, seed):
    with pytest.raises(InputError, match="expected"):
        split_validation([sample(0, "good", "a"), sample(1, "good", "b")], fraction, seed)


def write_groups(root: Path, text: str) -> Path:
    path = root / "plate" / "groups.csv"
    path.write_text(text)
    return path


def test_groups_of_both_trees(validation_tree):
    rows = ["image,tile_group,exposure"]
    expected = {}
    for part, start in (("test", "."), ("validation", "../validation/plate")):
        for sample in read_category(validation_tree, "plate", part):
            expected[sample.name] = f"part{len(rows)}"
            rows.append(f"{start}/test/{sample.label}/{sample.image.name},part{len(rows)},1")
    write_groups(validation_tree, "\n".join(rows))
    for part in ("test", "validation"):
        for sample in read_category(validation_tree, "plate", part):
            assert sample.group == expected.pop(sample.name)
    assert not expected
    # Training images need no group, since nothing is drawn from them.
    assert read_category(validation_tree, "plate", "train")[0].group == "train/good/000"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "picture,group\na,b\n",
            'expected a column "image" and one that ends with "group", got picture, group',
        ),
        ("image,group\n000,1\n001,1\n002,1\n", "000 may be .*000.png or .*000.png, expected paths"),
        ("", 'one that ends with "group", got nothing'),
        ("image,a_group,b_group\n", "got image, a_group, b_group"),
        ("image,group\ntest/good/000.png,\n", "line 2 lacks an image or a group"),
        ("image,group\na.png,1\n./a.png,2\n", "a.png is in two groups"),
        ("image,group\ntest/good/000.png,1\n", "has no row for test/dent/000.png"),
    ],
)
def test_bad_group_files(mvtec, text, line):
    root = mvtec()
    path = write_groups(root, text)
    with pytest.raises(InputError, match=line) as caught:
        read_category(root, "plate", "test")
    assert str(caught.value).startswith(f"{path}: ")


@pytest.mark.parametrize(
    "header", ["image,group", "Image,Group", "IMAGE,Part_Group", " image , group "]
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_headers_in_other_letters_and_separators(tmp_path, header, delimiter):
    rows = [header, "a.png,1", "b.png,1", "c.png,2"]
    (tmp_path / "groups.csv").write_text("\n".join(rows).replace(",", delimiter))
    assert read_groups(tmp_path) == {"a.png": "1", "b.png": "1", "c.png": "2"}
