"""What a coreset remembers: its members on a plane, by origin, and the patches of some of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from stainless.dataset import IMAGE_ENDINGS, load_image
from stainless.errors import InputError
from train.detectors.detector import Context
from train.detectors.model_file import Model
from train.detectors.sequential_patchcore.coreset import Coreset
from train.feature_settings import Features
from train.patch_grid import GRID_WIDTH, PatchGrid
from train.report.marks import resized
from train.report.markup import escape, picture

#: Origin: colour (after Okabe and Ito) and the path of its sign around (0, 0).
ORIGINS = {
    "real": ("#0072b2", "M-2.6 0a2.6 2.6 0 1 0 5.2 0a2.6 2.6 0 1 0 -5.2 0z"),
    "synthetic": ("#d55e00", "M0 -3.2L3 2.2H-3z"),
    "stained": ("#009e73", "M-2.4 -2.4H2.4V2.4H-2.4z"),
    "unknown": ("#777777", "M-2.5 0H2.5M0 -2.5V2.5"),
}
WIDTH, HEIGHT, FREE = 640, 460, 18

#: Patches shown of each origin, side of their pictures, and how much more than a patch these hold.
PATCHES = 8
THUMB = 104
SURROUNDINGS = 5


@dataclass(frozen=True)
class Member:
    """Where a member of the coreset was seen: origin, source, sample, position in its grid."""

    origin: str
    source: str
    image: str
    position: int


def memory_map(known: dict[str, Any] | None, folder: Path) -> str:
    """Return the map, or a sentence why there is none.

    Args:
        known: "model", a file in the folder, "method", its name, "origins", the kind of each
            source, and "roots", the folder of its pictures.
        folder: of the experiment's results.

    Raises:
        InputError: the model is damaged, or a picture that it remembers cannot be read.
    """
    if known is None:
        return "<p>This experiment kept no model to look into.</p>"
    path = folder / known["model"]
    if not path.is_file():
        return f"<p>The model {escape(known['model'])} is not there any more: no map.</p>"
    detector = Model.load(path, Context(scores=False)).detector
    coreset: Coreset = detector.coreset  # type: ignore[attr-defined]
    if len(coreset) < 2:
        return "<p>The model has fewer than two members: no map.</p>"
    members = _members(coreset, known["origins"])
    places, explained = project(coreset.members.cpu().numpy())
    scaled = _scaled(places)
    chosen = _spread_out(scaled, members)
    counts = Counter(member.origin for member in members)
    counted = "".join(
        f'<span class="origin"><svg viewBox="-4 -4 8 8" width="14" height="14" aria-hidden="true">'
        f"{_sign(origin)}</svg>{origin}: <b>{counts[origin]}</b> of {len(members)} members "
        f"({100 * counts[origin] / len(members):.1f} %)</span>"
        for origin in ORIGINS
        if counts[origin]
    )
    thumbs = _thumbs(coreset.identity, members, chosen, known["roots"])
    return (
        f"<p>The members of <b>{escape(known['method'])}</b>, projected on "
        f"their two main directions (principal components: {100 * explained:.0f} % of the "
        "variance; what is far apart here is far apart, what is close may not be).</p>"
        f'<p class="legend">{counted}</p><div class="memory">{_map(scaled, members, chosen)}'
        f'<div class="patches">{thumbs}</div></div>'
        '<p class="quiet">Numbered members, spread over the map: the patch is in the frame, '
        "with its surroundings.</p>"
    )


def project(members: np.ndarray) -> tuple[np.ndarray, float]:
    """Return (N, 2) places of (N, D) members on their principal axes, and the explained share."""
    centred = members.astype(np.float64) - members.mean(axis=0, dtype=np.float64)
    values, axes = np.linalg.eigh(centred.T @ centred)
    main = axes[:, ::-1][:, :2]
    # An axis may point either way; its largest component shall be positive.
    signs = np.sign(main[np.abs(main).argmax(axis=0), np.arange(main.shape[1])])
    places = np.zeros((len(members), 2))
    places[:, : main.shape[1]] = centred @ (main * signs)
    total = values.sum()
    return places, float(values[::-1][:2].sum() / total) if total > 0 else 0.0


def _members(coreset: Any, origins: dict[str, str]) -> list[Member]:
    found = []
    for number in range(len(coreset)):
        seen = coreset.origin(number)
        if seen is None:
            found.append(Member("unknown", "", "", -1))
            continue
        origin = origins.get(seen.dataset, "unknown")
        origin = origin if origin in ORIGINS else "unknown"
        found.append(Member(origin, seen.dataset, seen.image, seen.position))
    return found


def _scaled(places: np.ndarray) -> np.ndarray:
    """Return the places on the drawing, (N, 2), one scale for both axes."""
    low, high = places.min(axis=0), places.max(axis=0)
    room = np.array([WIDTH - 2 * FREE, HEIGHT - 2 * FREE])
    scale = (room / np.maximum(high - low, 1e-12)).min()
    shift = FREE + (room - (high - low) * scale) / 2
    scaled = shift + (places - low) * scale
    scaled[:, 1] = HEIGHT - scaled[:, 1]
    return np.round(scaled, 1)


def _spread_out(places: np.ndarray, members: list[Member]) -> list[int]:
    """Return members of every origin that lie far apart: each the farthest from those before."""
    found: list[int] = []
    for origin in ORIGINS:
        rows = [row for row, member in enumerate(members) if member.origin == origin]
        if origin == "unknown" or not rows:
            continue
        own = places[rows]
        at = int(np.linalg.norm(own - own.mean(axis=0), axis=1).argmax())
        distance = np.full(len(rows), np.inf)
        for _ in range(min(PATCHES, len(rows))):
            found.append(rows[at])
            distance = np.minimum(distance, np.linalg.norm(own - own[at], axis=1))
            # Members at the same place on the map are still different ones.
            distance[at] = -np.inf
            at = int(distance.argmax())
    return found


def _sign(origin: str) -> str:
    colour, path = ORIGINS[origin]
    stroke = f'stroke="{colour}"' if origin == "unknown" else ""
    return f'<path d="{path}" fill="{colour}" {stroke}/>'


def _map(places: np.ndarray, members: list[Member], chosen: list[int]) -> str:
    pieces = [
        f'<svg class="map" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        'aria-label="Members of the coreset on a plane">'
    ]
    for origin, (colour, path) in ORIGINS.items():
        own = [row for row, member in enumerate(members) if member.origin == origin]
        shapes = "".join(f'<use href="#o-{origin}" x="{x}" y="{y}"/>' for x, y in places[own])
        stroke = f' stroke="{colour}"' if origin == "unknown" else ""
        pieces.append(
            f'<defs><path id="o-{origin}" d="{path}"/></defs>'
            f'<g class="origin-{origin}" fill="{colour}"{stroke} fill-opacity="0.6">{shapes}</g>'
        )
    for label, row in enumerate(chosen, start=1):
        x, y = places[row]
        pieces.append(
            f'<g class="ring"><circle cx="{x}" cy="{y}" r="6"/>'
            f'<text x="{round(x + 8, 1)}" y="{round(y + 4, 1)}">{label}</text></g>'
        )
    return "".join([*pieces, "</svg>"])


def _thumbs(
    identity: dict[str, Any], members: list[Member], chosen: list[int], roots: dict[str, str]
) -> str:
    geometry = _geometry(identity)
    if geometry is None:
        return '<p class="quiet">The model does not say where its patches lie.</p>'
    figures = []
    for label, row in enumerate(chosen, start=1):
        member = members[row]
        if member.source not in roots:
            continue
        pixels = load_image(find_picture(Path(roots[member.source]), member.image))
        box = geometry.box(*divmod(member.position, GRID_WIDTH))
        where = f"{member.source}: {member.image}"
        figures.append(
            f'<figure title="{escape(where)}"><div style="--origin: {ORIGINS[member.origin][0]}">'
            f"{picture(patch_picture(pixels, box), where)}</div>"
            f"<figcaption><b>{label}</b> {member.origin}</figcaption></figure>"
        )
    return "".join(figures)


def _geometry(identity: dict[str, Any]) -> PatchGrid | None:
    """Return where the patches lie, None if the model does not say."""
    from train.features import FeatureExtractor

    settings = Features.of_identity(identity)
    # No weights are needed for that.
    return None if settings is None else FeatureExtractor.of(settings, weights="random").grid


def find_picture(root: Path, name: str) -> Path:
    """Return the file of a sample named as in the coreset, whatever its ending.

    Raises:
        InputError: there is none.
    """
    for ending in IMAGE_ENDINGS:
        for path in (root / f"{name}{ending}", root / f"{name}{ending.upper()}"):
            if path.is_file():
                return path
    raise InputError(f"{root / name}: no picture of that name, which the model remembers")


def patch_picture(pixels: np.ndarray, box: tuple[int, int, int, int]) -> np.ndarray:
    """Return the surroundings of a patch, (THUMB, THUMB, 3) uint8, with a frame around it."""
    x, y, width, height = box
    side = min(SURROUNDINGS * max(width, height), *pixels.shape[:2])
    top = min(max(0, y + height // 2 - side // 2), pixels.shape[0] - side)
    left = min(max(0, x + width // 2 - side // 2), pixels.shape[1] - side)
    shown = resized(pixels[top : top + side, left : left + side], (THUMB, THUMB)).copy()
    scale = THUMB / side
    low = np.rint(np.array([y - top, x - left]) * scale).astype(int)
    high = np.rint(np.array([y + height - top, x + width - left]) * scale).astype(int)
    for reach, colour in ((1, 0), (0, 255)):
        a, b = np.clip(low - reach, 0, THUMB - 1), np.clip(high + reach, 0, THUMB - 1)
        shown[[a[0], b[0]], a[1] : b[1] + 1] = colour
        shown[a[0] : b[0] + 1, [a[1], b[1]]] = colour
    return shown
