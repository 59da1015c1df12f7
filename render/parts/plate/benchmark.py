"""What the generator's shortcuts are worth: `make bench`.

Everything is measured in CPU-seconds of one run, so that ratios hold on a noisy machine. The rival
is the script one would write first: Principled metal, Cycles as it comes, 32 samples per pixel, the
clean picture, the stained picture and the mask each rendered.
"""

from __future__ import annotations

import argparse
import dataclasses
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from render import export, picture
from render.camera import View, picture_shape, pixel_to_plane
from render.cycles import exr
from render.cycles.blender import load
from render.cycles.materials import Channel, Emission, Principled, Shader, Texture
from render.cycles.stage import Stage
from render.cycles.tracer import Sampling, Tracer, set_up
from render.cycles.tracer import render as trace
from render.lights.ring import bars, placed
from render.part import Frame, sampling
from render.parts.plate import maps
from render.parts.plate.cover import cover
from render.parts.plate.sample import PlateSample
from render.parts.plate.scene import PlateScene
from render.parts.plate.stage import PlateMap, plate, stage_of
from render.parts.plate.visibility import without
from render.plan import Sample, plan_sample
from render.scene import read_scene
from stainless.measure import Watch, peak

Float32 = npt.NDArray[np.float32]

CONFIG = Path(__file__).resolve().parents[3] / "scenes" / "plate.yaml"
SERIES = CONFIG.with_name("cell.yaml")
DEFECTIVE_VIEW = 4
NAIVE_SAMPLES = 32
THREADS = 2


class Stopwatch:
    """Sums up CPU time by name."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        """Time a block under a name."""
        watch = Watch()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + watch.cpu_seconds

    def around(self, name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        """Return `work`, timed under a name."""

        def timed(*args: Any, **kwargs: Any) -> Any:
            with self(name):
                return work(*args, **kwargs)

        return timed


def crop(sample: Sample, columns: int, full: int) -> View:
    """Return the sample's first view narrowed to a crop of so many columns, pixels as large."""
    view = sample.views[0]
    return dataclasses.replace(view, field_of_view_mm=view.field_of_view_mm * columns / full)


def ours(scene: PlateScene, sample: Sample, view: View, shape: tuple[int, int]) -> Any:
    """Return clean radiance, stained radiance and mask, the generator's way."""
    drawn: PlateSample = sample.part
    normals = maps.normal_map(scene, drawn, view, shape)
    stains = cover(drawn.impurities, pixel_to_plane(view, shape), shape, drawn.metal.reflectance)
    frame = Frame(0, view, shape, sample.cycles_seeds[0])
    clean = _cycles(scene, drawn, frame, normals, sampling(scene, frame, Tracer(THREADS)))
    return clean, clean * stains.ratio, stains.classes > 0


def _cycles(
    scene: PlateScene, drawn: PlateSample, frame: Frame, normals: PlateMap, how: Sampling
) -> Float32:
    light = placed(drawn.light, frame.view.x_mm, frame.view.y_mm, 0.0)
    stage = stage_of(scene.plate.size_mm, drawn.metal, light, normals)
    return trace(stage, frame.view, frame.shape, how)[..., 0]


def naive(
    scene: PlateScene,
    drawn: PlateSample,
    view: View,
    shape: tuple[int, int],
    samples: int,
    what: str,
) -> Float32:
    """Return one rendered picture, the straightforward way.

    Args:
        scene, drawn, view, shape: as the generator has them.
        samples: per pixel.
        what: `clean`, `stained` or `mask`.
    """
    bpy = load()
    normals = maps.normal_map(scene, drawn, view, shape)
    reflectance = maps.reflectance_map(drawn, normals) if what != "clean" else None
    top = plate(scene.plate.size_mm, drawn.metal, normals, reflectance)
    top = dataclasses.replace(
        top, materials=(_plain(drawn, normals, reflectance, what == "mask"), top.materials[1])
    )
    light = placed(drawn.light, view.x_mm, view.y_mm, 0.0)
    set_up(bpy, Stage((top, *bars(light)), light.ambient), view)
    settings = bpy.context.scene
    settings.render.engine = "CYCLES"
    settings.render.resolution_y, settings.render.resolution_x = shape
    settings.render.threads_mode, settings.render.threads = "FIXED", THREADS
    settings.cycles.samples = samples
    settings.cycles.use_denoising = False
    if samples > NAIVE_SAMPLES:
        settings.cycles.use_adaptive_sampling = False
        settings.cycles.seed = 1
    return exr.read_render(bpy, shape)[..., 0]


def _plain(
    drawn: PlateSample, normals: PlateMap, reflectance: PlateMap | None, as_mask: bool
) -> Shader:
    """Return Principled metal in place of the plate's lobe, or an emission that shows the mask."""
    metal = drawn.metal
    painted = None if reflectance is None else Texture("reflectance", reflectance.pixels)
    if as_mask and painted is not None:
        return Emission(Channel(painted, 0))
    return Principled(
        metal.reflectance if painted is None else painted,
        metal.roughness,
        metallic=1.0,
        # Principled narrows by aspect = sqrt(1 - 0.9 a): the same ratio of widths as our lobe's.
        anisotropy=(1 - (1 - metal.anisotropy) ** 2) / 0.9,
        tangent=(float(np.cos(normals.angle_rad)), float(np.sin(normals.angle_rad)), 0.0),
        normal=Texture("normals", normals.pixels),
    )


