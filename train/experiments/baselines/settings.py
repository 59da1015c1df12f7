"""Which baselines there are, and what can be set about them."""

from __future__ import annotations

from dataclasses import dataclass, fields

from stainless.errors import InputError

BASELINES = {
    "patchcore": "anomalib PatchCore",
    "padim": "anomalib PaDiM",
    "supersimplenet": "anomalib SuperSimpleNet",
}

BACKBONE = "efficientnet_lite0"

#: Where no other number is set, PatchCore learns from every so manieth picture: its selection
#: takes a pass over all patches for each of its members.
PATCHCORE_EVERY = 8


@dataclass(frozen=True)
class BaselineSettings:
    """What a baseline learns from and for how long.

    Attributes:
        every: learn from every Nth nominal picture; None for what two processor cores can do:
            every 8th for PatchCore, all for the others.
        size: PatchCore's members; all patches where there are fewer.
        padim_features: PaDiM's randomly chosen dimensions, of the 152 that the stages have; 100
            are the paper's for its smallest backbone.
        steps: of SuperSimpleNet's optimiser.
        batch: windows of different pictures in a step.
        window: side of a window in pixels; a smaller picture is taken whole.
        noise: standard deviation of SuperSimpleNet's artificial anomalies, in that of the features.

    Raises:
        InputError: a number out of its range.
    """

    every: int | None = None
    size: int = 2048
    padim_features: int = 100
    steps: int = 400
    batch: int = 8
    window: int = 128
    noise: float = 0.5

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None and not value > 0:
                raise InputError(f"baseline setting {field.name} is {value}, expected above 0")

    def every_of(self, name: str) -> int:
        """Return N where that baseline learns from every Nth picture."""
        if self.every is not None:
            return self.every
        return PATCHCORE_EVERY if name == "patchcore" else 1

    def note_on(self, name: str) -> str | None:
        """Return what must be known to compare a baseline's figures; None for nothing."""
        every = self.every_of(name)
        notes = [f"learns from one in {every} nominal pictures"] if every > 1 else []
        if name == "supersimplenet":
            notes.append(f"{self.steps} steps on windows of {self.window} pixels, not converged")
        return "; ".join(notes) or None
