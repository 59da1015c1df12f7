"""Sequential PatchCore as a detector: extractor and coreset together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, Self

import numpy as np
from torch import Tensor

from stainless.errors import InputError
from train.anomaly_map import anomaly_map
from train.detectors.covering import Radius
from train.detectors.detector import Arrays, Context, Metadata, PatchPlaces, Score, Trainset
from train.detectors.exportable import DISTANCES, MAP, NEAREST, SCORE, Graph
from train.detectors.request import describe
from train.detectors.sequential_patchcore.coreset import Coreset
from train.detectors.sequential_patchcore.crops import decoded
from train.detectors.sequential_patchcore.epoch import Epoch
from train.detectors.sequential_patchcore.fitting import extract, run_epoch
from train.detectors.sequential_patchcore.forgetting import forget
from train.detectors.sequential_patchcore.graph import PicturesToScores
from train.detectors.sequential_patchcore.listing import described, listed
from train.detectors.sequential_patchcore.melding import meld
from train.detectors.sequential_patchcore.reach import reach
from train.detectors.sequential_patchcore.scoring.patches import PatchScores
from train.detectors.sequential_patchcore.scoring.picture import picture_value
from train.detectors.sequential_patchcore.settings import Settings
from train.detectors.sequential_patchcore.stripping import stripped
from train.detectors.sequential_patchcore.weighing import WeighedMembers, checked
from train.features import FeatureExtractor
from train.patch_grid import GRID_WIDTH, PatchGrid


class SequentialPatchcore:
    """Scores pictures by the distance of their patches to a coreset of nominal ones.

    Args:
        settings: of the features and the coreset.
        context: of the fit.
        coreset: what was learned before; None for nothing.
        extractor: of the features, where there is one already.

    Raises:
        InputError: settings out of their range, missing weights, or a coreset of other features.
    """

    continues = True
    adapted = False

    def __init__(
        self,
        settings: Settings,
        context: Context,
        coreset: Coreset | None = None,
        extractor: FeatureExtractor | None = None,
    ) -> None:
        self.settings = settings
        self.context = context
        if extractor is not None:
            self.__dict__["extractor"] = extractor
        if coreset is None:
            coreset = Coreset(
                settings.size,
                dimension=self.extractor.dimension,
                identity=self.extractor.identity(),
                device=context.device,
            )
        elif context.scores:
            self._require(coreset)
        self.coreset = coreset
        self._weighed: WeighedMembers | None = None

    def _require(self, coreset: Coreset) -> None:
        """Refuse a coreset of other features than the extractor's."""
        found, weights = self.extractor.identity(), coreset.identity.get("weights")
        if weights != found["weights"] and coreset.identity == {**found, "weights": weights}:
            raise InputError(
                f"was fitted with other weights of {self.settings.backbone}; "
                "give them with --weights"
            )
        coreset.require(found, "the feature extractor")

    @cached_property
    def extractor(self) -> FeatureExtractor:
        """Where the features come from."""
        context = self.context
        return FeatureExtractor.of(
            self.settings, context.weights, context.device, context.accelerator
        )

    @cached_property
    def patch_scores(self) -> PatchScores | None:
        """How patches are scored by the members of now; None for plain distances."""
        return PatchScores.of(self.settings, self.coreset.members)

    def fit(self, trainsets: Sequence[Trainset]) -> None:
        """Show the pictures to the coreset, epoch after epoch, until a pass changes nothing.

        Saved after every epoch. A coreset that has epochs of this very fit behind it continues
        after them and ends with the same members.

        Raises:
            InputError: untrained features, or a picture that cannot be used.
        """
        if self.extractor.untrained:
            raise InputError("random weights only serve to measure speed; a fit needs trained ones")
        self.__dict__.pop("patch_scores", None)
        self._weighed = None
        request = describe(trainsets, self.context)
        done = epochs_done(self.coreset, request)
        if done is None:
            self.coreset.history.append({"event": "fit", "request": request})
            done = []
        settled = bool(done) and done[-1]["added"] == 0 and done[-1]["replacements"] == 0
        for number in range(len(done), 0 if settled else self.settings.epochs):
            run_epoch(
                self.extractor,
                self.coreset,
                trainsets,
                self.context,
                number,
                self.settings.crop_px,
                self.settings.without,
            )
            epoch = self.coreset.end_epoch()
            self.context.save()
            self.context.report(self._line(epoch))
            if epoch.converged:
                break
        if len(self.coreset) < self.coreset.size:
            self.context.warn(
                f"the coreset has {len(self.coreset)} members, fewer than its size of "
                f"{self.coreset.size}: these pictures hold no more patches that differ"
            )

    def score(self, images: Sequence[np.ndarray]) -> list[Score]:
        """Score (H, W, 3) uint8 RGB pictures of any size.

        Returns:
            The value that `top_share` asks for; the map of the patches' scores; in the detail
            "distances", (h, w) float32 of each patch to its nearest member, and "nearest", (h, w)
            int64 row of that member in the coreset.

        Raises:
            InputError: a picture is too small.
        """
        return [
            self.score_features(extract(self.extractor, image), *image.shape[:2])
            for image in images
        ]

    def score_features(self, features: Tensor, height: int, width: int) -> Score:
        """Score the (h, w, D) features of a picture of `height` by `width` pixels."""
        rows, columns, dimension = features.shape
        distances, members = self._nearest(features.view(-1, dimension))
        scores = distances
        if self.patch_scores is not None:
            scores = self.patch_scores(features.view(-1, dimension), distances, members)
        grid = scores.view(rows, columns)
        pixels = anomaly_map(grid, height, width, self.extractor.first_centre, self.extractor.pitch)
        found = pixels.cpu().numpy()
        nearest = members.view(rows, columns).cpu().numpy()
        detail = {"distances": distances.view(rows, columns).cpu().numpy(), "nearest": nearest}
        return Score(picture_value(found, self.settings.top_share), found, detail)

    def patch_features(self, image: np.ndarray) -> np.ndarray:
        """Return the (h, w, D) float32 absolute differences of patches to their nearest members.

        Raises:
            InputError: the picture is too small.
        """
        features = extract(self.extractor, image)
        patches = features.view(-1, features.shape[2])
        _, members = self._nearest(patches)
        found: np.ndarray = (patches - self.coreset.members[members]).abs().cpu().numpy()
        return found.reshape(features.shape)

    def patch_places(self, picture: tuple[int, int], grid: tuple[int, int]) -> PatchPlaces:
        """Return where the patches of a picture lie."""
        del picture, grid
        first, pitch = self.extractor.first_centre, float(self.extractor.pitch)
        return PatchPlaces((first, first), (pitch, pitch))

    def pretrained(self) -> list[Metadata]:
        """Return the weights of the features."""
        return self.extractor.pretrained()

    def state(self) -> tuple[Arrays, Metadata]:
        """Return the coreset."""
        return self.coreset.state()

    @classmethod
    def from_state(
        cls, settings: Settings, arrays: Arrays, metadata: Metadata, context: Context
    ) -> Self:
        """Return the detector of a coreset.

        Raises:
            InputError: the settings are of another coreset, or the weights are other ones.
        """
        try:
            coreset = Coreset.from_state(arrays, metadata, device=context.device)
        except (KeyError, IndexError) as missing:
            raise InputError(f"the coreset is incomplete: {missing}") from None
        if settings.size != coreset.size:
            raise InputError(
                f"has {coreset.size} members, not {settings.size}; meld changes the size"
            )
        wanted = settings.promised(coreset.identity)
        coreset.require({**coreset.identity, **wanted}, "settings")
        return cls(settings, context, coreset)

    def differs(self, other: SequentialPatchcore) -> str | None:
        """Return why another coreset holds points of another space, None if it does not."""
        try:
            other.coreset.require(self.coreset.identity, "melding")
        except InputError as error:
            return str(error).removeprefix("melding: ")
        if self.coreset.notes.weights != other.coreset.notes.weights:
            return "it weighs members differently"
        return None

    def meld(self, others: Sequence[SequentialPatchcore], settings: Settings) -> Self:
        """Return a detector whose coreset is chosen from the members of all.

        Raises:
            InputError: a coreset of other features.
        """
        melded = meld(
            [self.coreset, *(other.coreset for other in others)],
            settings.size,
            on_epoch=lambda epoch: self.context.report(str(epoch)),
        )
        return type(self)(settings, self.context, melded, self.__dict__.get("extractor"))

    def _nearest(self, patches: Tensor) -> tuple[Tensor, Tensor]:
        """Return the distance of (N, D) patches to what is nearest of the members, and its row."""
        if not self.coreset.notes.weights:
            return self.coreset.nearest(patches)
        if self._weighed is None:
            self._weighed = WeighedMembers(self.coreset)
        return self._weighed.nearest(patches.to(self.coreset.device))

    def explain(self, score: Score, x: int, y: int) -> dict[str, Any] | None:
        """Return the nominal patch that is nearest to the patch at a pixel, and what it is."""
        nearest = score.detail["nearest"]
        rows, columns = nearest.shape
        grid = self.extractor.grid
        row, column = grid.cell(y, rows), grid.cell(x, columns)
        member = int(nearest[row, column])
        origin = self.coreset.origin(member)
        if origin is None:
            return None
        found = self.coreset.notes.class_at(member)
        return {
            "dataset": origin.dataset,
            "image": origin.image,
            "box": list(grid.box(*divmod(origin.position, GRID_WIDTH))),
            "distance": float(score.detail["distances"][row, column]),
            "patch": list(grid.box(row, column)),
            "member": member,
            "class": found.name,
            "made": found.made,
            "part": origin.part,
            "words": described(found, origin),
        }

    def crop(self, member: int) -> np.ndarray | None:
        """Return the (side, side, 3) uint8 RGB picture that is kept of a member, if one is."""
        return decoded(self.coreset.notes.crops[member])

    def members(self) -> list[dict[str, Any]]:
        """Return, for each class of members, what there is of it."""
        return listed(self.coreset)

    def weigh(self, weights: Mapping[str, float]) -> None:
        """Let members count more or less than others, in place; a weight of 1 ends that.

        Raises:
            InputError: nobody answers to a name, or a weight is negative or not finite.
        """
        if self.patch_scores is not None:
            raise InputError("--weigh: expected a model that scores by the nearest member alone")
        notes = self.coreset.notes
        weighed = checked(notes, {**notes.weights, **weights})
        before, notes.weights = notes.weights, weighed
        try:
            self._weighed = WeighedMembers(self.coreset) if weighed else None
        except InputError:
            notes.weights = before
            raise

    def forget(self, names: Sequence[str]) -> tuple[Self, str]:
        """Return a detector without the members of some classes, and how exact that is, in a line.

        Raises:
            InputError: nobody answers to a name, or fewer than two members would be left.
        """
        coreset, done = forget(self.coreset, names)
        settings = replace(self.settings, size=coreset.size)
        known = self.__dict__.get("extractor")
        return type(self)(settings, self.context, coreset, known), str(done)

    def settings_without(self, names: Sequence[str]) -> Settings:
        """Return the settings of a fit that never sees patches of some classes.

        Raises:
            InputError: nobody answers to a name.
        """
        for name in names:
            self.coreset.notes.require_class(name, "--class")
        return replace(self.settings, without=tuple(sorted({*self.settings.without, *names})))

    def stripped(self) -> Self:
        """Return a detector of the same members that does not know where they were seen.

        Raises:
            InputError: members are weighed by their classes.
        """
        settings = replace(self.settings, without=())
        known = self.__dict__.get("extractor")
        return type(self)(settings, self.context, stripped(self.coreset), known)

    @property
    def patch_grid(self) -> PatchGrid:
        """Where patches lie."""
        return self.extractor.grid

    def radius(self) -> Radius:
        """Return how far the members reach; raises an InputError below two members."""
        return reach(self.coreset)

    def member_distances(self, image: np.ndarray) -> np.ndarray:
        """Return the (h, w) float32 distances of patches to their nearest members, not weighed.

        Raises:
            InputError: the picture is too small.
        """
        features = extract(self.extractor, image)
        rows, columns, dimension = features.shape
        distances, _ = self.coreset.nearest(features.view(-1, dimension))
        return distances.view(rows, columns).cpu().numpy()

    def graph(self) -> Graph:
        """Return what computes the scores, for other runtimes.

        Raises:
            InputError: members are weighed, which is not in the module.
        """
        if self.coreset.notes.weights:
            raise InputError("members are weighed by their class, which cannot be exported")
        module = PicturesToScores(
            self.extractor, self.coreset.members, self.patch_scores, self.settings.top_share
        )
        patch = {DISTANCES: np.zeros((1, 1), np.float32)}
        members = [
            self.explain(Score(0.0, None, {**patch, NEAREST: np.array([[row]])}), 0, 0)
            for row in range(len(self.coreset))
        ]
        return Graph(
            module.eval().requires_grad_(False),
            (SCORE, MAP, DISTANCES, NEAREST),
            self.extractor.smallest_image,
            grid=self.extractor.grid,
            members=tuple(members),
        )

    def _line(self, epoch: Epoch) -> str:
        if self.context.augmentation is None:
            return str(epoch)
        line = str(epoch).partition("; certified")[0]
        return line + "; no certificate, since every epoch sees other pictures"


def epochs_done(coreset: Coreset, request: Metadata) -> list[Metadata] | None:
    """Return the epochs of this very fit that a coreset has behind it, None if it is new to it."""
    history = coreset.history
    starts = [number for number, event in enumerate(history) if event["event"] == "fit"]
    if not starts or history[starts[-1]]["request"] != request:
        return None
    if any(event["event"] == "forget" for event in history[starts[-1] :]):
        return None
    return [event for event in history[starts[-1] :] if event["event"] == "epoch"]
