"""What every kind of part promises, whatever it is.

Each check takes a small scene of the part. A part brings one of its own as `small.yaml` where its
tests lie; else its defaults are photographed small.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from render.layout import categories
from render.part import Exposure, Frame, part
from render.plan import Sample, plan, plan_sample, plan_to_json
from render.scene import Scene, read_scene
from render.series import Group, Series
from stainless import config
from stainless.dataset.layouts import TRUTHS
from stainless.errors import InputError
from support.rebuild import rebuilt

TESTS = Path(__file__).resolve().parents[1] / "render" / "parts"

SIDES = 4


def check_part(name: str, folder: Path) -> None:
    """Run every check of this module on a kind; `folder` is there to write to."""
    scene = small_scene(name)
    for check in CHECKS:
        check(scene)
    for check_keys in KEY_CHECKS:
        check_keys(scene, folder)


def small_scene(name: str) -> Scene:
    """Return a scene of one good and some defective sides in small pictures."""
    own = TESTS / name / "small.yaml"
    scene = read_scene(own) if own.exists() else part(name).scene()
    groups = [Group("train", 1), Group("test", SIDES - 1, defects=True, impure_sides=1)]
    camera = dataclasses.replace(scene.camera, resolution_px=(48, 40), views=(1, 1))
    small = dataclasses.replace(
        scene,
        samples=SIDES,
        test_every=0,
        scale=1.0,
        series=Series(groups=groups),
        camera=camera,
        rendering=dataclasses.replace(scene.rendering, denoise=False, samples_undenoised=2),
    )
    small.validate()
    return small


class OneColour:
    """A tracer that renders nothing: labels and plans are tried without Blender."""

    threads = 1
    denoiser = False

    def render(self, stage, view, shape, sampling):
        assert len({mesh.name for mesh in stage.meshes}) == len(stage.meshes)
        return np.full((*shape, sampling.channels), 0.5, np.float32)


def exposures(scene: Scene, sample: Sample, tracer: object = None) -> list[Exposure]:
    """Return the exposures of a sample's only view."""
    rows = scene.camera.resolution_px[::-1]
    frame = Frame(0, sample.views[0], rows, sample.cycles_seeds[0])
    return list(part(scene.part).expose(scene, sample, frame, tracer or OneColour()))


def flat(value: object, key: str = "") -> Iterator[tuple[str, object]]:
    """Yield every number of a tree with its dotted key."""
    if isinstance(value, dict | list):
        for name, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from flat(item, f"{key}.{name}")
    else:
        yield key, value


def its_numbers_are_plausible_and_no_two_agree(scene: Scene) -> None:
    kind = part(scene.part)
    assert kind.name == scene.part == kind.scene().part
    assert all(101 <= flaw.index <= 255 for flaw in kind.flaws.values())
    assert all(1 <= index <= 100 for index in kind.impurities.values())
    for numbers in (
        [flaw.index for flaw in kind.flaws.values()],
        [flaw.stream for flaw in kind.flaws.values()],
        list(kind.impurities.values()),
    ):
        assert len(set(numbers)) == len(numbers)
    for flaw in kind.flaws.values():
        assert flaw.truth in TRUTHS
        assert flaw.saturation.threshold > 0
        assert not flaw.saturation.relative or flaw.saturation.threshold <= 1
    assert kind.switched_on(scene) <= {*kind.flaws, *kind.impurities}


def every_key_says_what_it_means_and_takes_its_default(scene: Scene, folder: Path) -> None:
    path = folder / "scene.yaml"
    path.write_text(f"part: {scene.part}\n")
    listed = list(config.keys(type(scene)))
    names = {key.name.split(".")[0] for key in listed}
    assert names == {field.name for field in dataclasses.fields(type(scene))}
    for key in listed:
        assert key.meaning, key.name
    plain = config.read(type(scene), path)
    # What switches something on by being there changes the scene even with its defaults.
    optional = {field.name for field in dataclasses.fields(type(scene)) if field.default is None}
    given = [
        (key.name, config.notation(key.default))
        for key in listed
        if key.name.split(".")[0] not in optional | {"part"} and at(plain, key.name) is not None
    ]
    assert config.read(type(scene), path, given) == plain


def at(tree: object, key: str) -> object:
    """Return what a dotted key of dataclasses holds, None where a branch is None."""
    for name in key.split("."):
        tree = None if tree is None else getattr(tree, name)
    return tree


def a_wrong_key_is_one_line(scene: Scene, folder: Path) -> None:
    path = folder / "scene.yaml"
    path.write_text(f"part: {scene.part}\n")
    own = [key.name for key in config.keys(type(scene)) if key.name not in vars(Scene())]
    wrong = [*own[:3], *own[-3:]]
    for key in wrong:
        for option, text in ((f"{key}x", "1"), (key, "[1, 2, 3, 4, 5, 6, 7]"), (key, ".nan")):
            try:
                read_scene(path, [(option, text)])
            except InputError as error:
                assert str(error).startswith(f"--{key}"), error
                assert "\n" not in str(error)
            else:
                assert option == key, option


