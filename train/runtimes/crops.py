"""Random crops of pictures, of many sizes and in batches, to compare runtimes on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from stainless.dataset import Sample

#: Different crops of one size that are taken from a picture at most.
BATCH = 8

#: Different lengths of a side: a runtime prepares itself for each size that it meets.
LENGTHS = 6

#: Random streams: of the order of pictures, of the crops.
ORDER, CROPS = 0, 1


def crops(
    samples: Sequence[Sample], count: int, sides: tuple[int, int], seed: int
) -> Iterator[list[np.ndarray]]:
    """Yield batches of crops of equal size, one to eight, until there are as many as wanted.

    Args:
        samples: pictures; each is used about as often as any other.
        count: of crops.
        sides: shortest and longest side, in this order; a picture that is smaller is used as far
            as it goes.
        seed: of places, sizes and order.
    """
    lengths = np.unique(np.linspace(*sides, LENGTHS).round().astype(int))
    order = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(ORDER,)))
    visits = -(-count // len(samples))
    sizes = [min(BATCH, visits)] * (visits // min(BATCH, visits))
    sizes += [visits - sum(sizes)] if sum(sizes) < visits else []
    left = count
    for turn, size in enumerate(sizes):
        for place in order.permutation(len(samples)):
            number = min(size, left)
            if not number:
                return
            key = (CROPS, turn, int(place))
            rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))
            yield _batch(samples[place].load(), lengths, number, rng)
            left -= number


def _batch(
    image: np.ndarray, lengths: np.ndarray, number: int, rng: np.random.Generator
) -> list[np.ndarray]:
    size = tuple(min(int(rng.choice(lengths)), length) for length in image.shape[:2])
    found = []
    for _ in range(number):
        top, left = (
            int(rng.integers(length - side + 1))
            for length, side in zip(image.shape[:2], size, strict=True)
        )
        found.append(np.ascontiguousarray(image[top : top + size[0], left : left + size[1]]))
    return found
