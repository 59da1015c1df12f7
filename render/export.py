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
from render.cycles.tracer import Tracer
from render.part import part
from render.picture import Picture, render_sample
from render.plan import plan_sample
from render.scene import Scene
from stainless.dataset.images import decoded
from stainless.dataset.layouts import annotation_file
from stainless.files import pixel_hash, write_bytes

Pixels = npt.NDArray[np.unsignedinteger]


def write_png(path: Path, pixels: Pixels) -> None:
    """Write a picture atomically.

    Args:
        path: where.
        pixels: (H, W), or (H, W, 3) red, green and blue; 8 or 16 bits.

    Raises:
        OSError: it cannot be written.
    """
    done, encoded = cv2.imencode(".png", _reversed(pixels))
    if not done:
        raise ValueError(f"{path}: {pixels.dtype} {pixels.shape} is no picture")
    write_bytes(path, encoded.tobytes())


def read_png(path: Path) -> Pixels | None:
    """Read a picture as it was written, or None if there is none."""
    try:
        pixels = decoded(path.read_bytes())
    except OSError:
        return None
    return None if pixels is None else _reversed(pixels)


def _reversed(pixels: Pixels) -> Pixels:
    """Return a picture with its channels in reverse: OpenCV has blue first."""
    return np.ascontiguousarray(pixels[..., ::-1]) if pixels.ndim == 3 else pixels


def files_of(scene: Scene, sample: int, split: str, picture: Picture) -> dict[Path, Pixels]:
    """Return a picture's files, relative to the dataset, and what goes into them."""
    folders = layout.layout_of(scene)
    category = layout.category(scene, picture.shot)
    kind = folders.kind(picture.truth)
    labels = picture.labels
    files: dict[Path, Pixels] = {}
    for place in layout.places(scene, split, kind):
        where = category, place, kind, layout.stem(scene, sample, picture.view)
        image = folders.picture(*where)
        marked = np.where(labels.classes > 0, np.uint8(255), np.uint8(0))
        files |= {
            image: picture.pixels,
            annotation_file(image, "class"): labels.classes,
            annotation_file(image, "instance"): labels.instances,
            annotation_file(image, "mask"): marked,
        }
        if labels.areas is not None:
            files[annotation_file(image, "area")] = labels.areas
        for region, (mask, value) in enumerate(_regions(scene, picture)):
            path = folders.truth(*where, region)
            drawn = files.setdefault(path, np.zeros(mask.shape, np.uint8))
            drawn[mask] = 255 if folders.config is None else value
    return files


def _regions(scene: Scene, picture: Picture) -> Iterator[tuple[npt.NDArray[np.bool_], int]]:
    """Yield each flaw that a picture shows, as a mask, and the index of its class."""
    flaws = part(scene.part).flaws.values()
    labels = picture.labels
    for instance in np.unique(labels.instances[labels.truth(flaws)]):
        mask = labels.instances == instance
        yield mask, int(labels.classes[mask][0])


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
    for picture in render_sample(scene, sample, Tracer(threads)):
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
