"""A record of what the program does, and a comparison with it: `make golden`.

Plans and decoded pixels of small scenes, members, thresholds, maps, metrics and verdicts of the
sequential coreset on fixed pictures, and the figures of a small experiment. All of it is asked of
the real commands, so that code may move without this file. Values that a later version adds do not
count; every recorded one must be there and equal.

Pixels and features are equal for one build on one kind of machine only. The record says which; on
another, or with other versions, only the plans are compared.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from pictures import write_dataset, write_synthetic

RECORD = Path(__file__).with_name("record.json")
ROOT = Path(__file__).resolve().parents[2]
SHEETS = ("preview.png", "contact_sheet.png")
PLANNED = ("plate", "plate_small", "cell", "cell_small")
#: Numbers of a plan that bear another name than they did when the record was written.
RENAMED = {"diffuse": "matte"}
#: Name of a rendering: scene and options.
RENDERED = {
    "twins": ("scenes/plate_small.yaml", ["--samples", "1", "--scale", "0.05"]),
    "rendered twins": (
        "scenes/plate_small.yaml",
        [
            *("--samples", "1", "--scale", "0.04", "--twins", "render"),
            *("--lights.variants", "[hexagon]"),
        ],
    ),
    "series": ("scenes/cell_small.yaml", ["--scale", "0.05", "--camera.views", "[2, 1]"]),
}


def main() -> int:
    """Compare with the record, or write it."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--write", action="store_true", help="write the record anew")
    options.add_argument("--root", type=Path, default=ROOT, help="checkout that is asked")
    options.add_argument("--only", nargs="+", choices=list(STEPS), default=list(STEPS))
    args = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="golden-") as folder:
        found: dict[str, Any] = {"made with": made_with()}
        known = {} if args.write else json.loads(RECORD.read_text(encoding="utf-8"))
        alike = args.write or known["made with"] == found["made with"]
        if not alike:
            print(f"recorded with {known['made with']}, this is {found['made with']}: plans only")
        for name in args.only if alike else ["plans"]:
            print(f"{name} ...", flush=True)
            found[name] = STEPS[name](Commands(args.root.resolve(), Path(folder) / name))
    if args.write:
        if args.only != list(STEPS) and RECORD.exists():
            found = {**json.loads(RECORD.read_text(encoding="utf-8")), **found}
        RECORD.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        print(f"{RECORD}: written")
        return 0
    differences = [line for name in found for line in differing(known[name], found[name], name)]
    if not alike:
        differences = [line for line in differences if line.startswith("plans")]
    for line in differences[:40]:
        print(line)
    print(f"{len(differences)} differences from the record" if differences else "all as recorded")
    return 1 if differences else 0


