"""A tiny experiment as it is left on disk: five pictures, four methods, one coreset."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from train.detectors.detector import Context
from train.detectors.model_file import Model
from train.detectors.sequential_patchcore.coreset import Coreset
from train.detectors.sequential_patchcore.detector import SequentialPatchcore
from train.detectors.sequential_patchcore.settings import Settings
from train.experiments.sim_to_real.experiment import SimToReal
from train.features import FeatureExtractor
from train.metrics.defects import COVERAGE_THRESHOLDS, instances_of
from train.patch_grid import GRID_WIDTH
from train.report import write_report
from train.report.results import VERSION, Finding, Image, Results

CLASSES = {"dent": (101, "defect"), "scratch": (102, "defect"), "water_stain": (1, "impurity")}
KINDS = {name: kind for name, (_, kind) in CLASSES.items()}

#: Picture: height and width, group, and what lies where as class, rows, columns.
PICTURES: dict[str, tuple[tuple[int, int], str, list[tuple[str, slice, slice]]]] = {
    "test/defective/000": (
        (48, 64),
        "plate 1",
        [("dent", np.s_[10:20], np.s_[10:20]), ("water_stain", np.s_[30:40], np.s_[40:55])],
    ),
    "test/defective/001": ((60, 80), "plate 1", [("dent", np.s_[5:15], np.s_[30:40])]),
    "test/defective/002": ((48, 64), "plate 2", [("scratch", np.s_[24:25], np.s_[10:50])]),
    "test/good/003": ((48, 64), "plate <3>", [("water_stain", np.s_[10:20], np.s_[10:20])]),
    "test/good/004": ((48, 64), "plate 4", []),
}

#: What "Real" flags: half of a dent and around it, some of a stain, a scratch, some of a stain.
REAL: dict[str, list[tuple[slice, slice]]] = {
    "test/defective/000": [(np.s_[10:20], np.s_[6:15]), (np.s_[30:35], np.s_[40:55])],
    "test/defective/002": [(np.s_[24:25], np.s_[10:50])],
    "test/good/003": [(np.s_[10:15], np.s_[10:15])],
}

METHODS = {
    "Real": "real",
    "Synth": "synthetic",
    "Melding & more": "melded",
    "PatchCore": "baseline",
}


def make(folder: Path, class_images: bool = True, pictures: Any = PICTURES) -> Path:
    """Write dataset, predictions, model and results.json; returns the experiment's folder."""
    data, out = folder / "data", folder / "out"
    listed = [{"index": i, "name": n, "kind": kind} for n, (i, kind) in CLASSES.items()]
    _write(data / "annotations/classes.json", json.dumps({"classes": listed}))
    images = [
        _image(data, name, *content, class_images=class_images)
        for name, content in pictures.items()
    ]
    methods = [_method(out, name, images, class_images) for name in METHODS]
    results: Results = {
        "version": VERSION,
        "experiment": "sim_to_real",
        "title": "Sim-to-real: <tiny> & small",
        "families": dict(SimToReal.families),
        "shown": ["Real", "Synth", "Melding & more"],
        "classes": KINDS if class_images else {"defective": "defect"},
        "coverage_thresholds": list(COVERAGE_THRESHOLDS),
        "images": images,
        "class_index": {name: index for name, (index, _) in CLASSES.items()},
        "methods": methods,
        "quantities": {
            "replacements": {"title": "Replacements", "logarithmic": True},
            "d_m": {"title": "d_m", "logarithmic": False},
            "covering_radius": {"title": "Covering radius", "logarithmic": False},
        },
        "findings": [_finding(), {**_finding(), "verdict": "within noise", "comparisons": []}],
        "own": {
            "real": {
                "root": "data",
                "category": "cell",
                "kind": "rendered stand-in",
                "note": "",
                "train": 2,
                "validation": 1,
                "test": len(images),
            },
            "synthetic": {"root": "plate", "scene": "scenes/plate.yaml", "images": {"clean": 2}},
            "memory_map": {
                "model": "models/tiny.safetensors",
                "method": "Melding & more",
                "origins": {"cell": "real", "plate": "synthetic"},
                "roots": {"cell": str(data / "cell"), "plate": str(data / "cell")},
            },
        },
        "stages": [{"name": "fit", "seconds": 30.0, "cpu_seconds": 25.0}],
        "peak_memory_mb": None,
        "machine": "a machine",
        "versions": {"torch": "2"},
        "config": {"epochs": 2},
        "seeds": [0, 1],
        "commands": ["stainless experiment --config tiny.yaml --out 'out & more'"],
    }
    _write(out / "results.json", json.dumps(results))
    _model(out / "models/tiny.safetensors")
    return out


