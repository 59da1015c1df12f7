"""What people mean by the names of folders that we name otherwise: splits, good and bad."""

from __future__ import annotations

import re
from pathlib import Path

from stainless.dataset.listing import folders, has_images
from stainless.errors import InputError

_SPLITS = {
    "train": ("train", "training", "trainset"),
    "test": ("test", "testing", "testset"),
    "validation": ("validation", "val", "valid", "validate", "validating"),
}
_MEANT = {name: split for split, names in _SPLITS.items() for name in names}

_GOOD = frozenset(
    (
        *("good", "gut", "ok", "okay", "io", "normal", "nominal", "pass", "passed", "fine"),
        *("healthy", "intact", "flawless", "faultless", "undamaged", "nodefect", "nodefects"),
        *("withoutdefect", "withoutdefects", "defectfree", "nondefect", "nondefective"),
        *("notdefective", "nonanomalous", "noanomaly", "anomalyfree"),
    )
)
_BAD = frozenset(
    (
        *("bad", "ng", "nok", "notok", "nio", "notgood", "schlecht", "fail", "failed", "faulty"),
        *("defect", "defects", "defective", "damaged", "reject", "rejected"),
        *("anomaly", "anomalies", "anomalous", "abnormal"),
    )
)


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.casefold())


def meant_split(name: str) -> str | None:
    """Return the split that a folder's name stands for, however it is written, if any."""
    return _MEANT.get(_plain(name))


def is_like_good(name: str) -> bool:
    """Tell whether people give this name to the folder of pictures without a defect."""
    return _plain(name) in _GOOD


def is_like_bad(name: str) -> bool:
    """Tell whether people give this name to a folder of defects of any class."""
    return _plain(name) in _BAD


def refuse_misnamed(folder: Path) -> None:
    """Refuse folders of pictures in a category that stand for a split that has another name.

    Raises:
        InputError: names the first one, and what it should be.
    """
    for path in folders(folder):
        split = meant_split(path.name)
        if split is None or path.name == split or (folder / split).is_dir():
            continue
        if has_images(path):
            raise InputError(f"{path}: seems to be a split, expected it to be named {split}")
