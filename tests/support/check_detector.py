"""What every detector must hold to, whatever it is: `check_detector(method)`.

Deterministic for a seed, the same after a file and after an interruption, maps of the pictures'
size, one line for what cannot be used, and no more promised than kept.
"""

from __future__ import annotations

import importlib
import json
import pickle
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stainless import config
from stainless.dataset import ArraySample
from stainless.errors import InputError
from train.detectors import options
from train.detectors.detector import (
    Context,
    Continuable,
    Detector,
    Explainable,
    Meldable,
    Score,
    Trainset,
    method,
    named,
)
from train.detectors.fitting import fit_file
from train.detectors.model_file import Model, read
from train.training import loop

#: Height and width of the pictures.
SHAPE = (96, 112)

#: How far two scores of the same model may lie apart: sums are taken in another order.
TOLERANCE = {"rtol": 1e-4, "atol": 1e-5}


def check_detector(
    name: str,
    folder: Path,
    weights: Path | None = None,
    shape: tuple[int, int] = SHAPE,
    **more: Any,
) -> None:
    """Let a method do everything that it says it can, in seconds, and fail where it does not.

    Args:
        name: of the method; its `small` settings are used.
        folder: for files, empty.
        weights: for the context, where a method needs a file.
        shape: height and width of the pictures.
        more: settings beside those.
    """
    check_description(name)
    check_settings(name, weights)
    settings = replace(method(name).settings(), **method(name).small, **more)
    pictures = Trainset("metal", samples(range(4), shape))
    whole = fitted(folder / "whole.safetensors", name, settings, pictures, weights)
    check_flags(whole)
    check_history(whole)
    check_scores(whole, shape)
    check_file(whole, folder / "whole.safetensors", shape, weights)
    check_interruption(whole, folder / "parts.safetensors", settings, pictures, weights)
    check_small_pictures(whole, folder, settings, weights)
    check_continuing(name, folder / "whole.safetensors", settings, weights)
    check_melding(whole, folder / "whole.safetensors", weights)


def brushed(seed: int, shape: tuple[int, int] = SHAPE) -> np.ndarray:
    """Return an (H, W, 3) uint8 picture of horizontal grooves."""
    rng = np.random.default_rng(seed)
    grooves = 120 + 25 * rng.standard_normal((shape[0], 1)) + 4 * rng.standard_normal(shape)
    return np.repeat(grooves.clip(0, 255).astype(np.uint8)[..., None], 3, axis=2)


def samples(seeds: Any, shape: tuple[int, int] = SHAPE) -> list[ArraySample]:
    """Return nominal samples in memory."""
    return [ArraySample.nominal(f"train/good/{seed:03}", brushed(seed, shape)) for seed in seeds]


def small_context(weights: Path | None = None, **more: Any) -> Context:
    """Return a context that prints nothing."""
    silent: dict[str, Any] = {"report": lambda line: None, "warn": lambda line: None}
    return Context(weights=weights, **{**silent, **more})


def fitted(path: Path, name: str, settings: Any, pictures: Trainset, weights: Path | None) -> Model:
    """Return the model of a whole fit, as its file has it; where the loop ran, there is a log."""
    log, ran, finish = path.with_name("log"), [], loop._Run.finish

    def finished(run: loop._Run) -> loop.Result:
        ran.append(run)
        return finish(run)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop._Run, "finish", finished)
        assert fit_file(path, name, settings, [pictures], small_context(weights, log=log))
    assert bool(list(log.rglob("events.*"))) == bool(ran), "--log is not what the loop wrote"
    assert not list(path.parent.glob(".*.checkpoint")), "a finished fit leaves its checkpoint"
    before = path.read_bytes()
    assert not fit_file(path, name, settings, [pictures], small_context(weights))
    assert path.read_bytes() == before, "a finished fit is fitted again"
    other = small_context(weights, seed=1)
    assert "is of another fit" in one_line(
        lambda: fit_file(path, name, settings, [pictures], other)
    )
    return Model.load(path, small_context(weights))


def one_line(action: Callable[[], Any]) -> str:
    """Return the one line of the InputError that an action must raise."""
    with pytest.raises(InputError) as caught:
        action()
    line = str(caught.value)
    assert line and "\n" not in line
    return line


# what it says of itself


def check_description(name: str) -> None:
    """Every key has a meaning, the summary is a line, and there is a README."""
    known = method(name)
    assert name.isidentifier()
    assert known.summary and "\n" not in known.summary and known.learns_from
    for key in config.keys(known.settings):
        assert key.meaning, f"{name}.{key.name} has no meaning in the docstring's Attributes"
    module = importlib.import_module(known.settings.__module__)
    assert module.__file__ is not None
    assert (Path(module.__file__).parent / "README.md").is_file()


