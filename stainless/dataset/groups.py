"""Groups: images that show the same part stay on one side of every split."""

from __future__ import annotations

import csv
import io
import os
import warnings
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from stainless.dataset.sample import Sample
from stainless.dataset.text import read_text, spelled
from stainless.errors import DataWarning, InputError
from stainless.files import encoded


def read_groups(folder: Path) -> dict[str, str]:
    """Return the group of each image that `folder`/groups.csv lists; none without such a file.

    The file has a column "image" (path from `folder`, with slashes or backslashes, or the image's
    name alone) and one whose name ends with "group". Without the second a `DataWarning` says that
    images are taken for independent.

    Returns:
        Group by image path from `folder`, as `spelled` gives it.

    Raises:
        InputError: a column is missing, or an image or a group is blank or in two groups.
    """
    path = folder / "groups.csv"
    if not path.is_file():
        return {}
    text = read_text(path)
    first = text.partition("\n")[0]
    delimiter = next((sign for sign in ",;\t" if sign in first), ",")
    rows = csv.DictReader(io.StringIO(text.replace("\0", ""), newline=""), delimiter=delimiter)
    header = [column.strip() for column in rows.fieldnames or []]
    header = ["image" if column.lower() == "image" else column for column in header]
    rows.fieldnames = header
    named = [column for column in header if column.lower().endswith("group")]
    if "image" in header and not named:
        warnings.warn(
            f'{path}: has no column that ends with "group", so every image is a group of its own',
            DataWarning,
            stacklevel=2,
        )
        return {}
    if "image" not in header or len(named) != 1:
        raise InputError(
            f'{path}: expected a column "image" and one that ends with "group", '
            f"got {', '.join(header) or 'nothing'}"
        )
    groups: dict[str, str] = {}
    for row in rows:
        image, group = row["image"], row[named[0]]
        if not image or not group:
            raise InputError(f"{path}: line {rows.line_num} lacks an image or a group")
        if groups.setdefault(spelled(image), group) != group:
            raise InputError(f"{path}: {image} is in two groups")
    return groups


def grouped(samples: list[Sample], folder: Path, split: str) -> list[Sample]:
    """Return samples with their groups by `folder`/groups.csv, if there is one.

    Raises:
        InputError: it is wrong, lacks an image of a labelled split, or a row has the bare name of
            several images.
    """
    groups = read_groups(folder)
    if not groups:
        return samples
    found = []
    by_key: dict[str, Sample] = {}
    for sample in samples:
        path = spelled(os.path.relpath(sample.image, folder))
        name = path.rpartition("/")[2]
        keys = (path, path.removesuffix(sample.image.suffix), name, Path(name).stem)
        key = next((key for key in keys if key in groups), None)
        if key is None and split != "train":
            raise InputError(f"{folder / 'groups.csv'}: has no row for {path}")
        if key is not None and by_key.setdefault(key, sample) is not sample:
            raise InputError(
                f"{folder / 'groups.csv'}: {key} may be {by_key[key].image} or {sample.image}, "
                "expected paths"
            )
        found.append(replace(sample, group=groups[key]) if key is not None else sample)
    return found


class Split(NamedTuple):
    """A split divided in two; `how` says in a sentence how it was drawn."""

    validation: list[Sample]
    test: list[Sample]
    how: str


def split_validation(
    samples: Sequence[Sample], fraction: float, seed: int, source: str = "test"
) -> Split:
    """Draw a validation split from another split, whole groups at a time, class by class.

    Per class, its groups are shuffled and taken as long as each brings the number of images
    nearer to `fraction` of the class; at least one group is taken and at least one left. A group
    that holds several classes is decided by the first of them in alphabetical order, whatever the
    others lack then. A class of a single group stays in the other split. The result depends on
    names, groups, fraction and seed, not on the order of `samples`.

    Raises:
        InputError: `fraction` is not between 0 and 1, the seed is negative, or every group is the
            only one of a class.
    """
    if not 0 < fraction < 1:
        raise InputError(f"validation fraction is {fraction}, expected between 0 and 1")
    if seed < 0:
        raise InputError(f"seed is {seed}, expected 0 or more")
    by_label: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for sample in samples:
        by_label[sample.label][sample.group] += 1

    drawn: dict[str, bool] = {}
    for label, sizes in sorted(by_label.items()):
        _decide(sizes, fraction, np.random.default_rng([seed, *encoded(label)]), drawn)

    ordered = sorted(samples, key=lambda sample: sample.name)
    validation = [sample for sample in ordered if drawn[sample.group]]
    if not validation:
        raise InputError("no validation split can be drawn: every group is the only one of a class")
    counts = []
    for label, sizes in sorted(by_label.items()):
        taken = [size for group, size in sizes.items() if drawn[group]]
        counts.append(f"{label} {sum(taken)} of {sum(sizes.values())} images")
        counts[-1] += f" ({len(taken)} of {len(sizes)} groups)"
    how = (
        f"The validation split was drawn from the {source} split in whole groups per class, "
        f"fraction {fraction:g}, seed {seed}: {', '.join(counts)}."
    )
    return Split(validation, [sample for sample in ordered if not drawn[sample.group]], how)


def _decide(
    sizes: dict[str, int], fraction: float, rng: np.random.Generator, drawn: dict[str, bool]
) -> None:
    """Decide for every group of one class that no class before it has decided."""
    free = sorted(group for group in sizes if group not in drawn)
    taken = sum(size for group, size in sizes.items() if drawn.get(group))
    left = sum(1 for group in sizes if drawn.get(group) is False)
    target = fraction * sum(sizes.values())
    for position, index in enumerate(rng.permutation(len(free))):
        group = free[index]
        one_remains = left > 0 or position < len(free) - 1
        nearer = taken == 0 or taken + sizes[group] / 2 <= target
        drawn[group] = one_remains and nearer
        taken += sizes[group] * drawn[group]
        left += not drawn[group]
