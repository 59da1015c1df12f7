"""The protocol of a detector, and how detectors are found.

A detector is a folder of `train/detectors/` with `settings.py`, `detector.py` and `README.md`.
`settings.py` imports nothing heavy and describes one or more methods in `METHODS`; `detector.py`
holds the classes and is imported when one is used. No other file names a detector.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self, runtime_checkable

import numpy as np

from stainless import plugins
from stainless.errors import InputError

if TYPE_CHECKING:
    from stainless.dataset import Sample
    from train.augment import Ranges

Arrays = dict[str, np.ndarray]
Metadata = dict[str, Any]

#: The method of a command that names none.
DEFAULT = "sequential_patchcore"


@dataclass(frozen=True)
class Method:
    """What is known of a method without importing it.

    Attributes:
        settings: dataclass of its settings, all with defaults: the keys `--NAME.key`. Where a
            value can be wrong beyond its type, it has a `validate(key)` that raises an InputError
            "{key}.{name}: {value}, expected ...".
        detector: its class, as "module:class".
        summary: what it is, in a line, with its source.
        learns_from: what it learns from, such as "nominal pictures".
        maps: whether its scores come with an anomaly map.
        melds: whether it is `Meldable`.
        continues: whether it is `Continuable`.
        explains: whether it is `Explainable`.
        combines: whether it is made of other models: its setting `members` names them (see
            `train.detectors.members`).
        extended_by: settings that say how long it learns, of one that continues: with another
            value a fit is the same fit and goes on.
        small: settings with which it learns from a few small pictures in seconds; what every
            method must hold to is tested with them.
        packages: installed packages, beside torch and timm, on whose version its results depend.
        formats: older file formats that hold its models, each with "module:function" that returns
            a `model_file.Stored` of a path, arrays and description.
        history: "module:function" that returns the `history.History` of a detector's state, of one
            that remembers how it learned; None for any other.
    """

    settings: type[Any]
    detector: str
    summary: str
    learns_from: str = "nominal pictures"
    maps: bool = True
    melds: bool = False
    continues: bool = False
    explains: bool = False
    combines: bool = False
    extended_by: tuple[str, ...] = ()
    small: Mapping[str, Any] = field(default_factory=dict)
    packages: tuple[str, ...] = ()
    formats: Mapping[str, str] = field(default_factory=dict)
    history: str | None = None

    def load(self) -> type[Detector]:
        """Import and return the class of the detector."""
        found: type[Detector] = named(self.detector)
        return found


def named(place: str) -> Any:
    """Import and return what "module:name" stands for."""
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(module), name)


def methods() -> dict[str, Method]:
    """Return every method by its name, sorted; imports no more than each folder's `settings.py`."""
    found: dict[str, Method] = {}
    for module in plugins.folders("train.detectors", "settings").values():
        for name, method in importlib.import_module(module).METHODS.items():
            if name in found:
                raise RuntimeError(f"{module}: method {name} is described twice")
            found[name] = method
    return dict(sorted(found.items()))


def method(name: str) -> Method:
    """Return a method.

    Raises:
        InputError: there is none of that name.
    """
    known = methods()
    if name not in known:
        raise InputError(f"--method: {name}, expected one of {', '.join(known)}")
    return known[name]


@dataclass(frozen=True)
class Trainset:
    """Nominal pictures of one category."""

    name: str
    samples: Sequence[Sample]


@dataclass(frozen=True)
class Score:
    """What a detector says of a picture.

    Attributes:
        value: score of the picture, higher is more anomalous.
        map: (H, W) float32, score of each pixel; None of a detector that gives none.
        detail: arrays that the detector itself needs to explain the score; they cross processes.
    """

    value: float
    map: np.ndarray | None
    detail: Mapping[str, np.ndarray] = field(default_factory=dict)


def _print(line: str) -> None:
    print(line, flush=True)


def _warn(line: str) -> None:
    print(line, file=sys.stderr)


@dataclass
class Context:
    """What a detector is given beside its settings.

    Attributes:
        seed: of all that is drawn.
        device: where torch computes.
        weights: weight file of the backbone; None for the published ones.
        accelerator: "openvino" or None, for features on the processor.
        augmentation: what to vary nominal pictures by; None for pictures as they are.
        features: (h, w, D) tensor of a sample's picture as it is, from where features are kept;
            None computes them.
        checkpoint: folder for the state of an unfinished fit, which may not be there yet; None to
            keep none. A fit that finds its own state there continues with the same result.
        save: writes the detector's model file; called whenever what has been learned so far is a
            usable model, and at the end.
        report: receives a line about the progress now and then.
        warn: receives a line about what the user should know of the result.
        scores: whether pictures will be fitted to or scored; False lets a detector that is only
            melded or described do without the weights of its backbone.
        base: name of what is continued, such as the SHA-256 of its file; None for a new fit.
        shuffle: show the pictures in an order of the seed's instead of as they come.
        log: folder for the TensorBoard scalars of a method that learns by gradient; None for none.
    """

    seed: int = 0
    device: str = "cpu"
    weights: Path | None = None
    accelerator: str | None = None
    augmentation: Ranges | None = None
    features: Callable[[Sample], Any] | None = None
    checkpoint: Path | None = None
    save: Callable[[], None] = lambda: None
    report: Callable[[str], None] = _print
    warn: Callable[[str], None] = _warn
    scores: bool = True
    base: str | None = None
    shuffle: bool = False
    log: Path | None = None


