"""Commit a sample to disk: its pictures and labels one by one, its manifest line last."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

import stainless
from render import layout
from render.picture import Picture, render_sample
from render.plan import plan_sample
from render.scene import Scene
from stainless.files import pixel_hash, write_bytes


def write_png(path: Path, pixels: npt.NDArray[np.unsignedinteger]) -> None:
    """Write a picture atomically.

    Raises:
        OSError: it cannot be written.
    """
    done, encoded = cv2.imencode(".png", pixels)
    if not done:
        raise ValueError(f"{path}: {pixels.dtype} {pixels.shape} is no picture")
    write_bytes(path, encoded.tobytes())


def read_png(path: Path) -> npt.NDArray[np.unsignedinteger] | None:
    """Read a picture as it was written, or None if there is none."""
    try:
        data = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError:
        return None
    return cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if len(data) else None


def files_of(
    scene: Scene, sample: int, split: str, picture: Picture
) -> dict[Path, npt.NDArray[np.unsignedinteger]]:
    """Return a picture's files, relative to the dataset, and what goes into them."""
    category = layout.category(scene, picture.variant, picture.stained)
    where = category, split, picture.kind, layout.stem(scene, sample, picture.view)

    def binary(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint8]:
        return np.where(mask, np.uint8(255), np.uint8(0))

    files: dict[Path, npt.NDArray[np.unsignedinteger]] = {
        layout.picture_file(*where): picture.pixels,
        layout.annotation_file(*where, "class"): picture.classes,
        layout.annotation_file(*where, "instance"): picture.instances,
        layout.annotation_file(*where, "mask"): binary(picture.classes > 0),
    }
    if picture.kind != "good":
        files[layout.truth_file(*where)] = binary(picture.defective)
    return files


def produce_sample(
    scene: Scene, index: int, output: Path, renderer: dict[str, Any], threads: int
) -> Iterator[dict[str, Any] | None]:
    """Render and write one sample.

    Args:
        scene: the dataset's scene.
        index: of the sample.
        output: the dataset.
        renderer: what `renderer_identity` says.
        threads: render threads.

    Yields:
        None after each picture, and at the end the sample's manifest entry, to be committed.
    """
    sample = plan_sample(scene, index)
    hashes: dict[str, str] = {}
    for picture in render_sample(scene, sample, renderer["denoiser"], threads):
        for path, pixels in files_of(scene, index, sample.split, picture).items():
            write_png(output / path, pixels)
            hashes[path.as_posix()] = pixel_hash(pixels)
        yield None
    yield {
        "sample": index,
        "seed": scene.seed,
        "renderer": renderer,
        **({"note": scene.series.note} if scene.series is not None and scene.series.note else {}),
        "files": hashes,
        "parameters": sample.to_json(),
    }


def renderer_identity() -> dict[str, Any]:
    """Return what pixels depend on beside the scene: versions and kind of machine."""
    from render.cycles.blender import describe

    blender = describe()
    return {
        "stainless": stainless.__version__,
        "blender": blender.version,
        "denoiser": blender.denoiser,
        "machine": platform.machine(),
    }
