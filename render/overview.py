"""Contact sheets of a dataset: before it is rendered, and of what it holds."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

from render import layout
from render.contact_sheet import Pixels, contact_sheet, overlay
from render.cycles.blender import describe
from render.export import read_png, write_png
from render.manifest import Manifest
from render.picture import Picture, render_view
from render.plan import plan_sample
from render.scene import Scene
from render.series import side_of

PREVIEW_COLUMNS = 480
#: Rows of a series' sheet.
SERIES_ROWS = 4

Row = tuple[str, list[Pixels]]


def write_preview(scene: Scene, output: Path) -> Path:
    """Render one sample small and write its contact sheet; returns where it is."""
    scale = PREVIEW_COLUMNS / scene.camera.resolution_px[0]
    scene = dataclasses.replace(scene, scale=min(scene.scale, scale))
    sample = plan_sample(scene, _telling(scene))
    denoiser, threads = describe().denoiser, os.cpu_count() or 1

    def pictures(view: int) -> list[Picture]:
        return list(render_view(scene, sample, view, denoiser, threads))

    rows: list[Row] = []
    if scene.series is None:
        twins = pictures(0)
        for name in scene.lights.variants:
            of_light = [picture for picture in twins if picture.variant == name]
            rows.append(_row(name, of_light[0].pixels, of_light[-1].pixels, of_light[-1].classes))
    else:
        for view in range(min(SERIES_ROWS, len(sample.views))):
            shown = pictures(view)[0]
            rows.append(_row(f"view {view}", None, shown.pixels, shown.classes))
    return _write(rows, output / layout.PREVIEW)


def write_contact_sheet(scene: Scene, output: Path) -> Path | None:
    """Write the contact sheet of a rendered dataset; returns where it is, None if it is empty."""
    rows: list[Row] = []
    if scene.series is None:
        split, stem = plan_sample(scene, 0).split, layout.stem(scene, 0, 0)
        for name in scene.lights.variants:
            clean = read_png(
                output
                / layout.picture_file(layout.category(scene, name, False), split, "good", stem)
            )
            last = layout.category(scene, name, scene.makes_twins()), split, "good", stem
            twin = read_png(output / layout.picture_file(*last))
            classes = read_png(output / layout.annotation_file(*last, "class"))
            if clean is not None and twin is not None and classes is not None:
                rows.append(_row(name, clean, twin, classes))
    else:
        for name in _varied(Manifest(output)):
            picture = read_png(output / name)
            label = Path(layout.ANNOTATIONS, name).with_name(Path(name).stem + "_class.png")
            classes = read_png(output / label)
            if picture is not None and classes is not None:
                rows.append(_row("/".join(Path(name).parts[-3:]), None, picture, classes))
    return _write(rows, output / layout.CONTACT_SHEET) if rows else None


def _telling(scene: Scene) -> int:
    """Return the sample that shows most of a scene: of a series, a defective and impure side."""
    if scene.series is None:
        return 0
    sides = [side_of(scene.series, index) for index in range(scene.samples)]
    return max(range(scene.samples), key=lambda i: sides[i].defects + sides[i].impurities)


def _varied(manifest: Manifest) -> list[str]:
    """Return a few pictures of a series, in turn from each of its folders."""
    folders: dict[Path, list[str]] = {}
    for name in sorted(manifest.files()):
        path = Path(name)
        if path.parts[0] != layout.ANNOTATIONS and "ground_truth" not in path.parts:
            folders.setdefault(path.parent, []).append(name)
    return [names[len(names) // 2] for names in list(folders.values())[:SERIES_ROWS]]


def _row(name: str, clean: Pixels | None, last: Pixels, classes: Pixels) -> Row:
    first = [] if clean is None else [clean]
    return name, [*first, last, overlay(last, classes)]


def _write(rows: list[Row], path: Path) -> Path:
    titles = ["clean", "stained", "labels"] if len(rows[0][1]) == 3 else ["picture", "labels"]
    write_png(path, contact_sheet(titles, rows))
    return path
