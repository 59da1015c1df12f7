"""Speed of scoring at full resolution, and memory of fitting against the number of images.

Prints two Markdown tables. The weights of a backbone do not matter to its speed, so where they are
missing random ones are measured. Times are medians over single images, from the decoded picture to
the anomaly map; whatever else the machine does counts against them, less so against the seconds of
the processor, which are those of all threads.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

import numpy as np

from stainless.errors import InputError, guarded
from stainless.measure import Watch, alone, peak
from train.detectors.sequential_patchcore.settings import SIZE, Settings

#: Height and width in pixels of the camera that the project is about.
FULL = (2050, 2448)

BACKBONES = ("mobilenet_v3_large", "efficientnet_lite0")


def main(argv: list[str] | None = None) -> int:
    """Run the benchmark of one command line."""
    parser = argparse.ArgumentParser(
        prog="python -m train.detectors.sequential_patchcore.benchmark_scoring", description=__doc__
    )
    parser.add_argument("--repeat", type=int, default=5, help="images per setting (default: 5)")
    parser.add_argument("--pool-stride", type=int, nargs="+", default=[2, 1])
    parser.add_argument("--size", type=int, default=SIZE, help="members of the coreset")
    parser.add_argument("--fit-images", type=int, nargs="*", default=[2, 6])
    args = parser.parse_args(argv)
    head = ["pool stride", "patches", "s per image", "of it features", "CPU s", "images/s"]
    print(f"| backbone | extractor | {' | '.join(head)} |\n|---|---|{'--:|' * len(head)}")
    for backbone in BACKBONES:
        for accelerator in (None, "openvino"):
            for stride in args.pool_stride:
                took = alone(time_scoring, backbone, accelerator, stride, args.size, args.repeat)
                print(
                    f"| {backbone} | {accelerator or 'eager'} | {stride} | {took['patches']:,} | "
                    f"{took['seconds']:.2f} | {took['features']:.2f} | "
                    f"{took['cpu']:.2f} | {1 / took['seconds']:.2f} |",
                    flush=True,
                )
    print("\n| images fitted | peak memory MB |\n|--:|--:|")
    for count in args.fit_images:
        print(f"| {count} | {alone(fitting_peak, count, args.size):,.0f} |", flush=True)
    return 0


def plate(seed: int) -> np.ndarray:
    """Return a picture of brushed metal at full resolution, (H, W, 3) uint8."""
    rng = np.random.default_rng(seed)
    grooves = rng.standard_normal((FULL[0], 1)) * 25
    values = 120 + grooves + rng.standard_normal(FULL) * 4
    return np.repeat(values.clip(0, 255).astype(np.uint8)[..., None], 3, axis=2)


def time_scoring(
    backbone: str, accelerator: str | None, stride: int, size: int, repeat: int
) -> dict[str, float]:
    """Return patches per image and the median seconds of a score, its features, its processor."""
    import torch

    from train.detectors.detector import Context
    from train.detectors.sequential_patchcore.detector import SequentialPatchcore
    from train.detectors.sequential_patchcore.fitting import extract

    settings = Settings(size=size, backbone=backbone, pool_stride=stride)
    try:
        detector = SequentialPatchcore(settings, Context(accelerator=accelerator))
    except InputError:
        context = Context(weights=Path("random"), accelerator=accelerator)
        detector = SequentialPatchcore(settings, context)
    extractor, picture = detector.extractor, plate(0)
    patches = extract(extractor, picture).reshape(-1, extractor.dimension)
    rows = np.random.default_rng(0).choice(len(patches), size, replace=False)
    detector.coreset.update(patches[torch.from_numpy(rows)])
    detector.score([picture])
    whole, features, cpu = [], [], []
    for number in range(repeat):
        picture = plate(number + 1)
        watch = Watch()
        found = extract(extractor, picture)
        features.append(watch.seconds)
        detector.score_features(found, *FULL)
        whole.append(watch.seconds)
        cpu.append(watch.cpu_seconds)
    return {
        "patches": len(patches),
        "seconds": statistics.median(whole),
        "features": statistics.median(features),
        "cpu": statistics.median(cpu),
    }


def fitting_peak(count: int, size: int) -> float:
    """Return the peak memory, 10^6 bytes, of a process that fits `count` full images."""
    import cv2

    from stainless.dataset import Sample
    from train.detectors.detector import Context, Trainset
    from train.detectors.sequential_patchcore.detector import SequentialPatchcore

    settings = Settings(size=size, epochs=1, pool_stride=2)
    detector = SequentialPatchcore(settings, Context(report=lambda _: None))
    with tempfile.TemporaryDirectory() as folder:
        samples = []
        for number in range(count):
            path = Path(folder) / f"{number}.png"
            cv2.imwrite(str(path), plate(number))
            samples.append(Sample(path, "good", None, path.stem, path.stem))
        detector.fit([Trainset("plates", samples)])
    return peak() / 1e6


if __name__ == "__main__":
    sys.exit(guarded(main, "benchmark_scoring"))
