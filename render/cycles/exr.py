"""Let Cycles render, and read what it wrote."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from stainless.errors import InputError

Float32 = npt.NDArray[np.float32]


def read_render(bpy: Any, shape: tuple[int, int]) -> Float32:
    """Render to a temporary float EXR and read it back.

    Returns:
        (H, W, 3) float32, linear, row 0 at the top.
    """
    scene = bpy.context.scene
    settings = scene.render.image_settings
    settings.file_format = "OPEN_EXR"
    settings.color_mode = "RGB"
    settings.color_depth = "32"
    settings.exr_codec = "NONE"
    rows, columns = shape
    with tempfile.TemporaryDirectory(prefix="stainless-") as folder:
        target = Path(folder) / "radiance.exr"
        scene.render.filepath = str(target)
        trace(bpy)
        if not target.exists() and shutil.disk_usage(folder).free > 10 * 12 * rows * columns:
            # A Blender of one's own takes the interrupt for itself and writes nothing.
            raise KeyboardInterrupt
        # Blender says nothing when the disk is full; what it wrote may even load.
        size = target.stat().st_size if target.exists() else 0
        if size < 3 * 4 * rows * columns:
            raise InputError(
                f"{tempfile.gettempdir()}: no room for a temporary picture of "
                f"{12e-6 * rows * columns:.2g} MB; TMPDIR can name another folder"
            )
        image = bpy.data.images.load(str(target))
        image.colorspace_settings.name = "Non-Color"
        rgba = np.empty(rows * columns * 4, np.float32)
        image.pixels.foreach_get(rgba)
    # Blender's rows run from the bottom up.
    return rgba.reshape(rows, columns, 4)[::-1, :, :3]


def trace(bpy: Any) -> None:
    """Let Cycles render the scene and write its picture.

    Raises:
        KeyboardInterrupt: there was an interrupt meanwhile. Raised inside Cycles it would be
            printed and dropped; it is noted here and raised when the picture is done.
    """
    interrupts: list[int] = []
    before = signal.getsignal(signal.SIGINT)
    # None is a handler that is not Python's: Blender's own, which it looks after itself.
    aware = before is not None and threading.current_thread() is threading.main_thread()
    if aware:
        signal.signal(signal.SIGINT, lambda number, _: interrupts.append(number))
    try:
        with quiet():
            result = bpy.ops.render.render(write_still=True)
    finally:
        if aware:
            signal.signal(signal.SIGINT, before)
    if interrupts or "CANCELLED" in result:
        raise KeyboardInterrupt


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Silence what Blender's C++ side prints to standard output."""
    sys.stdout.flush()
    kept = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)