def samples_are_drawn_by_seed_and_index_and_survive_json(scene: Scene) -> None:
    samples = plan(scene)
    assert samples == plan(scene)
    other = dataclasses.replace(scene, seed=scene.seed + 1)
    assert all(a.part != b.part for a, b in zip(samples, plan(other), strict=True))
    assert samples[1].part != samples[2].part
    assert plan(dataclasses.replace(scene, samples=2)) == samples[:2]
    tree = plan_to_json(scene)
    text = json.dumps(tree)
    assert json.loads(text) == config.plain(tree)
    for sample, numbers in zip(samples, json.loads(text)["samples"], strict=True):
        assert back(sample, numbers) == config.plain(sample.to_json())


def back(sample: Sample, numbers: dict[str, Any]) -> Any:
    """Return the JSON of what is built anew from a sample's JSON."""
    kind, drawn = part(sample.kind), type(sample.part)
    mine = numbers.get(kind.name, numbers)
    fields = {field.name: mine[field.name] for field in dataclasses.fields(drawn)}
    again = dataclasses.replace(sample, part=rebuilt(drawn, fields))
    return config.plain(again.to_json())


def what_is_not_of_the_part_moves_no_number_of_it(scene: Scene) -> None:
    before = [sample.part for sample in plan(scene)]
    for change in (
        {"camera": dataclasses.replace(scene.camera, shift_mm=2.0, resolution_px=(60, 50))},
        {"sensor": dataclasses.replace(scene.sensor, exposure=3.0, bits=12)},
        {"rendering": dataclasses.replace(scene.rendering, samples=3)},
        {"scale": 0.5},
        {"layout": "loco"},
    ):
        assert [sample.part for sample in plan(dataclasses.replace(scene, **change))] == before


def good_sides_are_drawn_as_they_are_without_any_flaw(scene: Scene) -> None:
    """Whether others carry flaws, or what these are like, moves nothing of a good side."""
    assert scene.series is not None
    groups = [Group("train", 1), Group("test", SIDES - 1)]
    good = dataclasses.replace(scene, series=Series(groups=groups))
    assert plan_sample(good, 0).part == plan_sample(scene, 0).part


def exposures_are_those_of_the_shots_with_labels_that_agree(scene: Scene) -> None:
    kind = part(scene.part)
    shots = list(kind.shots(scene))
    assert len(set(categories(scene))) == len(shots)
    shape = scene.camera.resolution_px[::-1]
    indices = {*kind.impurities.values(), *(flaw.index for flaw in kind.flaws.values())}
    flawed = 0
    for sample in plan(scene):
        taken = exposures(scene, sample)
        assert [exposure.shot for exposure in taken] == shots
        for exposure in taken:
            assert exposure.radiance.dtype == np.float32
            assert exposure.radiance.shape in {(*shape, 1), (*shape, 3)}
            labels = exposure.labels
            assert (labels.classes.dtype, labels.instances.dtype) == (np.uint8, np.uint16)
            assert labels.classes.shape == labels.instances.shape == shape
            assert set(np.unique(labels.classes)) - {0} <= indices
            np.testing.assert_array_equal(labels.classes > 0, labels.instances > 0)
            for instance in np.unique(labels.instances):
                assert len(np.unique(labels.classes[labels.instances == instance])) == 1
            assert (labels.areas is None) == (not kind.areas(scene))
            if labels.areas is not None:
                assert (labels.areas.dtype, labels.areas.shape) == (np.uint8, shape)
                assert set(np.unique(labels.areas)) <= {0, *kind.areas(scene).values()}
            if exposure.kept is not None:
                assert not labels.classes[~exposure.kept].any()
            shown = labels.truth(kind.flaws.values()).any()
            assert sample.side is not None
            assert not shown or sample.side.defects
            flawed += shown
    assert flawed, "no defective side shows a flaw"


def cycles_renders_it_the_same_again(scene: Scene) -> None:
    from render.cycles.tracer import Tracer

    sample = plan_sample(scene, SIDES - 1)
    once, again = (exposures(scene, sample, Tracer(threads)) for threads in (1, 2))
    for one, other in zip(once, again, strict=True):
        assert np.isfinite(one.radiance).all()
        assert one.radiance.min() >= 0
        assert one.radiance.std() > 0
        np.testing.assert_array_equal(one.radiance, other.radiance)


#: Of a scene alone.
CHECKS: list[Callable[[Scene], None]] = [
    its_numbers_are_plausible_and_no_two_agree,
    samples_are_drawn_by_seed_and_index_and_survive_json,
    what_is_not_of_the_part_moves_no_number_of_it,
    good_sides_are_drawn_as_they_are_without_any_flaw,
    exposures_are_those_of_the_shots_with_labels_that_agree,
    cycles_renders_it_the_same_again,
]

#: Of a scene and a folder to write to.
KEY_CHECKS: list[Callable[[Scene, Path], None]] = [
    every_key_says_what_it_means_and_takes_its_default,
    a_wrong_key_is_one_line,
]
