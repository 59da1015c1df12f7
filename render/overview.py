"""Contact sheets of a dataset: before it is rendered, and of what it holds."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

from render import layout
from render.contact_sheet import Pixels, contact_sheet, overlay
from render.cycles.tracer import Tracer
from render.export import read_png, write_png
from render.manifest import Manifest
from render.part import Shot, part
from render.picture import render_view
from render.plan import plan_sample
from render.scene import Scene
from render.series import side_of
from stainless.dataset.layouts import ANNOTATIONS, annotation_file
from stainless.dataset.sample import GOOD
from stainless.own_files import OwnFiles

PREVIEW_COLUMNS = 480
#: Rows of a sheet that does not show twins.
MOST_ROWS = 4

Row = tuple[str, list[Pixels]]


def write_preview(scene: Scene, own: OwnFiles) -> Path:
    """Render one sample small and write its contact sheet; returns where it is."""
    scale = PREVIEW_COLUMNS / scene.camera.resolution_px[0]
    scene = dataclasses.replace(scene, scale=min(scene.scale, scale))
    sample = plan_sample(scene, _telling(scene))
    tracer = Tracer(os.cpu_count() or 1)
    rows: list[Row] = []
    if twins := _twins(scene):
        pictures = list(render_view(scene, sample, 0, tracer))
        for light, (first, last) in twins.items():
            clean = next(picture for picture in pictures if picture.shot == first)
            shown = next(picture for picture in pictures if picture.shot == last)
            rows.append(_row(light, clean.pixels, shown.pixels, shown.labels.classes))
    else:
        for view in range(min(MOST_ROWS, len(sample.views))):
            shown = next(iter(render_view(scene, sample, view, tracer)))
            rows.append(_row(f"view {view}", None, shown.pixels, shown.labels.classes))
    path = own.folder / layout.PREVIEW
    with own.replacing(path) as beside:
        _write(rows, scene, beside)
    return path


def write_contact_sheet(scene: Scene, output: Path) -> Path | None:
    """Write the contact sheet of a rendered dataset; returns where it is, None if it is empty."""
    rows: list[Row] = []
    folders = layout.layout_of(scene)
    if twins := _twins(scene):
        split, stem = plan_sample(scene, 0).split, layout.stem(scene, 0, 0)
        for light, pair in twins.items():
            first, last = (
                folders.picture(layout.category(scene, shot), split, GOOD, stem) for shot in pair
            )
            clean, twin = read_png(output / first), read_png(output / last)
            classes = read_png(output / annotation_file(last, "class"))
            if clean is not None and twin is not None and classes is not None:
                rows.append(_row(light, clean, twin, classes))
    else:
        for name in _varied(Manifest(output)):
            picture = read_png(output / name)
            classes = read_png(output / annotation_file(Path(name), "class"))
            if picture is not None and classes is not None:
                rows.append(_row("/".join(Path(name).parts[-3:]), None, picture, classes))
    return _write(rows, scene, output / layout.CONTACT_SHEET) if rows else None


def _twins(scene: Scene) -> dict[str, tuple[Shot, Shot]]:
    """Return the first and the last twin of each light, none where pictures are no twins."""
    shots = part(scene.part).shots(scene)
    lights = dict.fromkeys(shot.light for shot in shots if shot.twin)
    of_light = {light: [shot for shot in shots if shot.light == light] for light in lights}
    return {light: (twins[0], twins[-1]) for light, twins in of_light.items()}


def _telling(scene: Scene) -> int:
    """Return the sample that shows most of a scene: of a series, a defective and impure side."""
    if scene.series is None:
        return 0
    sides = [side_of(scene.series, index) for index in range(scene.samples)]
    return max(range(scene.samples), key=lambda i: sides[i].defects + sides[i].impurities)


def _varied(manifest: Manifest) -> list[str]:
    """Return a few pictures of a dataset, in turn from each of its folders."""
    folders: dict[Path, list[str]] = {}
    for name in sorted(manifest.files()):
        path = Path(name)
        if path.parts[0] != ANNOTATIONS and "ground_truth" not in path.parts:
            folders.setdefault(path.parent, []).append(name)
    return [names[len(names) // 2] for names in list(folders.values())[:MOST_ROWS]]


def _row(name: str, clean: Pixels | None, last: Pixels, classes: Pixels) -> Row:
    first = [] if clean is None else [clean]
    return name, [*first, last, overlay(last, classes)]


def _write(rows: list[Row], scene: Scene, path: Path) -> Path:
    pair = next(iter(_twins(scene).values()), None)
    titles = ["picture"] if pair is None else [shot.twin for shot in pair]
    write_png(path, contact_sheet([*titles, "labels"], rows))
    return path
