"""What bounds and sequential sampling are worth where the true curve is known, without a render.

    python -m train.pod.simulation --flaws 300 --experiments 200

Prints, for sizes that are spread and for sequential ones, how often a90/95 lies above the true a90,
how far above the fitted one it is, and how much the fitted a90 varies.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np

from stainless.errors import guarded
from train.pod.hit_miss import Curve, NoCurve, fit
from train.pod.sequential import next_sizes, spread

#: What may be placed: the true a50 lies in the middle of it.
LIMITS = (0.2, 5.0)


def experiment(
    curve: Curve,
    limits: tuple[float, float],
    flaws: int,
    batch: int,
    sequential: bool,
    rng: np.random.Generator,
) -> tuple[float, float]:
    """Return the fitted a90 and a90/95 of one simulated experiment.

    Args:
        curve: the true one.
        limits: the smallest and the largest size.
        flaws: how many.
        batch: how many are placed at once.
        sequential: whether later ones are placed by what was found.
        rng: draws sizes, hits and misses.

    Raises:
        NoCurve: there is none.
    """
    sizes = spread(limits, min(batch, flaws), rng)
    hits = rng.random(len(sizes)) < curve.at(sizes)
    while len(sizes) < flaws:
        count = min(batch, flaws - len(sizes))
        if sequential:
            more = next_sizes(sizes, hits, limits, count, rng)
        else:
            more = spread(limits, count, rng)
        sizes = np.concatenate([sizes, more])
        hits = np.concatenate([hits, rng.random(count) < curve.at(more)])
    found = fit(sizes, hits)
    return found.curve.size(0.9), found.upper_size(0.9)


def main() -> int:
    """Simulate and print a table."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--flaws", type=int, default=300)
    options.add_argument("--batch", type=int, default=30)
    options.add_argument("--experiments", type=int, default=200)
    options.add_argument("--slope", type=float, default=4.0, help="of the true curve")
    args = options.parse_args()
    curve = Curve(0.0, args.slope)
    print("sizes       bound holds  a90/95 above a90  spread of a90  no curve")
    for sequential in (False, True):
        found = []
        for seed in range(args.experiments):
            rng = np.random.default_rng([seed, args.flaws])
            try:
                found.append(experiment(curve, LIMITS, args.flaws, args.batch, sequential, rng))
            except NoCurve:
                continue
        a90, upper = np.array(found).T
        print(
            f"{'sequential' if sequential else 'spread':10}  "
            f"{100 * np.mean(upper >= curve.size(0.9)):9.1f} %  "
            f"{100 * (np.median(upper / a90) - 1):14.1f} %  "
            f"{100 * np.log(a90).std():11.1f} %  {args.experiments - len(found):8}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(guarded(main, "simulation"))
