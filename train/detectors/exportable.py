"""What a detector hands over so that other runtimes can compute its scores.

A detector that is `Exportable` gives one module of torch from pictures to scores, made of the
functions that it scores with itself; `train.runtimes` turns it into a file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from torch import nn

    from train.patch_grid import PatchGrid

#: Outputs that have a meaning of their own; all others are a score's details.
SCORE, MAP = "score", "map"

#: Details by which a patch is explained: row of the nearest member, and the distance to it.
NEAREST, DISTANCES = "nearest", "distances"


@dataclass(frozen=True)
class Graph:
    """What a detector computes, for runtimes that know neither it nor torch.

    Attributes:
        module: maps (B, H, W, 3) uint8 RGB pictures to a tuple of what `outputs` names.
        outputs: "score" (B,) float32 and, of a method with maps, "map" (B, H, W) float32; others
            are (B, h, w) arrays of `Score.detail`.
        smallest: shortest side of a picture in pixels.
        size: height and width of pictures, of a method that takes a single size.
        grid: where the patches of "nearest" and "distances" lie; None without these.
        members: what `explain` says of each row that "nearest" can name; None where it is unknown.
        notes: what the module leaves out or does otherwise, a line each.
    """

    module: nn.Module
    outputs: tuple[str, ...]
    smallest: int
    size: tuple[int, int] | None = None
    grid: PatchGrid | None = None
    members: tuple[dict[str, Any] | None, ...] = ()
    notes: tuple[str, ...] = ()


@runtime_checkable
class Exportable(Protocol):
    """Its scores can be computed by other runtimes."""

    def graph(self) -> Graph:
        """Return what computes the scores; for any size of pictures and batches unless it says so.

        Raises:
            InputError: a setting that cannot be exported; one line that names it.
        """
