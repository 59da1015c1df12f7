"""Write one split of a category as LabelMe files, each beside a copy of its picture.

Every instance is a shape of the type "mask": label is its class, group_id its number, and no pixel
is lost. OUT/CATEGORY/class_map.json says which classes are defects, for `--classes` of the other
commands.
"""

from __future__ import annotations

import argparse
import base64
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from exchange.dataset import (
    Instance,
    add_split,
    bounding_box,
    class_table,
    instances,
    read_marked,
    refuse_inside,
)
from stainless.dataset import Sample, common_depth, frame_of, image_size
from stainless.errors import InputError
from stainless.files import remove_partials, write_bytes

#: The first version of LabelMe that knows masks.
VERSION = "5.3.0"

CLASS_MAP = "class_map.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_split(parser)
    parser.add_argument("--out", type=Path, required=True, help="folder to write")


def run(args: argparse.Namespace) -> int:
    """Write what is not there yet, and say what is."""
    from tqdm import tqdm

    refuse_inside(args.out, args.data)
    samples = read_marked(args)
    # For its warnings: what is exported has 8 bits.
    common_depth(samples)
    classes = class_table(args.data, [args.category], samples)
    place = args.out / args.category
    targets = [place / f"{sample.name}{_ending(sample)}" for sample in samples]
    _refuse_foreign(place / args.split, set(targets))
    _put(place / CLASS_MAP, _json({entry.name: entry.kind for entry in classes.values()}))
    progress = tqdm(samples, unit="image", disable=None, leave=False)
    for sample, target in zip(progress, targets, strict=True):
        content = describe(instances(sample, classes), image_size(sample.image), target.name)
        _put(target, _picture(sample))
        _put(target.with_suffix(".json"), _json(content))
    print(f"{place / args.split}: {len(samples)} images")
    return 0


def describe(found: list[Instance], size: tuple[int, int], picture: str) -> dict[str, Any]:
    """Return a LabelMe file's content.

    Args:
        found: what lies on the picture.
        size: the picture's height and width.
        picture: its name, beside the file.
    """
    return {
        "version": VERSION,
        "flags": {},
        "shapes": [_shape(instance, size[0]) for instance in found],
        "imagePath": picture,
        "imageData": None,
        "imageHeight": size[0],
        "imageWidth": size[1],
    }


def _shape(instance: Instance, height: int) -> dict[str, Any]:
    box = bounding_box(instance.pixels, height)
    columns, rows = np.divmod(instance.pixels, height)
    patch = np.zeros((box.height, box.width), np.uint8)
    patch[rows - box.top, columns - box.left] = 255
    corner = [float(box.left + box.width - 1), float(box.top + box.height - 1)]
    return {
        "label": instance.of.name,
        "points": [[float(box.left), float(box.top)], corner],
        "group_id": instance.number or None,
        "description": "",
        "shape_type": "mask",
        "flags": {},
        "mask": base64.b64encode(_png(patch)).decode("ascii"),
    }


def _ending(sample: Sample) -> str:
    return sample.image.suffix if _is_shown(sample) else ".png"


def _is_shown(sample: Sample) -> bool:
    """Tell whether LabelMe shows a picture as it is: 8 bits a channel, upright, PNG, JPEG or BMP.

    Tools differ in which orientation tags they heed.
    """
    if frame_of(sample.image).orientation != 1:
        return False
    if sample.image.suffix.lower() == ".png":
        with sample.image.open("rb") as file:
            return file.read(25)[24:] <= b"\x08"
    return sample.image.suffix.lower() not in (".tif", ".tiff", ".webp")


def _picture(sample: Sample) -> bytes:
    # Decoded in any case: a broken picture is not handed on.
    pixels = sample.load()
    return sample.image.read_bytes() if _is_shown(sample) else _png(pixels[..., ::-1])


def _png(pixels: npt.NDArray[np.uint8]) -> bytes:
    return cv2.imencode(".png", pixels)[1].tobytes()


def _json(content: dict[str, Any]) -> bytes:
    text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    # Bytes of a name that are no UTF-8 become JSON's escapes.
    return text.encode(errors="backslashreplace")


def _refuse_foreign(folder: Path, targets: set[Path]) -> None:
    if folder.is_dir():
        remove_partials(folder)
    own = targets | {path.with_suffix(".json") for path in targets}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path not in own:
            raise InputError(f"{path}: is not of this export, expected no other files")


def _put(path: Path, data: bytes) -> None:
    """Write a file unless it is there; what somebody has changed since is never replaced.

    Raises:
        InputError: another file of that name is there.
    """
    if not path.exists():
        write_bytes(path, data)
    elif path.read_bytes() != data:
        raise InputError(
            f"{path}: is there and differs from what would be written, expected another --out"
        )
