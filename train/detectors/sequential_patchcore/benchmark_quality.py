"""The sequential coreset beside greedy ones and a random one, all else equal, on a real dataset.

Every method selects the same number of members from the same features of the training images, and
is scored with the same anomaly map; its threshold is the one of the highest pixel F1 on the
validation split. What is finished in --out is kept: the same command continues.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from stainless.dataset import Sample, read_category
from stainless.errors import guarded
from stainless.files import replacing, write_json, write_text
from stainless.measure import Watch, alone, peak, restart_peak
from train.detectors.detector import Context
from train.detectors.sequential_patchcore.coreset import Coreset
from train.detectors.sequential_patchcore.detector import SequentialPatchcore
from train.detectors.sequential_patchcore.rivals import EPOCHS, anomalib_greedy, exact_greedy
from train.detectors.sequential_patchcore.settings import SIZE, Settings
from train.features import FeatureExtractor
from train.map_files import map_file, write_map
from train.metrics import (
    FIGURES,
    Interval,
    Records,
    compare,
    evaluate,
    read_records,
)
from train.seeding import seeded
from train.verdicts.choice import usual_rules
from train.verdicts.fitting import fit_thresholds, thresholds_of

if TYPE_CHECKING:
    from collections.abc import Sequence

METHODS = {
    "sequential": "sequential coreset",
    "anomalib": "anomalib KCenterGreedy",
    "greedy": "exact greedy k-center",
    "random": "random patches",
}

#: Figures of the table, by their keys.
COLUMNS = (
    "image_auroc",
    "pixel_auroc",
    "au_pro",
    "f1",
    "f1_max",
    "pixel_false_alarm_rate",
    "false_alarm_rate",
    "mean_defect_recall",
)


def main(argv: list[str] | None = None) -> int:
    """Run the experiment of one command line."""
    parser = argparse.ArgumentParser(
        prog="python -m train.detectors.sequential_patchcore.benchmark_quality", description=__doc__
    )
    parser.add_argument("--data", type=Path, required=True, help="root folder of the dataset")
    parser.add_argument("--category", required=True, help="folder in it; needs a validation split")
    parser.add_argument("--out", type=Path, required=True, help="folder of the results")
    parser.add_argument("--size", type=int, default=SIZE, help=f"members (default: {SIZE})")
    parser.add_argument("--epochs", type=int, default=EPOCHS, help="of the sequential coreset")
    parser.add_argument("--pool-stride", type=int, default=1, help="cells between patches")
    parser.add_argument(
        "--every", type=int, default=1, metavar="N", help="learn from every Nth image only"
    )
    parser.add_argument("--seed", type=int, default=0, help="of random draws and the bootstrap")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    args = parser.parse_args(argv)

    extractor = FeatureExtractor(pool_stride=args.pool_stride)
    nominal = read_category(args.data, args.category, "train")[:: args.every]
    splits = {
        split: read_category(args.data, args.category, split) for split in ("validation", "test")
    }
    features = extract(extractor, nominal, args.out)
    coresets = {}
    for method in args.methods:
        path = args.out / f"{method}.safetensors"
        if not path.is_file():
            # In a process of its own, so that its memory is.
            identity = extractor.identity()
            alone(select, method, features, path, args.size, args.epochs, args.seed, identity)
        coresets[method] = Coreset.load(path)
    for split, samples in splits.items():
        score(extractor, coresets, samples, args.out / split)
    results = {method: measure(method, splits, args.out) for method in coresets}
    for method, coreset in coresets.items():
        results[method]["selection"] = coreset.history[-1]
    first = results[args.methods[0]]["per_image"]
    intervals = {
        method: compare(first, results[method]["per_image"], args.seed)
        for method in args.methods[1:]
    }
    write_json(args.out / "results.json", results)
    text = table(results) + "\n\n" + differences(intervals, args.methods[0])
    write_text(args.out / "table.md", text + "\n")
    print(text)
    return 0


def extract(extractor: FeatureExtractor, samples: Sequence[Sample], out: Path) -> Path:
    """Write the features of all images to a file and their patches per image beside it.

    Returns:
        The file, (patches, D) float32, image after image; `<file>.json` holds the counts.
    """
    path = out / "features.f32"
    if path.with_suffix(".json").is_file():
        return path
    counts = []
    with replacing(path) as beside, beside.open("wb") as file:
        for sample in tqdm(samples, desc="features", unit="image", disable=None):
            grid = patch_features(extractor, sample)
            patches = grid.reshape(-1, extractor.dimension).cpu().numpy()
            counts.append(len(patches))
            file.write(patches.tobytes())
    write_json(path.with_suffix(".json"), {"counts": counts, "dimension": extractor.dimension})
    return path


def patch_features(extractor: FeatureExtractor, sample: Sample) -> Tensor:
    """Return the (h, w, D) features of an image."""
    picture = torch.from_numpy(sample.load()).permute(2, 0, 1)[None]
    return extractor(picture)[0]


def read_features(path: Path) -> Iterator[Tensor]:
    """Yield the (N, D) features of each image, one in memory at a time."""
    shape = json.loads(path.with_suffix(".json").read_text())
    with path.open("rb") as file:
        for count in shape["counts"]:
            values = np.fromfile(file, np.float32, count * shape["dimension"])
            yield torch.from_numpy(values.reshape(count, shape["dimension"]))


def select(
    method: str,
    features: Path,
    path: Path,
    size: int,
    epochs: int,
    seed: int,
    identity: dict[str, Any],
) -> None:
    """Select members and save them, with what it took, as a coreset."""
    few = torch.from_numpy(np.random.default_rng(0).random((300, 16), np.float32))
    _choose(method, lambda: iter([few]), 20, 1, seed, {})  # loads what is loaded at first use
    before = restart_peak()
    watch = Watch()
    coreset = _choose(method, lambda: read_features(features), size, epochs, seed, identity)
    coreset.history.append(
        {
            "event": "selection",
            "method": method,
            **watch.spent(),
            "memory_mb": (peak() - before) / 1e6,
        }
    )
    coreset.save(path)


def _choose(
    method: str,
    read: Callable[[], Iterator[Tensor]],
    size: int,
    epochs: int,
    seed: int,
    identity: dict[str, Any],
) -> Coreset:
    """Return the coreset of a method; `read` gives the features of the images anew."""
    coreset = Coreset(size, identity=identity)
    if method == "sequential":
        coreset.fit(
            lambda: ((patches, None) for patches in read()),
            epochs,
            on_epoch=lambda epoch: print(epoch, file=sys.stderr),
        )
        return coreset
    patches = torch.cat(list(read()))
    if method == "anomalib":
        with seeded(seed):
            members = anomalib_greedy(patches, size)
    elif method == "greedy":
        members = exact_greedy(patches, size)
    else:
        rows = np.random.default_rng(seed).choice(len(patches), size, replace=False)
        members = patches[torch.from_numpy(np.sort(rows))]
    coreset.update(members)
    return coreset


def score(
    extractor: FeatureExtractor,
    coresets: dict[str, Coreset],
    samples: Sequence[Sample],
    folder: Path,
) -> None:
    """Write the anomaly map of every image by every method, features computed once an image."""
    detectors = {
        method: SequentialPatchcore(Settings(size=coreset.size), Context(), coreset, extractor)
        for method, coreset in coresets.items()
    }
    for sample in tqdm(samples, desc=f"scoring {folder.name}", unit="image", disable=None):
        wanted = {method: map_file(folder / method, sample.name) for method in detectors}
        wanted = {method: path for method, path in wanted.items() if not path.is_file()}
        if not wanted:
            continue
        image = sample.load()
        grid = patch_features(extractor, sample)
        for method, path in wanted.items():
            score = detectors[method].score_features(grid, *image.shape[:2])
            assert score.map is not None
            write_map(path, score.map)


def measure(method: str, splits: dict[str, list[Sample]], out: Path) -> dict[str, Any]:
    """Fit a method's thresholds on the validation split and evaluate it on the test split."""

    def records(split: str) -> Records:
        return read_records(
            splits[split], lambda sample: map_file(out / split / method, sample.name)
        )

    fitted = fit_thresholds(records("validation"), usual_rules(splits["validation"]))
    return evaluate(records("test"), thresholds_of(fitted))


