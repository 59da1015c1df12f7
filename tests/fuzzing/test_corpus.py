"""The short form of the loop: what it has kept, and a few changes of each seed."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from fuzzing.targets import attempt, targets

CORPUS = Path(__file__).parent / "corpus"

#: Changes of each reader's seeds.
CHANGES = 60


@pytest.mark.parametrize("name", sorted(targets()))
def test_a_reader_takes_it_or_refuses_it(name: str, tmp_path: Path) -> None:
    target = targets()[name]
    target.prepare(tmp_path)
    for seed in target.seeds:
        attempt(target, tmp_path, seed)
    for path in sorted((CORPUS / name).glob("*")):
        attempt(target, tmp_path, path.read_bytes())
    rng = random.Random(name)
    for _ in range(CHANGES):
        attempt(target, tmp_path, changed(rng.choice(target.seeds), target.mutation, rng))


def changed(data: bytes, mutation: object, rng: random.Random) -> bytes:
    if callable(mutation):
        for _ in range(rng.randrange(1, 4)):
            data = mutation(data, rng)
        return data
    start, length = rng.randrange(len(data)), rng.randrange(9)
    return data[:start] + rng.randbytes(rng.randrange(9)) + data[start + length :]


def test_the_corpus_is_of_readers_that_there_are() -> None:
    assert {path.name for path in CORPUS.iterdir()} <= set(targets())
