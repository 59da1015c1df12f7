"""Arguments of all commands that read a dataset, and the line that says what was read.

Apart from the readers, which import what decodes pictures.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stainless.dataset import Sample

#: Which picture a mask was drawn on, where the file asks to be shown turned: the stored or the
#: turned one.
FRAMES = ("stored", "upright")


def add_reading(parser: argparse.ArgumentParser) -> None:
    """Add how labels, masks and values are understood, where the files do not say."""
    parser.add_argument(
        "--classes",
        type=Path,
        help="for LabelMe and COCO: YAML or JSON of label: defect|impurity|ignore, or a COCO file "
        "whose supercategories say it",
    )
    parser.add_argument(
        "--mask-frame",
        choices=FRAMES,
        help="whether masks of pictures with an orientation tag were drawn on the stored or on the "
        "upright picture, where both fit",
    )
    add_white_level(parser)


def add_white_level(parser: argparse.ArgumentParser) -> None:
    """Add which value is white."""
    parser.add_argument(
        "--white-level",
        type=_white_level,
        metavar="VALUE",
        help="value of white in 16-bit pictures of cameras with fewer bits, such as 4095 for 12 "
        "(default: what the file says, else 65535)",
    )


def reading(args: argparse.Namespace) -> dict[str, Any]:
    """Return what `read_category` takes of `add_reading`'s arguments."""
    return {
        "classes": args.classes,
        "mask_frame": args.mask_frame,
        "white_level": args.white_level,
    }


def counted(place: str, samples: Sequence[Sample]) -> str:
    """Return the line that says how many pictures of a split are used, of which classes."""
    labels = Counter(sample.label for sample in samples)
    classes = ", ".join(f"{label} {count}" for label, count in sorted(labels.items()))
    return f"{place}: {len(samples)} images ({classes})"


def _white_level(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text}, expected a whole number") from None
    if not 1 <= value <= 65535:
        raise argparse.ArgumentTypeError(f"{text}, expected 1 to 65535")
    return value