def made_with() -> dict[str, str]:
    """Return the machine and the versions that numbers depend on."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    packages = ("bpy", "torch", "timm", "numpy", "opencv-python-headless")
    return {
        "processor": names[0] if names else platform.machine(),
        **{package: version(package) for package in packages},
    }


def differing(recorded: Any, found: Any, key: str) -> Iterator[str]:
    """Yield a line for every recorded value that is missing or another now."""
    if isinstance(recorded, dict) and isinstance(found, dict):
        for name, value in recorded.items():
            if name in found:
                yield from differing(value, found[name], f"{key} / {name}")
            else:
                yield f"{key} / {name}: missing"
    elif isinstance(recorded, list) and isinstance(found, list) and len(recorded) == len(found):
        for place, (old, new) in enumerate(zip(recorded, found, strict=True)):
            yield from differing(old, new, f"{key}[{place}]")
    elif recorded != found:
        yield f"{key}: {str(recorded)[:60]} is now {str(found)[:60]}"


class Commands:
    """Runs the commands of a checkout in a folder of their own."""

    def __init__(self, root: Path, folder: Path) -> None:
        self.root, self.folder = root, folder
        folder.mkdir(parents=True)

    def python(self, *words: str | Path) -> str:
        """Run Python in the folder; return what it prints."""
        threads = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "PYTHONPATH": str(self.root)}
        done = subprocess.run(
            [sys.executable, *map(str, words)],
            cwd=self.folder,
            env={**os.environ, **threads},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"{' '.join(map(str, words))}: {done.stderr[-3000:]}")
        return done.stdout

    def render(self, scene: str, *words: str) -> Path:
        """Render, or plan, a scene of the checkout; return the dataset."""
        out = self.folder / "dataset"
        shutil.rmtree(out, ignore_errors=True)
        script = self.root / "render/generate.py"
        self.python(script, "--config", self.root / scene, "--output", out, *words)
        return out

    def stainless(self, *words: str | Path) -> str:
        """Run a command of the console script."""
        return self.python("-m", "stainless.cli", *words)


def plans(commands: Commands) -> dict[str, Any]:
    """Return the numbers of the plans: the first sample whole, the others by their hash."""
    found: dict[str, Any] = {}
    for name in PLANNED:
        plan = json.loads(
            (commands.render(f"scenes/{name}.yaml", "--dry-run") / "plan.json").read_text(),
            object_pairs_hook=lambda pairs: {RENAMED.get(key, key): item for key, item in pairs},
        )
        samples = plan["samples"]
        found[name] = {
            "picture_shape": plan["picture_shape"],
            "count": len(samples),
            "samples": [
                {key: digest(sample[key]) for key in sorted(sample)} for sample in samples[:6]
            ],
        }
    return found


def pixels(commands: Commands) -> dict[str, Any]:
    """Return the SHA-256 of the decoded pixels of every picture of small renderings."""
    found = {}
    for name, (scene, words) in RENDERED.items():
        out = commands.render(scene, *words)
        found[name] = {
            path.relative_to(out).as_posix(): picture_hash(path)
            for path in sorted(out.rglob("*.png"))
            if path.name not in SHEETS
        }
    return found


def detector(commands: Commands) -> dict[str, Any]:
    """Return members, threshold, metrics, maps and verdicts of the sequential coreset."""
    data = commands.folder / "data"
    write_dataset(data)
    metal = ("--data", data, "--category", "metal")
    small = ("--size", "64", "--epochs", "3")
    commands.stainless("fit", *metal, "--out", "a.safetensors", *small)
    other = ("--data", data, "--category", "other")
    commands.stainless("fit", *other, "--out", "b.safetensors", *small)
    commands.stainless("fit", *metal, "--out", "c.safetensors", *small, "--augment", "--seed", "5")
    commands.stainless(
        *("fit", *other, "--from", "a.safetensors", "--out", "d.safetensors", "--epochs", "2")
    )
    commands.stainless("meld", "a.safetensors", "b.safetensors", "--out", "e.safetensors")
    found: dict[str, Any] = {
        "coresets": {name: arrays(commands.folder / f"{name}.safetensors") for name in "abcde"}
    }
    model = ("--model", "a.safetensors")
    said = commands.stainless("threshold", *metal, *model)
    found["threshold"] = said.partition("threshold ")[2].split(",")[0]
    commands.stainless("evaluate", *metal, *model, "--out", "judged", "--keep-maps")
    out = commands.folder / "judged"
    metrics = json.loads((out / "metrics.json").read_text())
    for row in metrics["per_image"]:
        row.pop("flagged")
    found["metrics"] = {
        key: metrics[key]
        for key in ("threshold", "pixels", "regions", "defects", "classes", "per_image")
    }
    found["metrics"]["images"] = {key: metrics["images"][key] for key in ("count", "good", "auroc")}
    found["maps"] = {
        path.relative_to(out).as_posix(): array_hash(np.load(path))
        for path in sorted((out / "maps").rglob("*.npy"))
    }
    commands.stainless("score", *model, data / "metal/test", "--out", "scored")
    out = commands.folder / "scored"
    found["pictures"] = {
        path.relative_to(out).as_posix(): picture_hash(path) for path in sorted(out.rglob("*.png"))
    }
    lines = (out / "verdicts.jsonl").read_text().splitlines()
    found["verdicts"] = {
        Path(line["image"]).relative_to(data).as_posix(): {
            "score": line["score"],
            "regions": line["regions"],
        }
        for line in map(json.loads, lines)
    }
    return found


def experiment(commands: Commands) -> dict[str, Any]:
    """Return the figures of every method of a small experiment."""
    write_dataset(commands.folder / "real")
    write_synthetic(commands.folder / "synthetic")
    config = {
        "out": "report",
        "real": {"data": "real", "category": "metal", "scene": None},
        "synthetic": {"data": "synthetic", "scene": None, "lights": ["rot90"]},
        "detector": {"size": 64, "epochs": 2},
        "baselines": {"models": []},
        "bootstrap_rounds": 20,
    }
    (commands.folder / "experiment.yaml").write_text(json.dumps(config))
    commands.stainless("experiment", "--config", "experiment.yaml", "--workers", "2")
    results = json.loads((commands.folder / "report/results.json").read_text())
    return {
        "methods": {
            method["name"]: {
                "summary": under_older_names(method["summary"]),
                "classes": {
                    name: {**found, **found.get("figures", {})}
                    for name, found in method["classes"].items()
                },
                "threshold": [repeat["threshold"] for repeat in method["repeats"]],
            }
            for method in results["methods"]
        },
        "findings": [finding["verdict"] for finding in results["findings"]],
    }


def under_older_names(summary: dict[str, Any]) -> dict[str, Any]:
    """Return figures as recorded: false alarms were good pictures with any anomalous pixel."""
    alarms = summary.get("pixel_false_alarm_rate", summary["false_alarm_rate"])
    return {**summary, "false_alarm_rate": alarms}


def digest(value: Any) -> str:
    """Return the SHA-256 of a JSON-able value."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def array_hash(values: np.ndarray) -> str:
    """Return the SHA-256 of an array's type, shape and values."""
    start = hashlib.sha256(f"{values.dtype.str}{values.shape}".encode())
    start.update(np.ascontiguousarray(values).tobytes())
    return start.hexdigest()[:16]


def picture_hash(path: Path) -> str:
    """Return the SHA-256 of a picture's decoded pixels."""
    return array_hash(cv2.imread(str(path), cv2.IMREAD_UNCHANGED))


def arrays(path: Path) -> dict[str, str]:
    """Return the hash of each array of a model file."""
    from safetensors.numpy import load_file

    return {name: array_hash(values) for name, values in sorted(load_file(path).items())}


STEPS = {"plans": plans, "pixels": pixels, "detector": detector, "experiment": experiment}

if __name__ == "__main__":
    sys.exit(main())
