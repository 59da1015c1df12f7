"""Anomaly maps on disk: one .npy file a picture, named as the picture is."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np

from stainless.errors import InputError
from stainless.files import replacing


def map_file(folder: Path, name: str) -> Path:
    """Return where the map of a picture lies."""
    return folder / f"{name}.npy"


def write_map(
    path: Path,
    anomaly_map: np.ndarray,
    replace: Callable[[Path], AbstractContextManager[Path]] = replacing,
) -> None:
    """Write a map.

    Args:
        path: of the file.
        anomaly_map: (H, W), kept as float32.
        replace: puts a file in its place, atomically by default.
    """
    with replace(path) as beside:
        np.save(beside, anomaly_map.astype(np.float32, copy=False))


def read_map(path: Path) -> np.ndarray:
    """Return the (H, W) map of a file.

    Raises:
        InputError: the file is missing, or no such file, or truncated.
    """
    try:
        found: np.ndarray = np.load(path, allow_pickle=False)
    except (ValueError, EOFError):
        raise InputError(f"{path}: is no .npy file, or a truncated one") from None
    except OSError as error:
        raise InputError(f"{path}: {(error.strerror or 'unreadable').lower()}") from None
    return found