@runtime_checkable
class Detector(Protocol):
    """Learns from nominal pictures and scores others."""

    def __init__(self, settings: Any, context: Context) -> None:
        """Make one that has learned nothing.

        Raises:
            InputError: settings that cannot be used, or weights that cannot be had; one line.
        """

    def fit(self, trainsets: Sequence[Trainset]) -> None:
        """Learn from nominal pictures, continuing what an interrupted fit has left.

        Raises:
            InputError: a picture that cannot be used; one line that names it.
        """

    def score(self, images: Sequence[np.ndarray]) -> list[Score]:
        """Score (H, W, 3) uint8 RGB pictures, of any sizes that the detector accepts.

        Raises:
            InputError: a picture that cannot be used, such as one that is too small.
        """

    def state(self) -> tuple[Arrays, Metadata]:
        """Return all that was learned: arrays, and what JSON can hold."""

    @classmethod
    def from_state(
        cls, settings: Any, arrays: Arrays, metadata: Metadata, context: Context
    ) -> Self:
        """Return the detector that `state` describes.

        Raises:
            InputError: the state is damaged, or was made with other weights than are here.
        """


@runtime_checkable
class Meldable(Protocol):
    """Several of a kind can be made one that knows what each of them knows."""

    def differs(self, other: Any) -> str | None:
        """Return, in a few words, why another detector cannot be melded with this; None if it can.

        Args:
            other: a detector of the same class.
        """

    def meld(self, others: Sequence[Any], settings: Any) -> Self:
        """Return the melding of this detector and others, in this order.

        Args:
            others: detectors of the same class.
            settings: of the result.

        Raises:
            InputError: they hold features of different kinds.
        """


@runtime_checkable
class Continuable(Protocol):
    """A fitted one can learn from other pictures (`fit --from`): fit() then does."""

    #: Tells that fit() of a detector that has learned something learns more, and forgets nothing
    #: by design.
    continues: bool


@runtime_checkable
class FeatureScoring(Protocol):
    """Scores features that are kept somewhere, so that many detectors can share them.

    They are those of a `train.features.FeatureExtractor` of the settings, which extend
    `train.feature_settings.Features`, and `Context.features` gives the same.
    """

    def score_features(self, features: Any, height: int, width: int) -> Score:
        """Score the (h, w, D) features of a picture of `height` by `width` pixels."""


@dataclass(frozen=True)
class PatchPlaces:
    """Where the patches of a picture lie on it.

    Attributes:
        first: pixel coordinates, down and across, of the centre of the first patch, 0 being the
            centre of the first pixel.
        pitch: pixels, down and across, between the centres of neighbouring patches.
    """

    first: tuple[float, float]
    pitch: tuple[float, float]

    @classmethod
    def even(cls, picture: tuple[int, int], grid: tuple[int, int]) -> Self:
        """Return the places of patches that share a picture evenly.

        Args:
            picture: height and width in pixels.
            grid: rows and columns of patches.
        """
        down, across = (pixels / cells for pixels, cells in zip(picture, grid, strict=True))
        return cls(((down - 1) / 2, (across - 1) / 2), (down, across))


@runtime_checkable
class Featured(Protocol):
    """Gives the vectors of patches that it scores by, for methods that combine detectors."""

    #: Whether a layer that the detector has learned made the vectors, as SimpleNet's adapter does.
    #: What combines detectors learns such a layer for the others.
    adapted: bool

    def patch_features(self, image: np.ndarray) -> np.ndarray:
        """Return the (h, w, D) float32 vectors of an (H, W, 3) uint8 picture.

        Raises:
            InputError: a picture that cannot be used, such as one that is too small.
        """

    def patch_places(self, picture: tuple[int, int], grid: tuple[int, int]) -> PatchPlaces:
        """Return where the patches lie.

        Args:
            picture: its height and width.
            grid: height and width of what `patch_features` gives for it.
        """


@runtime_checkable
class Pretrained(Protocol):
    """Its features come from networks with published weights."""

    def pretrained(self) -> list[Metadata]:
        """Return name, file, SHA-256, origin and licence of the weights in use, JSON-able."""


@runtime_checkable
class Remembering(Protocol):
    """Keeps what it has learned as members, each of which knows what it is.

    Attributes:
        settings: of the method, as they are now.
    """

    settings: Any

    def members(self) -> list[dict[str, Any]]:
        """Return, for each class of what was learned from, JSON-able, what there is of it.

        Returns:
            "class", what lay there; "made", how the pictures were made; "members" and their
            "weight"; "hinged", how many decisions on others rested on it, None where unknown;
            "datasets" with the members seen in each. The most members first.
        """

    def crop(self, member: int) -> np.ndarray | None:
        """Return the (side, side, 3) uint8 RGB picture that is kept of a member, if one is."""

    def weigh(self, weights: Mapping[str, float]) -> None:
        """Let members of classes count more or less than others, in place.

        Raises:
            InputError: no class of such a name, or a weight that is none.
        """

    def forget(self, names: Sequence[str]) -> tuple[Self, str]:
        """Return a detector without members of classes, and in a line how exact that is.

        Raises:
            InputError: no class of such a name, or too little would be left.
        """

    def settings_without(self, names: Sequence[str]) -> Any:
        """Return the settings of a fit that learns nothing from classes.

        Raises:
            InputError: no class of such a name.
        """


@runtime_checkable
class Explainable(Protocol):
    """Says why a pixel is anomalous."""

    def explain(self, score: Score, x: int, y: int) -> dict[str, Any] | None:
        """Return, JSON-able, the nominal patch which a pixel (x, y) was compared with.

        Returns:
            "dataset", "image" and "box" [x, y, width, height] of the patch, and its "distance";
            None where it is not known. One that is `Remembering` says as well which "member" it
            is, its "class", how its picture was "made" and which "part" that shows, all of it in
            "words", and the box of the "patch" that was compared with it.
        """