def relative_error(picture: Float32, reference: Float32) -> float:
    """Return the root mean square of the relative error."""
    return float(np.sqrt(np.mean((picture / reference - 1) ** 2)))


def against_naive(scene: PlateScene, columns: int, error_columns: int) -> list[str]:
    """Compare CPU time on one crop and error on a smaller one; return table rows."""
    full = scene.camera.resolution_px[0]
    sample = plan_sample(scene, 0)
    aspect = scene.camera.resolution_px[1] / full
    shape = round(columns * aspect), columns
    view = crop(sample, columns, full)
    watch = Stopwatch()
    with watch("warm up"):
        ours(scene, sample, crop(sample, 64, full), (54, 64))
    with watch("ours"):
        ours(scene, sample, view, shape)
    with watch("naive"):
        for what in ("clean", "stained", "mask"):
            naive(scene, sample.part, view, shape, NAIVE_SAMPLES, what)

    small = round(error_columns * aspect), error_columns
    view = crop(sample, error_columns, full)
    normals = maps.normal_map(scene, sample.part, view, small)
    frame = Frame(0, view, small, 7)
    reference = _cycles(scene, sample.part, frame, normals, Sampling(512, False, 7, THREADS))
    our_error = relative_error(ours(scene, sample, view, small)[0], reference)
    naive_reference = naive(scene, sample.part, view, small, 512, "clean")
    naive_error = relative_error(
        naive(scene, sample.part, view, small, NAIVE_SAMPLES, "clean"), naive_reference
    )
    ratio = watch.seconds["naive"] / watch.seconds["ours"]
    return [
        f"| twin and mask, {columns} columns: generator | {watch.seconds['ours']:.1f} CPU-s "
        f"| error {our_error:.2%} |",
        f"| the same, straightforward script | {watch.seconds['naive']:.1f} CPU-s "
        f"| error {naive_error:.2%} |",
        f"| straightforward over generator | {ratio:.1f} times | at least 6 |",
    ]


def full_resolution(scene: PlateScene) -> list[str]:
    """Render one whole sample to disk; return table rows on time and memory."""
    watch = Stopwatch()
    exr.trace = watch.around("cycles", exr.trace)
    renderer = export.renderer_identity()
    one = dataclasses.replace(
        scene, lights=dataclasses.replace(scene.lights, variants=[scene.lights.variants[0]])
    )
    with tempfile.TemporaryDirectory() as folder:
        with watch("twin"):
            for _ in export.produce_sample(one, 0, Path(folder), renderer, THREADS):
                pass
        twin, cycles = watch.seconds["twin"], watch.seconds["cycles"]
        with watch("sample"):
            for _ in export.produce_sample(scene, 1, Path(folder), renderer, THREADS):
                pass
    hours = watch.seconds["sample"] * scene.samples / 3600
    rows, columns = picture_shape(scene.camera, scene.scale)
    return [
        f"| one twin of {columns}x{rows} with labels, on disk | {twin:.1f} CPU-s | |",
        f"| of it outside Cycles | {(twin - cycles) / twin:.1%} | at most 15 % |",
        f"| one sample, all light variants | {watch.seconds['sample']:.1f} CPU-s | |",
        f"| {scene.samples} samples, extrapolated from that one | {hours:.1f} CPU-h | |",
        f"| peak memory | {peak() / 1e9:.2f} GB | below 3 GB |",
    ]


def with_defects(path: Path) -> list[str]:
    """Compare a full-resolution view with defects and impurities to the bare one; return rows."""
    scene = read_scene(path)
    sample = plan_sample(scene, scene.samples - 2)
    bare = without(without(sample, "defects"), "impurities")
    defective = without(sample, "impurities")
    watch = Stopwatch()
    for name, version in (("bare", bare), ("defects", defective), ("all", sample)):
        with watch(name):
            for _ in picture.render_view(scene, version, DEFECTIVE_VIEW, Tracer(THREADS)):
                pass
    seconds = watch.seconds
    return [
        f"| one view of {path.stem}, bare | {seconds['bare']:.1f} CPU-s | |",
        f"| with defects over bare | {seconds['defects'] / seconds['bare']:.2f} | at most 1.2 |",
        f"| with defects and impurities over bare | {seconds['all'] / seconds['bare']:.2f} | |",
    ]


def main() -> None:
    """Run the benchmark and print a table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--config", type=Path, default=CONFIG)
    options.add_argument("--columns", type=int, default=1024, help="crop whose time is measured")
    options.add_argument("--error-columns", type=int, default=400, help="crop for the error")
    arguments = options.parse_args()
    scene = read_scene(arguments.config)
    if not isinstance(scene, PlateScene):
        raise SystemExit(f"{arguments.config}: part: {scene.part}, expected plate")
    print("| | measured | |\n|---|---|---|")
    for row in full_resolution(scene):
        print(row, flush=True)
    for row in against_naive(scene, arguments.columns, arguments.error_columns):
        print(row, flush=True)
    for row in with_defects(SERIES):
        print(row, flush=True)


if __name__ == "__main__":
    main()
