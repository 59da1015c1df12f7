"""Score pictures: heat map, binary mask, overlay, and a JSON line with the verdict.

Every anomalous region comes with the nominal patch that it was compared with.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stainless.errors import InputError
from stainless.files import replacing, write_text
from train.commands.common import (
    add_model,
    check_folder,
    chosen_threshold,
    naming,
    open_model,
)

if TYPE_CHECKING:
    import numpy as np

#: Significant digits of scores in a verdict; a float32 holds hardly more.
DIGITS = 6


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_model(parser)
    parser.add_argument("images", type=Path, nargs="+", help="pictures, or folders of them")
    parser.add_argument("--out", type=Path, required=True, help="folder of the results")
    parser.add_argument("--threshold", type=float, help="default: the model's own")


def run(args: argparse.Namespace) -> int:
    """Score every picture; write its three pictures, and verdicts.jsonl.

    The lines of verdicts.jsonl go to stdout as well, what a person wants to know to stderr.
    """
    from tqdm import tqdm

    from stainless.dataset import load_image
    from train.regions import explained_regions

    check_folder(args.out)
    _refuse_inside_images(args.out, args.images)
    named = _named(args.images)
    model = open_model(args)
    threshold = chosen_threshold(model, args)
    lines = []
    flagged = 0
    for name, path in tqdm(named.items(), unit="image", disable=None, leave=False):
        image = load_image(path)
        try:
            score = model.detector.score([image])[0]
        except InputError as error:
            raise naming(path, error) from None
        if score.map is None:
            raise InputError(f"{args.model}: a model of {model.method} gives no anomaly map")
        regions = explained_regions(model.detector, score, threshold)
        flagged += bool(regions)
        verdict = {
            "image": str(path),
            "verdict": "anomalous" if regions else "nominal",
            "score": score.value,
            "threshold": threshold,
            "regions": regions,
        }
        for kind, picture in render(image, score.map, threshold).items():
            _write_picture(args.out / f"{name}_{kind}.png", picture)
        lines.append(json.dumps(rounded(verdict), ensure_ascii=False))
        tqdm.write(lines[-1])
    write_text(args.out / "verdicts.jsonl", "\n".join(lines) + "\n")
    print(f"{args.out}: {flagged} of {len(lines)} pictures anomalous", file=sys.stderr)
    return 0


def rounded(value: Any) -> Any:
    """Return a JSON-able value with all its floats cut to as many digits as mean something.

    Rounding keeps the order of two numbers, so that what reached the threshold still does.
    """
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value


def render(image: np.ndarray, anomaly_map: np.ndarray, threshold: float) -> dict[str, Any]:
    """Return the pictures of a verdict.

    Args:
        image: (H, W, 3) uint8 RGB.
        anomaly_map: (H, W) float32.
        threshold: the middle of the colour scale, so that colours compare between pictures.

    Returns:
        "heat" (H, W, 3) BGR, "mask" (H, W) of 0 and 255, "overlay" (H, W, 3) BGR: the picture with
        the heat map over it and the outline of what is anomalous.
    """
    import cv2
    import numpy as np

    scale = 127.5 / threshold if threshold > 0 else 0.0
    level = np.rint((anomaly_map * scale).clip(0, 255)).astype(np.uint8)
    heat = cv2.applyColorMap(level, cv2.COLORMAP_INFERNO)
    mask = (anomaly_map >= np.float32(threshold)).astype(np.uint8) * 255
    overlay = cv2.addWeighted(image[..., ::-1], 0.6, heat, 0.4, 0)
    outline, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    width = max(1, min(mask.shape) // 500)
    overlay = cv2.drawContours(np.ascontiguousarray(overlay), outline, -1, (80, 255, 80), width)
    return {"heat": heat, "mask": mask, "overlay": overlay}


def _refuse_inside_images(out: Path, given: list[Path]) -> None:
    """Refuse to write among the pictures: the next run would take heat maps for some of them."""
    for place in given:
        if place.is_dir() and out.resolve().is_relative_to(place.resolve()):
            raise InputError(f"--out: {out} lies in {place}, which is scored, expected another")


def _named(given: list[Path]) -> dict[str, Path]:
    """Return the pictures by the name of their results."""
    from stainless.dataset import list_images

    named: dict[str, Path] = {}
    for place in given:
        paths = list_images(place, deep=True) if place.is_dir() else [place]
        if not paths:
            raise InputError(f"{place}: has no images")
        for path in paths:
            name = path.relative_to(place) if place.is_dir() else Path(path.name)
            key = name.with_suffix("").as_posix()
            if named.setdefault(key, path) != path:
                raise InputError(f"{path}: results would overwrite those of {named[key]}")
    return named


def _write_picture(path: Path, pixels: np.ndarray) -> None:
    import cv2

    with replacing(path) as beside:
        if not cv2.imwrite(str(beside), pixels):
            raise InputError(f"{path}: cannot be written")


if __name__ == "__main__":
    from stainless.cli import main

    sys.exit(main(["score", *sys.argv[1:]]))
