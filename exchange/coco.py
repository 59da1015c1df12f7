"""Write one split of a category as a COCO file: instances as run lengths, classes as categories.

File names in it are relative to the dataset, which is the folder of images for tools that ask.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from exchange.dataset import (
    Instance,
    add_split,
    bounding_box,
    class_table,
    instances,
    read_marked,
    refuse_inside,
    way_to,
)
from stainless.dataset import AnnotationClass, Sample, image_size
from stainless.dataset.rle import compressed, run_lengths
from stainless.errors import InputError
from stainless.own_files import OwnFiles


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_split(parser)
    parser.add_argument("--out", type=Path, required=True, help="JSON file to write")


def run(args: argparse.Namespace) -> int:
    """Write the file and say what is in it."""
    from tqdm import tqdm

    refuse_inside(args.out, args.data)
    if args.out.is_dir():
        raise InputError(f"{args.out}: is a folder, expected the name of a file")
    place = args.out.parent
    source = f"{way_to(args.data, place)}, {args.category}, {args.split}"
    own = OwnFiles(place, "export-coco", source)
    own.require([args.out.name])
    samples = read_marked(args)
    classes = class_table(args.data, [args.category], samples)
    content = describe(
        tqdm(samples, unit="image", disable=None, leave=False), classes, args.data, args.split
    )
    own.write_text(args.out.name, json.dumps(content, ensure_ascii=False) + "\n")
    print(f"{args.out}: {len(samples)} images, {len(content['annotations'])} instances")
    return 0


def describe(
    samples: Iterable[Sample], classes: dict[str, AnnotationClass], root: Path, split: str
) -> dict[str, Any]:
    """Return a COCO file's content.

    An instance is an annotation with `iscrowd` 0. Pixels of a class that belong to no instance are
    what COCO calls a crowd: `iscrowd` 1, left out of account by its evaluation.

    Raises:
        InputError: an annotation is corrupt.
    """
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number, sample in enumerate(samples, 1):
        height, width = image_size(sample.image)
        name = sample.image.relative_to(root).as_posix()
        images.append({"id": number, "file_name": name, "width": width, "height": height})
        for instance in instances(sample, classes):
            annotations.append(
                {"id": len(annotations) + 1, "image_id": number}
                | _annotation(instance, height, width)
            )
    return {
        "info": {"description": f"Stainless dataset {root.resolve().name}, {split} split"},
        "licenses": [],
        "images": images,
        "annotations": annotations,
        "categories": [
            {"id": entry.index, "name": entry.name, "supercategory": entry.kind}
            for entry in sorted(classes.values(), key=lambda entry: entry.index)
        ],
    }


def _annotation(instance: Instance, height: int, width: int) -> dict[str, Any]:
    counts = compressed(run_lengths(instance.pixels, height * width))
    return {
        "category_id": instance.of.index,
        "segmentation": {"size": [height, width], "counts": counts},
        "area": len(instance.pixels),
        "bbox": list(bounding_box(instance.pixels, height)),
        "iscrowd": int(instance.number == 0),
        "instance": instance.number,
    }
