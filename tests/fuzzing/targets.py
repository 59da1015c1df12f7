"""What a stranger's bytes are given to: each reader of a file that somebody else may have made."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from fuzzing.mutation import Mutation, of_json, of_lines, of_yaml
from fuzzing.seeds import COCO, DEFECTS, ENTRY, HEIGHT, LABELME, WIDTH, as_json, images, png
from stainless.errors import InputError

CLASSES = {"dent": "defect", "stain": "impurity", "frame": "ignore"}


@dataclass(frozen=True)
class Target:
    """A reader.

    Attributes:
        file: where the bytes lie, from the folder of the trial.
        read: reads them; whatever escapes it but an InputError is a fault.
        prepare: makes what lies beside them, once.
        seeds: bytes to begin with.
        words: that mutations put in.
    """

    file: str
    read: Callable[[Path], object]
    seeds: tuple[bytes, ...]
    words: tuple[str, ...] = ()
    prepare: Callable[[Path], None] = lambda folder: None

    @property
    def mutation(self) -> Mutation | None:
        """Of what the bytes say, by the ending; None where only bytes are changed."""
        return {".json": of_json, ".jsonl": of_lines, ".yaml": of_yaml}.get(Path(self.file).suffix)


def attempt(target: Target, folder: Path, data: bytes) -> bool:
    """Tell whether a reader takes the bytes; it may refuse them, and do nothing else.

    Raises:
        Exception: a fault of the reader's.
    """
    path = folder / target.file
    path.write_bytes(data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            target.read(folder)
        except InputError as error:
            line = str(error)
            assert line.strip(), "an empty message"
            return False
    return True


def _picture(folder: Path) -> None:
    place = folder / "cap" / "test" / "good"
    place.mkdir(parents=True, exist_ok=True)
    (place / "000.png").write_bytes(png(np.full((HEIGHT, WIDTH), 90, np.uint8)))


def _image(folder: Path) -> None:
    from stainless.dataset import frame_of, load_image

    size = frame_of(folder / "000.png").size
    assert load_image(folder / "000.png").shape[:2] == size


def _mask(folder: Path) -> None:
    from stainless.dataset.masks import load_binary

    load_binary(folder / "000.png", (HEIGHT, WIDTH))


def _shapes(folder: Path) -> None:
    from stainless.dataset import load_annotation, read_category

    for sample in read_category(folder, "cap", "test", classes=CLASSES):
        annotation = load_annotation(sample)
        assert annotation.classes.shape == (HEIGHT, WIDTH)


def _left_over(folder: Path) -> None:
    from stainless.dataset import read_category

    read_category(folder, "cap", "test")


def _groups(folder: Path) -> None:
    from stainless.dataset.groups import read_groups

    read_groups(folder / "cap")


def _defects(folder: Path) -> None:
    from stainless.dataset import read_defects

    for defect in read_defects(folder / "defects_config.json").values():
        assert 0 < defect.saturation(40) <= 40


def _class_list(folder: Path) -> None:
    from stainless.dataset import read_classes

    read_classes(folder / "classes.json")


def _class_map(folder: Path) -> None:
    from stainless.dataset import class_map

    class_map(folder / "map.yaml")


def _areas(folder: Path) -> None:
    from stainless.dataset.areas import _names

    _names(folder / "areas.json")


def _lights(folder: Path) -> None:
    from exchange.lights import read_lights

    read_lights(folder, ["cap"])


def _scene(folder: Path) -> None:
    from render.scene import read_scene

    read_scene(folder / "fuzzed.yaml")


def _override(folder: Path) -> None:
    from render.scene import read_scene

    text = (folder / "override").read_bytes().decode(errors="replace")
    key, _, value = text.partition("=")
    read_scene(Path(__file__).parents[2] / "scenes" / "plate_small.yaml", [(key, value)])


def _experiment(folder: Path) -> None:
    from train.experiments.settings import read_settings

    read_settings(folder / "experiment.yaml")


def _manifest(folder: Path) -> None:
    from exchange.metadata import read_metadata
    from render.manifest import Manifest

    for entry in Manifest(folder).entries.values():
        for name in entry["files"]:
            assert (folder / name).resolve().is_relative_to(folder.resolve()), name
    read_metadata(folder / "manifest.jsonl", ["plate/train/good/000.png"])


def _record(folder: Path) -> None:
    from stainless.own_files import OwnFiles

    own = OwnFiles(folder, "score")
    own.owns("000.png")
    for name in own._known:
        assert (folder / name).resolve().is_relative_to(folder.resolve()), name


def _results(folder: Path) -> None:
    from train.report.results import read_results

    read_results(folder)


def _model(folder: Path) -> None:
    from train.detectors.model_file import read

    read(folder / "model.safetensors").typed_settings()


def _model_content(folder: Path) -> None:
    """Read a model whose content is a stranger's, with the right checksum."""
    from safetensors.numpy import save

    from stainless.json_text import parse
    from train.detectors.detector import Context
    from train.detectors.model_file import FORMAT, _checksum, _text, read

    try:
        content = parse((folder / "content.json").read_bytes())
    except ValueError:
        return
    if not isinstance(content, dict):
        return
    arrays, _ = _stored()
    content.pop("sha256", None)
    try:
        content["sha256"] = _checksum(arrays, content)
        data = save(arrays, {FORMAT: _text(content)})
    except UnicodeEncodeError:
        return
    path = folder / "model.safetensors"
    path.write_bytes(data)
    read(path).open(Context(scores=False))