def report(folder: Path) -> Path:
    """Write the report of the experiment in a folder."""
    return write_report(folder, SimToReal.page)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _picture(path: Path, pixels: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), pixels)
    return path


def _image(
    data: Path, name: str, size: tuple[int, int], group: str, content: Any, class_images: bool
) -> Image:
    pixels = np.full(size, 128, np.uint8)
    # The larger ones are in colour.
    shown = pixels if size[0] < 60 else np.repeat(pixels[..., None], 3, axis=2)
    picture = _picture(data / f"cell/{name}.png", shown)
    classes, instances = np.zeros(size, np.uint8), np.zeros(size, np.uint16)
    contains: dict[str, int] = {}
    for number, (kind, rows, columns) in enumerate(content, 1):
        classes[rows, columns], instances[rows, columns] = CLASSES[kind][0], number
        contains[kind] = contains.get(kind, 0) + 1
    mask = None
    if (classes > 100).any():
        stem = name.removeprefix("test/")
        defect = np.where(classes > 100, np.uint8(255), np.uint8(0))
        mask = str(_picture(data / f"cell/ground_truth/{stem}_mask.png", defect))
    class_image = None
    if class_images:
        class_image = str(_picture(data / f"annotations/cell/{name}_class.png", classes))
        _picture(data / f"annotations/cell/{name}_instance.png", instances)
    label = name.split("/")[1]
    return {
        "name": name,
        "picture": str(picture),
        "mask": mask,
        "class_image": class_image,
        "label": label,
        "group": group,
        "contains": contains if class_images else ({label: 1} if mask else {}),
    }


def flagged_by(method: str, name: str, defect: np.ndarray) -> np.ndarray:
    """Return what a method flags on a picture whose defects are `defect`, (H, W) bool."""
    flagged = np.zeros(defect.shape, bool)
    if method == "Real":
        for rows, columns in REAL.get(name, ()):
            flagged[rows, columns] = True
    elif method == "Melding & more":
        flagged |= defect
    elif method == "PatchCore":
        flagged[:8, :8] = True
    return flagged


def _method(
    out: Path, name: str, images: list[dict[str, Any]], class_images: bool
) -> dict[str, Any]:
    slug = name.lower().replace(" & ", "_").replace(" ", "_")
    kinds = KINDS if class_images else {"defective": "defect"}
    rows, found = [], {kind: [0, 0, []] for kind in kinds}
    for image in images:
        if class_images:
            classes = cv2.imread(image["class_image"], cv2.IMREAD_UNCHANGED)
            beside = image["class_image"].replace("_class", "_instance")
            instances = cv2.imread(beside, cv2.IMREAD_UNCHANGED)
            names = {index: kind for kind, (index, _) in CLASSES.items()}
        else:
            shape = cv2.imread(image["picture"], cv2.IMREAD_GRAYSCALE).shape
            classes = np.zeros(shape, np.uint8)
            if image["mask"]:
                classes = (cv2.imread(image["mask"], cv2.IMREAD_GRAYSCALE) > 0).astype(np.uint8)
            instances, names = classes.astype(np.uint16), {1: "defective"}
        defect = classes > (100 if class_images else 0)
        flagged = flagged_by(name, image["name"], defect)
        path = out / f"predictions/{slug}/{image['name']}.png"
        _picture(path, np.where(flagged, np.uint8(255), np.uint8(0)))
        here = {}
        defects, defects_found, recall_sum = 0, 0, 0.0
        for instance in instances_of(flagged, classes, instances):
            kind = names[instance.class_index]
            share = float(instance.recalls.mean())
            here.setdefault(kind, {"pixels": 0, "found": 0, "instances": 0, "recall_sum": 0.0})
            for key, value in (
                ("pixels", instance.pixels),
                ("found", instance.found),
                ("instances", 1),
                ("recall_sum", share),
            ):
                here[kind][key] += value
            found[kind][0] += instance.found
            found[kind][1] += instance.pixels
            found[kind][2].append(instance.recalls)
            if kinds[kind] == "defect":
                defects, defects_found = defects + 1, defects_found + int(instance.found > 0)
                recall_sum += share
        rows.append(
            {
                "name": image["name"],
                "group": image["group"],
                "label": image["label"],
                "score": float(flagged.sum()),
                "flagged": bool(flagged.any()),
                "pixel_tp": int((flagged & defect).sum()),
                "pixel_fp": int((flagged & ~defect).sum()),
                "pixel_fn": int((~flagged & defect).sum()),
                "pixel_tn": int((~flagged & ~defect).sum()),
                "defects": defects,
                "defects_found": defects_found,
                "defect_recall_sum": recall_sum,
                "classes": here,
            }
        )
    return _summarised(name, slug, rows, found, kinds)


