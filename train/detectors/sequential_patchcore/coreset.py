"""The sequential coreset: at most M nominal patches that stand for all patches ever shown.

Source: arXiv 2501.09579, section IV. The first M patches are the first members. Afterwards the
distance of each patch to its nearest member is compared with d_m, the distance of the two closest
members; if it is larger, the patch replaces one of these two. Several epochs over the same patches
converge: d_m never decreases, and an epoch without replacement proves that no patch of it lies
farther than d_m from the coreset.

What the paper leaves open is settled so that the result is a function of the stream alone:

* Distances are Euclidean, compared by their squares in float64.
* The newer member of the closest pair leaves; of equally close pairs, the one whose newer member
  is oldest counts.
* An equal of a member never enters. By the paper's letter copies enter among the first M patches
  and are then the first to leave (d_m = 0) for any patch that is new; the members are the same.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from stainless.errors import InputError
from train.detectors.sequential_patchcore import coreset_file
from train.detectors.sequential_patchcore.closest_pair import ClosestPair
from train.detectors.sequential_patchcore.crops import Crop
from train.detectors.sequential_patchcore.distances import equal_key
from train.detectors.sequential_patchcore.epoch import Epoch
from train.detectors.sequential_patchcore.notes import Notes
from train.detectors.sequential_patchcore.provenance import Origin, Sources
from train.detectors.sequential_patchcore.replacement import Replacement
from train.detectors.sequential_patchcore.screen import LARGEST, Screen
from train.detectors.sequential_patchcore.settings import EPOCHS, SIZE

#: The arguments of `Coreset.update`: features of one batch, (N, D), and what is known of them.
Batch = tuple[Any, ...]


class Coreset:
    """At most `size` patch features, chosen one after the other from a stream.

    Args:
        size: M, number of members, at least 2.
        dimension: D, length of a feature; None takes it from the first patches.
        identity: JSON-able description of the feature space (backbone, stages, ...). Coresets of
            different identity hold points of different spaces and refuse each other.
        device: where the matrix products are computed.

    Attributes:
        notes: what is known of the members beside their features.
        history: passes and fits, JSON-able.

    Raises:
        InputError: a size below 2.
    """

    def __init__(
        self,
        size: int = SIZE,
        *,
        dimension: int | None = None,
        identity: Mapping[str, Any],
        device: str | torch.device = "cpu",
    ) -> None:
        if size < 2:
            raise InputError(f"coreset size {size}: expected at least 2 members")
        self.size = size
        self.dimension = dimension
        self.identity: dict[str, Any] = json.loads(json.dumps(identity))
        self.device = torch.device(device)
        self.notes = Notes(size)
        self.history: list[dict[str, Any]] = []
        self._count = 0
        self._points = np.empty((0, 0), np.float32)
        self._order = np.arange(size)
        self._equals: dict[bytes, int] = {}
        self._rule: Replacement | None = None
        self._scorer: Screen | None = None
        self._shown = self._added = self._replaced = 0

    def __len__(self) -> int:
        """Return the number of members; smaller than `size` if there were too few patches."""
        return self._count

    @property
    def members(self) -> Tensor:
        """Return a copy of the members, (len, D) float32 on `device`."""
        return torch.from_numpy(self._points[: self._count].copy()).to(self.device)

    @property
    def sources(self) -> Sources:
        """Return the names behind `provenance`."""
        return self.notes.sources

    @property
    def provenance(self) -> np.ndarray:
        """Return (len, 3) int32: source, image and patch position of each member; -1 = unknown."""
        return self.notes.origin[: self._count].copy()

    @property
    def separation(self) -> float:
        """Return d_m, the smallest distance between members; infinite below two members."""
        if self._rule is not None:
            return math.sqrt(self._rule.pair.squared)
        if self._count < 2:
            return math.inf
        points = self._points[: self._count]
        centred = points - points.mean(axis=0, dtype=np.float64)
        return math.sqrt(ClosestPair(points, centred, self._order[: self._count]).squared)

    def origin(self, member: int) -> Origin | None:
        """Return where a member was seen, or None if it was shown without provenance."""
        return self.sources.origin(self.notes.origin[member])

    def require(self, identity: Mapping[str, Any], where: str) -> None:
        """Refuse a stranger.

        Args:
            identity: of the features or coreset that is to be used with this one.
            where: how to name it in the message.

        Raises:
            InputError: the identities differ; names the first key that does.
        """
        other = json.loads(json.dumps(identity))
        for key in sorted(self.identity.keys() | other.keys()):
            mine, theirs = self.identity.get(key), other.get(key)
            if mine != theirs:
                raise InputError(
                    f"{where}: {key} is {json.dumps(theirs)}, the coreset has {json.dumps(mine)}"
                )

    @torch.inference_mode(False)
    @torch.no_grad()
    def update(
        self,
        features: Tensor,
        provenance: ArrayLike | None = None,
        classes: np.ndarray | None = None,
        crops: Sequence[Crop] | None = None,
    ) -> int:
        """Show patches to the coreset, in order.

        How a stream is cut into calls has no effect on the result.

        Args:
            features: (N, D) float32, on any device.
            provenance: (N, 3) int32: source (from `sources.add`), image and patch position of each
                patch; None where unknown.
            classes: (N,) number of each patch's class in `notes.classes`; None where unknown.
            crops: picture of each patch; None for none.

        Returns:
            Number of replacements; filling an empty place is none.

        Raises:
            InputError: values that are not finite or beyond 1e15, or features of another length.
        """
        patches = self._checked(features)
        host = patches.cpu().numpy()
        origin = None if provenance is None else np.asarray(provenance, np.int32)
        if origin is not None and origin.shape != (len(host), 3):
            raise ValueError(f"provenance of shape {origin.shape} for {len(host)} patches")
        kinds = np.zeros(len(host), np.int16) if classes is None else classes
        self._shown += len(host)
        self._scorer = None
        self.notes.begin()
        done = self._fill(host, origin, kinds, crops) if self._rule is None else 0
        if self._rule is None:
            return 0
        entries = self._rule.offer(patches[done:], host[done:], kinds[done:])
        for position, slot in entries:
            self.notes.enter(slot, done + position, origin, kinds, crops)
        self._replaced += len(entries)
        return len(entries)

    def start_epoch(self) -> None:
        """Begin a pass over a stream: count from zero."""
        self._shown = self._added = self._replaced = 0
        if self._rule is not None:
            self._rule.farthest = 0.0

    def end_epoch(self) -> Epoch:
        """Finish a pass and return its record, which is also appended to `history`."""
        farthest = self._rule.farthest if self._rule is not None else 0.0
        epoch = Epoch(
            number=1 + sum(entry["event"] == "epoch" for entry in self.history),
            patches=self._shown,
            members=self._count,
            added=self._added,
            replacements=self._replaced,
            separation=self.separation,
            farthest=math.sqrt(farthest),
        )
        self.history.append({"event": "epoch", **asdict(epoch)})
        return epoch

    def fit(
        self,
        stream: Callable[[], Iterable[Batch]],
        epochs: int = EPOCHS,
        *,
        early_stop: bool = True,
        on_epoch: Callable[[Epoch], None] | None = None,
    ) -> list[Epoch]:
        """Show the same stream several times.

        Args:
            stream: called once per epoch; yields the arguments of `update`.
            epochs: largest number of passes.
            early_stop: stop after a pass without change.
            on_epoch: called after each pass.

        Returns:
            The records of the passes.

        Raises:
            InputError: the stream is empty, or as for `update`.
        """
        records: list[Epoch] = []
        for _ in range(epochs):
            self.start_epoch()
            for batch in stream():
                self.update(*batch)
            if not self._shown:
                raise InputError("no patches to fit a coreset to")
            records.append(self.end_epoch())
            if on_epoch is not None:
                on_epoch(records[-1])
            if early_stop and records[-1].converged:
                break
        return records

    @torch.inference_mode(False)
    @torch.no_grad()
    def nearest(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return the distance of patches to their nearest members, and which these are.

        Args:
            features: (N, D) float32, on any device.

        Returns:
            (N,) float32 Euclidean distances and (N,) int64 rows of `members`, on `device`.

        Raises:
            InputError: an empty coreset, or as for `update`.
        """
        if not self._count:
            raise InputError("the coreset is empty")
        patches = self._checked(features)
        screen = self._ready()
        _, slots, _ = screen.nearest(patches)
        return screen.distances(patches, slots), slots

    def save(self, path: Path) -> None:
        """Write the coreset to a file, about a megabyte at 2048 members of 152 numbers.

        Raises:
            OSError: the file cannot be written.
        """
        coreset_file.write(path, *self.state())

    @classmethod
    def load(cls, path: Path, *, device: str | torch.device = "cpu") -> Coreset:
        """Read a coreset; it continues exactly as if it had never been saved.

        Raises:
            InputError: not a coreset file, truncated or altered.
            OSError: the file cannot be read.
        """
        return cls.from_state(*coreset_file.read(path), device=device)

    def state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Return all that the coreset is: arrays, and what JSON can hold."""
        count = self._count
        arrays, notes = self.notes.state(count)
        return (
            {"members": self._points[:count], "order": self._order[:count], **arrays},
            {
                "size": self.size,
                "dimension": self.dimension,
                "identity": self.identity,
                "history": self.history,
                **notes,
            },
        )

    @classmethod
    def from_state(
        cls,
        arrays: Mapping[str, np.ndarray],
        state: Mapping[str, Any],
        *,
        device: str | torch.device = "cpu",
    ) -> Coreset:
        """Return the coreset that `state` describes."""
        chosen = {key: state[key] for key in ("size", "dimension", "identity")}
        coreset = cls(**chosen, device=device)
        coreset.history = list(state["history"])
        coreset.notes = Notes.from_state(coreset.size, arrays, state)
        coreset._restore(arrays["members"], arrays["order"])
        return coreset

    @torch.inference_mode(False)
    def _restore(self, members: np.ndarray, order: np.ndarray) -> None:
        """Take over members, of which only the order of the serial numbers matters."""
        self._count = count = len(members)
        if not count:
            return
        self._points = np.empty((self.size, members.shape[1]), np.float32)
        self._points[:count] = members
        self._order[:count] = order.argsort().argsort()
        if count == self.size:
            self._rule = self._full_rule()
        else:
            self._equals = {equal_key(row): slot for slot, row in enumerate(members)}

    def _full_rule(self) -> Replacement:
        notes = self.notes
        return Replacement(self._points, self._order, self.device, notes.class_of, notes.decisions)

    def _checked(self, features: Tensor) -> Tensor:
        """Return features as (N, D) float32 on the device, or say what is wrong with them."""
        patches = features.detach().to(self.device, torch.float32).contiguous()
        if patches.ndim != 2:
            raise ValueError(f"features of shape {tuple(features.shape)}: expected (N, D)")
        if self.dimension is None and len(patches):
            self.dimension = patches.shape[1]
        if self.dimension not in (None, patches.shape[1]):
            raise InputError(
                f"features of length {patches.shape[1]}, the coreset has {self.dimension}"
            )
        if patches.numel():
            low, high = patches.aminmax()
            if not (low >= -LARGEST and high <= LARGEST):
                raise InputError(f"features with NaN, infinity or values beyond {LARGEST:g}")
        return patches

    def _fill(
        self,
        host: np.ndarray,
        origin: np.ndarray | None,
        classes: np.ndarray,
        crops: Sequence[Crop] | None,
    ) -> int:
        """Give the first patches the empty places; return how many patches were looked at."""
        if not len(self._points) and len(host):
            self._points = np.empty((self.size, host.shape[1]), np.float32)
        for position, patch in enumerate(host):
            key = equal_key(patch)
            if (equal := self._equals.setdefault(key, self._count)) != self._count:
                pair = int(classes[position]), int(self.notes.class_of[equal])
                self.notes.decisions.turned_away[pair] += 1
                continue
            self._points[self._count] = patch
            self.notes.enter(self._count, position, origin, classes, crops)
            self._count += 1
            self._added += 1
            if self._count == self.size:
                self._equals.clear()
                self._rule = self._full_rule()
                return position + 1
        return len(host)

    def _ready(self) -> Screen:
        """Return the members, full or not, ready for matrix products."""
        if self._rule is not None:
            return self._rule.screen
        if self._scorer is None:
            points = self._points[: self._count]
            centre = points.mean(axis=0, dtype=np.float64).astype(np.float32)
            self._scorer = Screen(self._count, centre, self.device)
            self._scorer.write(range(self._count), points - centre.astype(np.float64))
        return self._scorer
