"""How pictures were made: rendered by this program, or taken by a camera."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from stainless.dataset.sample import ArraySample, Sample

RENDERED, PHOTOGRAPH, UNKNOWN = "rendered", "photograph", "unknown"

#: Folders between a picture and its dataset at most: validation, category, split, kind.
DEPTH = 5


@dataclass(frozen=True)
class Made:
    """How a picture came to be.

    Attributes:
        how: RENDERED where a manifest lies beside the dataset, else PHOTOGRAPH; UNKNOWN for pixels
            that come from no file.
        part: the physical object that a rendered picture shows, such as "plate 12"; None where
            nobody says.
    """

    how: str
    part: str | None = None


def made(sample: Sample) -> Made:
    """Return how the picture of a sample was made."""
    if isinstance(sample, ArraySample):
        return Made(UNKNOWN)
    part = _part(sample.image.parent)
    if part is None:
        return Made(PHOTOGRAPH)
    # Pictures of a series are grouped by the part that they show; else each sample is a part.
    number = sample.image.stem.partition("_")[0] if sample.group == sample.name else sample.group
    return Made(RENDERED, f"{part} {int(number)}" if number.isdecimal() else part)


@cache
def _part(folder: Path) -> str | None:
    """Return what a rendered dataset shows that a folder belongs to; None for any other."""
    for root in [folder, *folder.parents][:DEPTH]:
        if not (root / "manifest.jsonl").is_file():
            continue
        scene = root / "scene.yaml"
        lines = scene.read_text(encoding="utf-8").splitlines() if scene.is_file() else []
        # A whole parser would take longer than all that it is asked for.
        named = [line.partition(":")[2].strip() for line in lines if line.startswith("part:")]
        return named[0] if named else "part"
    return None