def check_settings(name: str, weights: Path | None) -> None:
    """What is wrong with a setting is one line that names it."""
    schema = method(name).settings
    assert "unknown key" in one_line(lambda: options.settings(name, [("no_such_key", "1")]))
    assert options.settings(name, []) == schema(), "the defaults do not validate"
    for key in config.keys(schema):
        for option in (f"{name}.{key.name}", key.name):
            line = one_line(lambda option=option: options.settings(name, [(option, "{a: 1}")]))
            assert line.startswith(f"--{option}")
        if type(key.default) in (int, float):
            # What a negative number means is the method's business, but it never crashes.
            try:
                chosen = options.settings(name, [(key.name, "-1")])
                Model.new(name, chosen, small_context(weights))
            except InputError as error:
                assert "\n" not in str(error)


def check_flags(model: Model) -> None:
    """`stainless methods` tells what the class can do."""
    known = method(model.method)
    assert isinstance(model.detector, Detector)
    assert isinstance(model.detector, Meldable) == known.melds
    assert isinstance(model.detector, Explainable) == known.explains
    continues = isinstance(model.detector, Continuable) and model.detector.continues
    assert continues == known.continues
    assert known.continues or not known.extended_by


def check_history(model: Model) -> None:
    """What it remembers of its passes has names, and JSON can hold it."""
    reader = method(model.method).history
    if reader is not None:
        found = named(reader)(model.detector.state()[1])
        assert found.passes and found.quantities
        for each in found.passes:
            assert each.values.keys() <= found.quantities.keys()
            json.dumps(dict(each.values), allow_nan=False)


# what it does


def pictures_to_score(shape: tuple[int, int]) -> list[np.ndarray]:
    """Return a nominal picture and one with a bright bar."""
    bad = brushed(51, shape)
    bad[shape[0] // 3 : shape[0] // 3 + 6, shape[1] // 4 : shape[1] // 2] = 255
    return [brushed(50, shape), bad]


def check_scores(model: Model, shape: tuple[int, int]) -> None:
    """A score is a number and a map of the picture's size; a picture's neighbours do not count."""
    images = pictures_to_score(shape)
    before = [image.copy() for image in images]
    together = model.detector.score(images)
    assert len(together) == len(images) and model.detector.score([]) == []
    for image, old, score in zip(images, before, together, strict=True):
        assert np.array_equal(image, old), "scoring changes the picture"
        assert type(score.value) is float and np.isfinite(score.value)
        assert (score.map is not None) == method(model.method).maps
        if score.map is not None:
            assert score.map.shape == image.shape[:2] and score.map.dtype == np.float32
            assert np.isfinite(score.map).all()
        assert all(isinstance(array, np.ndarray) for array in score.detail.values())
        assert_equal_scores(pickle.loads(pickle.dumps(score)), score)
        assert_equal_scores(model.detector.score([image])[0], score)
        if isinstance(model.detector, Explainable):
            check_explanation(model.detector.explain(score, 3, shape[0] - 1))


def check_explanation(found: dict[str, Any] | None) -> None:
    """An explanation names a nominal patch."""
    if found is not None:
        assert {"dataset", "image", "box", "distance"} <= found.keys()
        assert found["dataset"] == "metal" and found["image"].startswith("train/good/")
        assert len(found["box"]) == 4 and np.isfinite(found["distance"])


def assert_equal_scores(found: Score, expected: Score) -> None:
    """Compare two scores of one picture."""
    np.testing.assert_allclose(found.value, expected.value, **TOLERANCE)
    assert (found.map is None) == (expected.map is None)
    if found.map is not None and expected.map is not None:
        np.testing.assert_allclose(found.map, expected.map, **TOLERANCE)


def assert_equal_states(found: Model, expected: Model) -> None:
    """Compare, bit for bit, what two models have learned.

    Only the arrays: the rest of a state may be a diary, which knows of an interruption.
    """
    (arrays, state), (wanted, description) = found.detector.state(), expected.detector.state()
    assert arrays.keys() == wanted.keys() and state.keys() == description.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, wanted[name], err_msg=name)