def table(results: dict[str, dict[str, Any]]) -> str:
    """Return the Markdown table of all methods, and that of the recall per class."""
    head = [FIGURES[key].title for key in COLUMNS] + ["seconds", "CPU s", "memory MB"]
    lines = [_row(["", *head]), _row(["---", *["--:"] * len(head)])]
    for method, result in results.items():
        took = result["selection"]
        cost = [took["seconds"], took["cpu_seconds"], took["memory_mb"]]
        cells = [f"{FIGURES[key].of(result):.3f}" for key in COLUMNS]
        cells += [f"{value:,.0f}" for value in cost]
        lines.append(_row([METHODS[method], *cells]))
    classes = list(next(iter(results.values()))["classes"])
    lines += ["", _row(["mean defect-wise recall (found at all)", *classes])]
    lines.append(_row(["---", *["--:"] * len(classes)]))
    for method, result in results.items():
        of = [result["classes"][name] for name in classes]
        cells = [f"{row['mean_recall']:.3f} ({row['recall'][0]:.3f})" for row in of]
        lines.append(_row([METHODS[method], *cells]))
    return "\n".join(lines)


def differences(intervals: dict[str, dict[str, Interval]], first: str) -> str:
    """Return the Markdown table of differences to the first method with their intervals."""
    if not intervals:
        return ""
    metrics = list(next(iter(intervals.values())))
    lines = [_row([f"minus {METHODS[first]}", *metrics]), _row(["---", *["--:"] * len(metrics)])]
    for method, found in intervals.items():
        cells = [f"{i.difference:+.3f} [{i.low:+.3f}, {i.high:+.3f}]" for i in found.values()]
        lines.append(_row([METHODS[method], *cells]))
    return "\n".join(lines)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.exit(guarded(main, "benchmark_quality"))
