"""How visible a scene's defects and impurities are: their contrast to a twin without them.

    python -m render.parts.plate.visibility --config scenes/cell.yaml --scale 0.25 --out docs/seen

The contrast of one defect or impurity in one picture is the mean absolute difference, in grey
levels of 8 bits, between the picture and its twin without defects (or without impurities), inside
its mask. Texture, light and noise of the twins are the same.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from render.cycles.tracer import Tracer
from render.labels import class_indices
from render.parts.plate.part import PART
from render.parts.plate.registry import FLAWS
from render.parts.plate.scene import PlateScene
from render.picture import Picture, render_view
from render.plan import Sample, plan_sample
from render.scene import read_scene
from stainless.errors import InputError, guarded
from stainless.files import replacing, write_json

T = TypeVar("T")

#: Index of each class in the annotations.
CLASS_INDEX = class_indices(PART)

#: Fewer pixels of an instance in a picture tell nothing.
LEAST_PIXELS = 4


def contrasts(
    picture: Picture, twin: npt.NDArray[np.unsignedinteger], names: set[str]
) -> Iterator[tuple[str, float]]:
    """Yield class and contrast of each instance of some classes in a picture.

    Args:
        picture: with them.
        twin: the pixels without them.
        names: the classes.
    """
    scale = 1.0 if picture.pixels.dtype == np.uint8 else 1 / 257
    difference = np.abs(picture.pixels.astype(np.float64) - twin) * scale
    for name in sorted(names):
        of_class = picture.labels.classes == CLASS_INDEX[name]
        for instance in np.unique(picture.labels.instances[of_class]):
            inside = of_class & (picture.labels.instances == instance)
            if inside.sum() >= LEAST_PIXELS:
                yield name, float(difference[inside].mean())


def measure(scene: PlateScene, sides: int, views: int) -> dict[str, list[float]]:
    """Render pictures and their twins and return the contrasts of each class.

    Args:
        scene: an inspection series.
        sides: how many of its defective or impure sides, evenly over the series.
        views: how many views of each side, evenly over the grid.
    """
    samples = [plan_sample(scene, index) for index in range(scene.samples)]
    chosen = [sample for sample in samples if sample.part.defects or sample.part.impurities]
    by_class: dict[str, list[float]] = defaultdict(list)
    picks = [
        (sample, view)
        for sample in spread(chosen, sides)
        for view in spread(range(len(sample.views)), views)
    ]
    tracer = Tracer(os.cpu_count() or 1)

    def pictures(sample: Sample, view: int) -> list[Picture]:
        return list(render_view(scene, sample, view, tracer))

    for sample, view in tqdm(picks, desc="visibility", unit="view"):
        whole = pictures(sample, view)
        for bare, names in (
            (without(sample, "defects"), set(FLAWS)),
            (without(sample, "impurities"), set(CLASS_INDEX) - set(FLAWS)),
        ):
            seen = {CLASS_INDEX[name] for name in names}
            labels = [picture.labels.classes for picture in whole]
            if bare == sample or not np.isin(labels, list(seen)).any():
                continue
            for picture, twin in zip(whole, pictures(bare, view), strict=True):
                for name, contrast in contrasts(picture, twin.pixels, names):
                    by_class[name].append(contrast)
    return {name: sorted(by_class[name]) for name in CLASS_INDEX if name in by_class}


def without(sample: Sample, what: str) -> Sample:
    """Return a sample without its `defects` or `impurities`."""
    return dataclasses.replace(sample, part=dataclasses.replace(sample.part, **{what: {}}))


def spread(items: Sequence[T], count: int) -> list[T]:
    """Return so many items, evenly over all of them, or all."""
    places = np.linspace(0, len(items) - 1, min(count, len(items))).round().astype(int)
    return [items[place] for place in places]


def plot(measured: dict[str, list[float]], path: Path) -> None:
    """Draw the distribution of each class' contrast as a strip with its quartiles."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 0.6 * len(measured) + 1.2), layout="constrained")
    for row, (_, values) in enumerate(measured.items()):
        # Spread by rank, so that the same plot comes out of the same numbers.
        height = row + 0.5 * ((np.arange(len(values)) * 0.618) % 1 - 0.5)
        axes.plot(values, height, "o", ms=3.5, alpha=0.45, mew=0, color="#1f6fb4")
        low, middle, high = np.percentile(values, [25, 50, 75])
        axes.plot([low, high], [row, row], "-", lw=5, color="#222222", solid_capstyle="butt")
        axes.plot([middle], [row], "o", ms=7, color="white", mec="#222222", mew=1.5)
    axes.set_yticks(range(len(measured)), [f"{n} ({len(v)})" for n, v in measured.items()])
    axes.set_ylim(len(measured) - 0.5, -0.5)
    axes.set_xscale("symlog", linthresh=1)
    axes.set_xlim(left=0)
    axes.set_xticks([0, 1, 2, 5, 10, 20, 50, 100], ["0", "1", "2", "5", "10", "20", "50", "100"])
    axes.set_xlabel("mean absolute difference to the twin without it (grey levels of 255)")
    axes.grid(axis="x", alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    with replacing(path) as beside:
        figure.savefig(beside, dpi=130)
    pyplot.close(figure)


def main() -> int:
    """Measure and write FILE.json and FILE.png; print a table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--config", type=Path, required=True, help="an inspection series")
    options.add_argument("--scale", default="1", help="resolution factor")
    options.add_argument("--sides", type=int, default=7, help="how many sides")
    options.add_argument("--views", type=int, default=6, help="views of each side")
    options.add_argument("--out", type=Path, required=True, help="file name without ending")
    arguments = options.parse_args()
    return guarded(lambda: _main(arguments), "visibility")


def _main(arguments: argparse.Namespace) -> int:
    scene = read_scene(arguments.config, [("scale", arguments.scale)])
    if not isinstance(scene, PlateScene):
        raise InputError(f"{arguments.config}: part: {scene.part}, expected plate")
    if scene.series is None:
        raise InputError(f"{arguments.config}: series: null, expected an inspection series")
    measured = measure(scene, arguments.sides, arguments.views)
    write_json(arguments.out.with_suffix(".json"), measured)
    plot(measured, arguments.out.with_suffix(".png"))
    print("| class | instances | 10 % | median | 90 % |\n|---|--:|--:|--:|--:|")
    for name, values in measured.items():
        low, middle, high = np.percentile(values, [10, 50, 90])
        print(f"| {name} | {len(values)} | {low:.1f} | {middle:.1f} | {high:.1f} |")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