def _summarised(
    name: str, slug: str, rows: list[dict[str, Any]], found: Any, kinds: dict[str, str]
) -> dict[str, Any]:
    spread = 0.0123456789 if name == "Real" else None

    def entry(amount: float, whole: float) -> dict[str, float | None]:
        value = amount / whole if whole else None
        return {"mean": value, "spread": None if value is None else spread}

    tp, fp, fn = (sum(row[f"pixel_{key}"] for row in rows) for key in ("tp", "fp", "fn"))
    every = [recalls for kind in kinds if kinds[kind] == "defect" for recalls in found[kind][2]]
    curve = np.mean(every, axis=0).tolist()
    summary: dict[str, Any] = {
        "precision": entry(tp, tp + fp),
        "recall": entry(tp, tp + fn),
        "f1": entry(2 * tp, 2 * tp + fp + fn),
        "mean_defect_recall": entry(float(np.mean(curve)), 1),
        "false_alarm_rate": entry(1, 3),
        "pixel_false_alarm_rate": entry(1, 3),
        **{key: entry(2, 3) for key in ("f1_max", "pixel_auroc", "image_auroc")},
        "au_pro": {"mean": None, "spread": None},
    }
    learning = [
        {
            "fit": fit,
            "epoch": epoch,
            "values": {
                "replacements": 40 // epoch,
                "d_m": 1.5 + epoch,
                "covering_radius": None if epoch == 1 else 2.5,
            },
        }
        for fit, epoch in (("Synth", 1), ("Synth", 2), (name, 1))
    ]
    one = {
        "seconds": 1.0,
        "cpu_seconds": 1.0,
        "threshold": 0.5,
        "picture_threshold": 0.6,
        "summary": {},
    }
    learning = [] if name == "PatchCore" else learning
    seeds = [0, 1] if name == "Real" else [0]
    return {
        "name": name,
        "slug": slug,
        "family": METHODS[name],
        "note": "every <6th> picture" if name == "Real" else None,
        "summary": summary,
        "classes": {
            kind: {
                "kind": kinds[kind],
                "instances": len(recalls),
                "figures": {
                    "pixel_recall": entry(hit, pixels),
                    "mean_recall": entry(float(np.mean(recalls)), 1) if recalls else entry(0, 0),
                },
                "recall": np.mean(recalls, axis=0).tolist() if recalls else [None] * 12,
            }
            for kind, (hit, pixels, recalls) in found.items()
        },
        "recall": curve,
        "repeats": [{"seed": seed, "learning": learning, **one} for seed in seeds],
        "predictions": f"predictions/{slug}",
        "per_image": rows,
    }


def _finding() -> Finding:
    return {
        "claim": "Melding helps </script>",
        "verdict": "holds",
        "reason": "Because it does.",
        "comparisons": [
            {
                "what": "pixel F1",
                "first": "Real",
                "second": "Melding & more",
                "first_value": 0.25,
                "second_value": 1.0,
                "difference": 0.75,
                "low": 0.1234567890123,
                "high": None,
                "spread": None,
                "verdict": "holds",
            }
        ],
    }


def _model(path: Path) -> None:
    """Save a coreset of twelve members: eight of "cell", three of "plate", one unknown."""
    identity = FeatureExtractor(weights="random").identity()
    coreset = Coreset(12, identity=identity)
    names = list(PICTURES)
    for dataset in ("cell", "plate"):
        coreset.sources.add(dataset, names)
    origin = np.full((12, 3), -1, np.int32)
    origin[:8, 0], origin[8:11, 0] = 0, 1
    origin[:11, 1] = np.arange(11) % len(names)
    origin[:11, 2] = np.arange(11) % 5 * GRID_WIDTH + np.arange(11) % 6
    rng = np.random.default_rng(0)
    coreset.update(torch.from_numpy(rng.standard_normal((12, 6)).astype(np.float32)), origin)
    detector = SequentialPatchcore(Settings(size=12), Context(scores=False), coreset)
    Model("sequential_patchcore", detector.settings, detector).save(path)
