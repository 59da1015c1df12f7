"""Models that can be handed on without what they say of the pictures that they learned from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, Self, runtime_checkable

from stainless.errors import InputError
from train.detectors.detector import Metadata

if TYPE_CHECKING:
    from train.detectors.model_file import Model

#: In the metadata of a model: it does not say what it was fitted to, nor do models made of it.
STRIPPED = "stripped"

#: Of a threshold or a calibration: to what it was fitted. A fingerprint is a hash of a picture's
#: name, and names are guessed easily.
FITTED_TO = ("dataset", "split", "images", "fingerprints")

#: What is said in the place of a name.
UNKNOWN = "unknown"


@runtime_checkable
class Strippable(Protocol):
    """Knows what of its state tells where it was learned, and does without."""

    def stripped(self) -> Self:
        """Return a detector with the same scores, without names and pictures of what was learned.

        Raises:
            InputError: its scores depend on such a name.
        """


def strip(model: Model) -> Model:
    """Return a model with the same scores, thresholds and calibration, without provenance.

    What goes: names of pictures, datasets, parts and classes, hashes of such names, pictures of
    members, the requests of fits. What stays: what scores, how well it was learned, the weights
    that its features need, and the depth of its pictures.

    Raises:
        InputError: a method that does not say what it keeps, or as `Strippable.stripped`.
    """
    from train.detectors.model_file import Model

    if not isinstance(model.detector, Strippable):
        raise InputError(
            f"a model of {model.method} does not tell what it keeps of its pictures, "
            "expected one of a method with a coreset"
        )
    detector = model.detector.stripped()
    kept: Metadata = {STRIPPED: True}
    if "depth" in model.metadata:
        kept["depth"] = model.metadata["depth"]
    if "weights" in model.metadata:
        # The hash says which weights they are; a file of the user's own may have any name.
        kept["weights"] = [{**entry, "file": UNKNOWN} for entry in model.metadata["weights"]]
    return Model(
        model.method,
        getattr(detector, "settings", model.settings),
        detector,
        kept,
        {kind: _nameless(entry) for kind, entry in model.thresholds.items()},
        _nameless(model.calibration),
    )


def _nameless(entry: Metadata) -> Metadata:
    return {key: value for key, value in entry.items() if key not in FITTED_TO}