def check_file(model: Model, path: Path, shape: tuple[int, int], weights: Path | None) -> None:
    """What is read from a file is what was written."""
    model.thresholds["pixel"] = {"value": 0.1, "rule": "pixel-f1"}
    again = path.with_name("again.safetensors")
    model.save(again)
    loaded = Model.load(again, small_context(weights))
    assert (loaded.method, loaded.settings) == (model.method, model.settings)
    assert (loaded.metadata, loaded.thresholds) == (model.metadata, model.thresholds)
    assert_equal_states(loaded, model)
    assert loaded.detector.state()[1] == model.detector.state()[1]
    images = pictures_to_score(shape)
    pairs = zip(loaded.detector.score(images), model.detector.score(images), strict=True)
    for found, expected in pairs:
        assert_equal_scores(found, expected)
    written = again.read_bytes()
    loaded.save(again)
    assert again.read_bytes() == written
    again.write_bytes(written[:-7])
    assert str(again) in one_line(lambda: Model.load(again, small_context(weights)))
    again.unlink()


class Stop(BaseException):
    """Interrupts a fit as a user does."""


@dataclass
class Events:
    """Counts what a fit does and stops it.

    Attributes:
        last: event at which the fit is stopped; None for never.
        at_report: stop at the first report or save.
    """

    last: int | None = None
    at_report: bool = False
    count: int = field(default=0, init=False)

    def __call__(self, reported: bool = False) -> None:
        """Take notice of an event."""
        self.count += 1
        if self.count == self.last or (reported and self.at_report):
            raise Stop


@dataclass(frozen=True, eq=False)
class Watched(ArraySample):
    """A sample that tells when it is loaded."""

    events: Events = field(default_factory=Events)

    def load(self) -> np.ndarray:
        """Return the picture, or stop."""
        self.events()
        return super().load()


def check_interruption(
    whole: Model, path: Path, settings: Any, pictures: Trainset, weights: Path | None
) -> None:
    """A fit that is stopped, twice, and called again ends as one that ran through."""
    through = Events()
    run(through, path, whole.method, settings, pictures, weights)
    assert_equal_states(Model.load(path, small_context(weights)), whole)
    path.unlink()
    for events in (Events(last=through.count // 2), Events(at_report=True)):
        try:
            run(events, path, whole.method, settings, pictures, weights)
        except Stop:
            continue
    run(Events(), path, whole.method, settings, pictures, weights)
    assert not list(path.parent.glob(".*.checkpoint"))
    assert_equal_states(Model.load(path, small_context(weights)), whole)


def run(
    events: Events,
    path: Path,
    name: str,
    settings: Any,
    pictures: Trainset,
    weights: Path | None,
) -> None:
    """Fit with events that may stop it."""
    watched = [Watched(**vars(sample), events=events) for sample in pictures.samples]
    context = small_context(weights, report=lambda line: events(reported=True))
    fit_file(path, name, settings, [Trainset(pictures.name, watched)], context)


def check_small_pictures(model: Model, folder: Path, settings: Any, weights: Path | None) -> None:
    """A picture that is too small is refused in a line that names it, or it is scored."""
    tiny = brushed(1, (5, 7))
    try:
        (score,) = model.detector.score([tiny])
    except InputError as error:
        assert "\n" not in str(error)
        pictures = Trainset("metal", [ArraySample.nominal("train/good/tiny", tiny)])
        path = folder / "tiny.safetensors"
        line = one_line(
            lambda: fit_file(path, model.method, settings, [pictures], small_context(weights))
        )
        assert "train/good/tiny" in line and not path.exists()
    else:
        assert score.map is None or score.map.shape == (5, 7)


def check_continuing(name: str, base: Path, settings: Any, weights: Path | None) -> None:
    """A method that continues learns more from a file and leaves it alone; others refuse."""
    out, before = base.with_name("continued.safetensors"), base.read_bytes()
    other = Trainset("other", samples(range(20, 23)))

    def continue_it() -> bool:
        return fit_file(out, name, settings, [other], small_context(weights), base)

    if method(name).continues:
        assert continue_it()
        fits = read(out).metadata["fits"]
        assert [fit["datasets"] for fit in fits] == [["metal"], ["other"]]
        assert not continue_it()
    else:
        assert "cannot be continued" in one_line(continue_it)
        assert not out.exists()
    assert base.read_bytes() == before


def check_melding(model: Model, path: Path, weights: Path | None) -> None:
    """A method that melds makes a model of two; others refuse."""
    other = Model.load(path, small_context(weights))
    if not method(model.method).melds:
        assert "cannot be melded" in one_line(lambda: model.meld([other], model.settings))
        return
    assert isinstance(model.detector, Meldable)
    assert model.detector.differs(other.detector) is None
    melded = model.meld([other], model.settings)
    assert melded.thresholds == {} and len(melded.metadata["melded"]) == 2
    (score,) = melded.detector.score([brushed(50)])
    assert np.isfinite(score.value)
