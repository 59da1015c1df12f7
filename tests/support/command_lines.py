"""Command lines as a user writes them, and the tiny dataset that they are run on."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from stainless import cli

HEIGHT, WIDTH = 96, 112


def brushed(seed: int, height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """Return a grey (height, width) picture of horizontal grooves."""
    rng = np.random.default_rng(seed)
    grooves = 120 + 25 * rng.standard_normal((height, 1)) + 4 * rng.standard_normal((height, width))
    return grooves.clip(0, 255).astype(np.uint8)


def write(path: Path, pixels: np.ndarray) -> None:
    """Write a picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), pixels)


def write_test_split(folder: Path, seed: int) -> None:
    """Write two good and two scratched pictures with their masks."""
    for number in range(2):
        write(folder / f"test/good/{number}.png", brushed(seed + number))
        picture, mask = brushed(seed + 10 + number), np.zeros((HEIGHT, WIDTH), np.uint8)
        ends = (20, 30 + 20 * number), (90, 50 + 20 * number)
        cv2.line(picture, *ends, 255, 4)
        cv2.line(mask, *ends, 255, 4)
        write(folder / f"test/scratch/{number}.png", picture)
        write(folder / f"ground_truth/scratch/{number}_mask.png", mask)


def run(capsys: Any, *words: Any) -> tuple[int, list[str], list[str]]:
    """Run one command line; return exit code, lines on stdout, lines on stderr."""
    capsys.readouterr()
    code = cli.main([str(word) for word in words])
    captured = capsys.readouterr()
    return code, captured.out.splitlines(), captured.err.splitlines()


def refused(capsys: Any, *words: Any) -> str:
    """Run a command that must fail as bad input; return its one line."""
    code, _, errors = run(capsys, *words)
    assert code == 2 and len(errors) == 1, errors
    assert errors[0].startswith("stainless: error: ")
    return errors[0]