_SCENES = Path(__file__).parents[2] / "scenes"
_EXPERIMENTS = Path(__file__).parents[2] / "train" / "experiments"


def _texts(*paths: Path) -> tuple[bytes, ...]:
    return tuple(path.read_bytes() for path in paths)


@cache
def _stored() -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Return arrays and content of a small model."""
    from train.detectors.model_file import FORMAT, VERSION, read

    stored = read(Path(__file__).parents[1] / "first_edition" / "model.safetensors")
    content = {key: getattr(stored, key) for key in ("method", "settings", "state", "metadata")}
    return stored.arrays, {"format": FORMAT, "version": VERSION, "thresholds": {}, **content}


def _safetensors() -> bytes:
    from safetensors.numpy import save

    from train.detectors.model_file import FORMAT, _checksum, _text

    arrays, content = _stored()
    return save(arrays, {FORMAT: _text({**content, "sha256": _checksum(arrays, content)})})


def _copies(source: Path) -> Callable[[Path], None]:
    """Return what copies YAML files that others extend."""

    def prepare(folder: Path) -> None:
        for path in source.glob("*.yaml"):
            shutil.copy(path, folder)

    return prepare


def targets() -> dict[str, Target]:
    """Return every reader by its name."""
    brackets = ("[", "]", "{", "}", chr(34), ":", ",")
    words = (*brackets, "null", "true", "NaN", "1e999", "-1", "../", "\\u0000")
    yaml_words = (
        "<<: ",
        "- ",
        "? ",
        "extends: ",
        *["&a", "*a", "!!python/name:", ".inf", ".nan", "~"],
    )
    return {
        "image": Target("000.png", _image, images()),
        "mask": Target("000.png", _mask, images()),
        "labelme": Target(
            "cap/test/good/000.json", _shapes, (as_json(LABELME),), (*words, "shapes"), _picture
        ),
        "coco": Target(
            "cap/test/_coco.json", _shapes, (as_json(COCO),), (*words, "counts"), _picture
        ),
        "text_left_over": Target(
            "cap/test/good/000.txt", _left_over, (b"0 0.5 0.5 0.1 0.1\n" * 9,), (), _picture
        ),
        "table_left_over": Target(
            "cap/labels.csv", _left_over, (b"image,x,y\n000.png,1,2\n",), (), _picture
        ),
        "groups": Target(
            "cap/groups.csv", _groups, (b"image,part_group\ntest/good/000.png,1\n",), (), _picture
        ),
        "defects_config": Target("defects_config.json", _defects, (as_json(DEFECTS),), words),
        "classes": Target(
            "classes.json",
            _class_list,
            (as_json({"classes": [{"index": 1, "name": "dent", "kind": "defect"}]}),),
            words,
        ),
        "class_map": Target("map.yaml", _class_map, (b"dent: defect\nno: ignore\n",), yaml_words),
        "areas": Target(
            "areas.json", _areas, (as_json({"areas": [{"index": 1, "name": "a"}]}),), words
        ),
        "lights": Target(
            "annotations/lights.json",
            _lights,
            (as_json({"lights": {"cap": "hexagon"}}),),
            words,
            lambda folder: (folder / "annotations").mkdir(exist_ok=True),
        ),
        "scene": Target(
            "fuzzed.yaml",
            _scene,
            _texts(*sorted(_SCENES.glob("*.yaml"))),
            yaml_words,
            _copies(_SCENES),
        ),
        "override": Target(
            "override",
            _override,
            (b"camera.pitch_mm=64", b"light.height_mm=[100, 200]"),
            yaml_words,
        ),
        "experiment": Target(
            "experiment.yaml",
            _experiment,
            _texts(*sorted(_EXPERIMENTS.glob("*/*.yaml"))),
            yaml_words,
            _copies(_EXPERIMENTS / "sim_to_real"),
        ),
        "manifest": Target("manifest.jsonl", _manifest, (as_json(ENTRY) + b"\n",), words),
        "record": Target(
            ".stainless-score.jsonl",
            _record,
            (as_json({"name": "000.png", "size": 1, "sha256": "ab", "grows": True}) + b"\n",),
            words,
        ),
        "results": Target(
            "results.json", _results, (as_json({"version": 3, "images": []}),), words
        ),
        "model": Target("model.safetensors", _model, (_safetensors(),), words),
        "model_content": Target("content.json", _model_content, (as_json(_stored()[1]),), words),
    }
