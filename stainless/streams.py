"""One stream of random numbers per purpose, each derived from (seed, sample, purpose)."""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from stainless.ranges import Range, within


class Stream(IntEnum):
    """What random numbers are drawn for. Append, never renumber: plans depend on the numbers."""

    TEXTURE = 0
    METAL = 1
    IMPURITY = 2
    LIGHT = 3
    CAMERA = 4
    SENSOR = 5
    CYCLES = 6
    DEFECT = 7
    AUGMENTATION = 8
    SPLIT = 9
    PART = 10
    CALIBRATION = 11


def seed_sequence(seed: int, sample: int, stream: Stream, *more: int) -> np.random.SeedSequence:
    """Return the root of one stream.

    Args:
        seed: of the dataset.
        sample: index of the sample.
        stream: the purpose.
        more: finer distinction, for example a kind of impurity.
    """
    return np.random.SeedSequence(seed, spawn_key=(sample, int(stream), *more))


#: In place of a sample's index, for what belongs to the whole dataset.
DATASET = 2**32 - 1


class Draw:
    """Draws physical parameters from ranges, in a fixed order.

    A constant consumes a number just as a range does, so that changing one range moves no other
    parameter.
    """

    def __init__(self, sequence: np.random.SeedSequence) -> None:
        self.rng = np.random.default_rng(sequence)

    def __call__(self, value: Range) -> float:
        """Return a number from a range."""
        return float(within(value, self.rng.random()))

    def around(self, deviation: Range) -> float:
        """Return a number between -d and d, evenly, with d itself from a range."""
        return self(deviation) * float(2 * self.rng.random() - 1)

    def seed(self) -> int:
        """Return a seed for a generator that makes its own numbers, 0 to 2^31 - 1."""
        return int(self.rng.integers(2**31 - 1))


class Purposes:
    """Generators of random numbers by purpose, none of which depends on what others gave.

    All are rooted in one generator, which is read for a fixed amount.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self._entropy = [int(word) for word in rng.integers(0, 2**32, size=4)]

    def generator(self, *purpose: int) -> np.random.Generator:
        """Return the generator of a purpose, from its first number on."""
        return np.random.default_rng(np.random.SeedSequence(self._entropy, spawn_key=purpose))
