"""Time, memory and covering radius of coreset selection, in one run over real patches.

Extracts the features of the images once to a temporary file, then lets every method select its
members from it in a fresh process of its own, and prints a Markdown table. The sequential coreset
reads the features image by image, as it would get them from the extractor; the others need them all
at once, so theirs is the memory for that. Memory is the peak of the process over what it held when
the selection began. Seconds are of the wall; CPU seconds of all threads.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from stainless.errors import InputError, guarded
from stainless.measure import Watch, alone, peak, restart_peak
from train.detectors.sequential_patchcore.coreset import Coreset
from train.detectors.sequential_patchcore.covering import covering_radius
from train.detectors.sequential_patchcore.rivals import (
    EPOCHS,
    anomalib_greedy,
    exact_greedy,
    naive_decisions,
)
from train.detectors.sequential_patchcore.settings import SIZE

METHODS = {
    "sequential": "sequential",
    "converged": "sequential, to convergence",
    "greedy": "exact greedy k-center",
    "anomalib": "anomalib KCenterGreedy",
}

#: Passes after which a coreset that still changes is given up on.
PASSES = 100

#: Patches that the naive loop is timed on.
NAIVE_PATCHES = 300


@dataclass(frozen=True)
class Patches:
    """Features on disk, (images, patches per image, dimension) float32."""

    path: Path
    shape: tuple[int, int, int]

    def __iter__(self) -> Iterator[Tensor]:
        """Yield (patches per image, dimension), one image in memory at a time."""
        _, rows, columns = self.shape
        with self.path.open("rb") as file:
            for _ in range(self.shape[0]):
                image = np.fromfile(file, np.float32, rows * columns)
                yield torch.from_numpy(image.reshape(rows, columns))

    def whole(self) -> Tensor:
        """Return (all patches, dimension)."""
        return torch.from_numpy(np.fromfile(self.path, np.float32).reshape(-1, self.shape[2]))


@dataclass(frozen=True)
class Result:
    """What one method took and reached.

    Attributes:
        seconds: of the wall.
        cpu_seconds: of all threads.
        memory_mb: peak over what the process held before, in 10^6 bytes.
        radius: covering radius over all patches.
        remark: epochs and the like.
    """

    seconds: float
    cpu_seconds: float
    memory_mb: float
    radius: float
    remark: str


def extract(folder: Path, count: int, size: tuple[int, int], stride: int, out: Path) -> Patches:
    """Write the features of `count` images, resized to (width, height), to a file.

    Raises:
        InputError: no images in the folder.
    """
    import cv2

    from stainless.dataset.images import load_image
    from train.features import FeatureExtractor

    extractor = FeatureExtractor(pool_stride=stride)
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in (".png", ".jpg"))
    if not files:
        raise InputError(f"{folder}: no png or jpg images")
    shape = (0, 0, 0)
    with out.open("wb") as file:
        for path in tqdm(files[:count], desc="features", unit="image", disable=None):
            image = cv2.resize(load_image(path), size, interpolation=cv2.INTER_AREA)
            features = extractor(torch.from_numpy(image).permute(2, 0, 1)[None])
            patches = features.reshape(-1, features.shape[-1]).cpu().numpy()
            file.write(patches.tobytes())
            shape = (shape[0] + 1, *patches.shape)
    return Patches(out, shape)


def select(method: str, patches: Patches, size: int, epochs: int, threads: int) -> Result:
    """Let one method select its members; meant for a process of its own."""
    torch.set_num_threads(threads)
    work: Callable[[], tuple[Tensor, str]]
    if method in ("sequential", "converged"):
        passes = PASSES if method == "converged" else epochs

        def work() -> tuple[Tensor, str]:
            coreset = Coreset(size, identity={})
            done = coreset.fit(lambda: ((image, None) for image in patches), passes)
            changes = ", ".join(f"{epoch.replacements:,}" for epoch in done[:5])
            return coreset.members, f"{len(done)} epochs; replacements {changes}"
    else:
        choose = exact_greedy if method == "greedy" else anomalib_greedy

        def work() -> tuple[Tensor, str]:
            return choose(patches.whole(), size), ""

    _warm_up(method)
    before = restart_peak()
    watch = Watch()
    members, remark = work()
    took = watch.spent()
    memory = (peak() - before) / 1e6
    chosen = Coreset(max(2, len(members)), identity={})
    chosen.update(members)
    radius = covering_radius(chosen, patches)
    return Result(took["seconds"], took["cpu_seconds"], memory, radius, remark)


def steady_state(patches: Patches, size: int, threads: int) -> tuple[float, float]:
    """Return microseconds per patch of the naive loop and of `update`, after three epochs."""
    torch.set_num_threads(threads)
    coreset = Coreset(size, identity={})
    coreset.fit(lambda: ((image, None) for image in patches), 3)
    image = next(iter(patches))
    members, limit = coreset.members.numpy(), coreset.separation
    watch = Watch()
    naive_decisions(members, image[:NAIVE_PATCHES].numpy(), limit)
    naive = watch.seconds / len(image[:NAIVE_PATCHES])
    seconds = 0.0
    for image in patches:
        watch = Watch()
        coreset.update(image)
        seconds += watch.seconds
    return naive * 1e6, seconds / (patches.shape[0] * patches.shape[1]) * 1e6


def _warm_up(method: str) -> None:
    """Load what a method loads on first use, so that it counts for nobody."""
    random = torch.randn(400, 16, generator=torch.Generator().manual_seed(0))
    Coreset(32, identity={}).fit(lambda: [(random, None)], 2)
    if method in ("greedy", "anomalib"):
        (exact_greedy if method == "greedy" else anomalib_greedy)(random, 32)


def table(results: dict[str, Result], patches: Patches) -> str:
    """Return the results as a Markdown table; ratios are to the first row."""
    images, rows, columns = patches.shape
    first = next(iter(results.values()))
    lines = [
        f"{images} images, {images * rows:,} patches of {columns} numbers, "
        f"{images * rows * columns * 4 / 1e6:.0f} MB",
        "",
        "| method | seconds | x | CPU s | x | memory MB | x | covering radius | x | |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|---|",
    ]
    for method, result in results.items():
        cells = []
        for value, unit, digits in (
            (result.seconds, first.seconds, 1),
            (result.cpu_seconds, first.cpu_seconds, 1),
            (result.memory_mb, first.memory_mb, 0),
            (result.radius, first.radius, 3),
        ):
            cells += [f"{value:,.{digits}f}", f"{value / unit:.3g}" if unit else ""]
        lines.append(f"| {METHODS[method]} | {' | '.join(cells)} | {result.remark} |")
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> int:
    """Run the benchmark of one command line."""
    parser = argparse.ArgumentParser(
        prog="python -m train.detectors.sequential_patchcore.benchmark", description=__doc__
    )
    parser.add_argument("--images", type=Path, required=True, help="folder of nominal images")
    parser.add_argument("--count", type=int, default=16, help="images to use (default: 16)")
    parser.add_argument(
        "--image-size", type=int, nargs=2, default=(2448, 2050), metavar=("WIDTH", "HEIGHT")
    )
    parser.add_argument("--pool-stride", type=int, default=2, help="cells between patches")
    parser.add_argument("--size", type=int, default=SIZE, help=f"members (default: {SIZE})")
    parser.add_argument(
        "--epochs", type=int, default=EPOCHS, help="passes of the sequential coreset"
    )
    parser.add_argument(
        "--methods", nargs="+", choices=METHODS, default=["sequential", "converged", "greedy"]
    )
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="of torch")
    parser.add_argument("--steady", action="store_true", help="time single patches too")
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        patches = alone(
            extract,
            args.images,
            args.count,
            tuple(args.image_size),
            args.pool_stride,
            Path(folder) / "features.f32",
        )
        results = {}
        for method in args.methods:
            results[method] = alone(select, method, patches, args.size, args.epochs, args.threads)
            print(method, asdict(results[method]), file=sys.stderr)
        print(table(results, patches))
        if args.steady:
            naive, ours = alone(steady_state, patches, args.size, args.threads)
            print(
                f"\nsteady state per patch: naive loop {naive:.0f} µs, update {ours:.2f} µs, "
                f"{naive / ours:.0f} times faster"
            )
    return 0


if __name__ == "__main__":
    sys.exit(guarded(main, "benchmark"))
