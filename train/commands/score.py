"""Score pictures: a JSON line with the verdict, heat map, binary mask, overlay.

Verdicts are written as they come. A picture that cannot be used is a line with its reason, and
makes the exit code 1. Every anomalous region comes with the nominal patch that it was compared
with, where the method knows one.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stainless.dataset_options import add_white_level
from stainless.errors import InputError, explain
from train.commands.common import add_model, open_model
from train.commands.thresholds import add_thresholds, chosen

if TYPE_CHECKING:
    import numpy as np

    from stainless.dataset import Sample
    from stainless.own_files import OwnFiles
    from train.detectors.detector import Score
    from train.detectors.model_file import Model
    from train.verdicts.conformal import DriftCheck
    from train.verdicts.decision import Decision

#: Significant digits of scores in a verdict; a float32 holds hardly more.
DIGITS = 6

#: What is written: a line for each picture, and the pictures of a verdict.
VERDICTS = "verdicts.jsonl"
KINDS = ("heat", "mask", "overlay")

#: The picture that --explain adds.
WHY = "why"

#: Exit code where a picture could not be used.
SOME_FAILED = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_model(parser, exported=True)
    parser.add_argument("images", type=Path, nargs="+", help="pictures, or folders of them")
    parser.add_argument("--out", type=Path, required=True, help="folder of the results")
    add_thresholds(parser)
    parser.add_argument(
        "--explain",
        action="store_true",
        help="write NAME_why.png as well: each region beside the nominal patch nearest to it",
    )
    parser.add_argument(
        "--areas",
        type=Path,
        metavar="FILE",
        help="index picture of the areas of a product that always lies alike, with areas.json "
        "beside it: a verdict on each, of a model with thresholds of areas",
    )
    add_white_level(parser)


def run(args: argparse.Namespace) -> int:
    """Score every picture; write its three pictures, and verdicts.jsonl.

    The lines of verdicts.jsonl go to stdout as well, what a person wants to know to stderr.
    """
    from tqdm import tqdm

    from stainless.dataset import GOOD, Sample
    from stainless.own_files import OwnFiles
    from train.scored_names import named_pictures
    from train.scoring import at_models_depth

    own = OwnFiles(args.out, "score")
    _refuse_inside_images(args.out, args.images)
    named = named_pictures(args.images)
    written = [VERDICTS, *(f"{name}_{kind}.png" for name in named for kind in (*KINDS, WHY))]
    own.require(written)
    model = open_model(args)
    decision = chosen(model, args)
    samples = at_models_depth(
        model,
        [
            Sample(path, GOOD, None, name, name, white_level=args.white_level)
            for name, path in named.items()
        ],
    )
    guarantee = _guarantee(model, decision)
    more = More(args.explain, args.areas, _area_limits(model, args))
    # Pictures of an earlier run must not stand beside this one's verdicts.
    own.clear(written)
    flagged = failed = 0
    with own.growing(VERDICTS) as add:
        for sample in tqdm(samples, unit="image", disable=None, leave=False):
            verdict = _verdict(model, decision, sample, own, more)
            if guarantee is not None and verdict["verdict"] is not None:
                verdict["p_value"] = guarantee.p_value(verdict["score"])
            flagged += verdict["verdict"] == "anomalous"
            failed += verdict["verdict"] is None
            line = json_line(rounded(verdict), "utf-8")
            add(line)
            tqdm.write(json_line(rounded(verdict), sys.stdout.encoding or "ascii"))
    told = f"{args.out}: {flagged} of {len(named) - failed} pictures anomalous"
    print(told + (f", {failed} could not be scored" if failed else ""), file=sys.stderr)
    if guarantee is not None and (caution := guarantee.caution()) is not None:
        print(f"warning: {caution}", file=sys.stderr)
    return SOME_FAILED if failed else 0


def _guarantee(model: Model, decision: Decision) -> DriftCheck | None:
    """Return what follows whether the guarantee still holds; None where none decides."""
    from train.verdicts.conformal import DriftCheck
    from train.verdicts.rule import PICTURE

    entry = model.thresholds.get(PICTURE, {})
    # A rule that promises keeps what its promise rests on.
    promised = "calibration" in entry and decision.picture_rule == entry["rule"]
    return DriftCheck(entry) if promised else None


@dataclass(frozen=True)
class More:
    """What is said beyond the verdict.

    Attributes:
        explained: whether a picture shows what regions are nearest to.
        areas: file of the areas of the product; None for none.
        limits: their thresholds by name.
    """

    explained: bool
    areas: Path | None
    limits: Mapping[str, float]

    def on_areas(self, anomaly_map: np.ndarray) -> dict[str, Any]:
        """Return the score, the threshold and the verdict of each area in an (H, W) map.

        Raises:
            InputError: the file of areas does not fit, or has one without a threshold.
        """
        from stainless.dataset import read_area_map
        from train.verdicts.aggregation import rejecting_areas, verdict
        from train.verdicts.areas import area_scores

        assert self.areas is not None
        height, width = anomaly_map.shape
        scores = area_scores(anomaly_map, read_area_map(self.areas, (height, width)))
        rejecting = rejecting_areas(scores, self.limits)
        return {
            name: {
                "verdict": verdict(name in rejecting),
                "score": score,
                "threshold": self.limits[name],
            }
            for name, score in scores.items()
        }


def _area_limits(model: Model, args: argparse.Namespace) -> dict[str, float]:
    """Return the thresholds of areas.

    Raises:
        InputError: a file of areas is given, and the model has no threshold of any.
    """
    from train.verdicts.areas import area_thresholds

    limits = area_thresholds(model.thresholds)
    if args.areas is not None and not limits:
        raise InputError(
            f"--areas: {args.model} has no threshold of an area; run `stainless threshold --areas`"
        )
    if args.areas is None and limits:
        print(f"{args.model}: has thresholds of areas; --areas FILE uses them", file=sys.stderr)
    return limits


def _verdict(
    model: Model, decision: Decision, sample: Sample, own: OwnFiles, more: More
) -> dict[str, Any]:
    """Score one picture, write the pictures of its verdict, and return the line."""
    from train.scoring import probability, score_picture

    # What an earlier run has left must not stand beside this one's line.
    for kind in (*KINDS, WHY):
        own.remove(f"{sample.name}_{kind}.png")
    line: dict[str, Any] = {"image": str(sample.image)}
    try:
        image = sample.load()
        score = score_picture(model.detector, sample, image)
        verdict = decision.of(score.value, score.map)
        if more.areas is not None and score.map is not None:
            verdict["areas"] = more.on_areas(score.map)
    except (InputError, MemoryError) as error:
        return {**line, "verdict": None, "reason": explain(error)}
    chance = probability(model, score)
    line |= {
        **verdict,
        "score": score.value,
        **({} if chance is None else {"probability": chance}),
        "pixel_threshold": decision.pixel,
        "pixel_rule": decision.pixel_rule,
        "regions": _regions(model, score, decision.pixel),
    }
    if score.map is not None and decision.pixel is not None:
        for kind, picture in render(image, score.map, decision.pixel).items():
            _write_picture(own, f"{sample.name}_{kind}.png", picture)
    if more.explained and line["regions"] is not None:
        from train.why import why_picture

        picture = why_picture(image, line["regions"], model.detector)
        if picture is not None:
            _write_picture(own, f"{sample.name}_{WHY}.png", picture[..., ::-1])
    return line


def _regions(model: Model, score: Score, threshold: float | None) -> list[dict[str, Any]] | None:
    """Return the anomalous regions; None where there is no map or no threshold of pixels."""
    from train.regions import explained_regions

    if score.map is None or threshold is None:
        return None
    return explained_regions(model.detector, score, threshold)


def json_line(value: Any, encoding: str) -> str:
    """Return a value as one line of JSON that an encoding can hold, escaped where it must be.

    A byte of a file name that is no UTF-8 (`surrogateescape`) becomes \\udcxx, which reads back as
    what it was.
    """
    line = json.dumps(value, ensure_ascii=False)
    try:
        line.encode(encoding)
    except UnicodeEncodeError:
        return json.dumps(value)
    return line


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


def _write_picture(own: OwnFiles, name: str, pixels: np.ndarray) -> None:
    """Write a picture; OpenCV gives its bytes alone, since it cannot open every file name."""
    import cv2

    _, data = cv2.imencode(".png", pixels)
    own.write_bytes(name, data.tobytes())


if __name__ == "__main__":
    from stainless.cli import main

    sys.exit(main(["score", *sys.argv[1:]]))
