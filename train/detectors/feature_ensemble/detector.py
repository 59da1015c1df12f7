"""An ensemble of features: detectors cut off where they have features, one discriminator on these.

Source: Saghir, "Ensemble Methods for Visual Anomaly Detection in Manufacturing Settings", 2024,
sections 2.5 and 4.3. The README has what is published, what is chosen, and why.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from stainless.errors import InputError
from train.anomaly_map import anomaly_map
from train.detectors.detector import Arrays, Context, Featured, Metadata, Score, Trainset, method
from train.detectors.discriminator import SHARE_OF_SPREAD, has_learned_nothing
from train.detectors.feature_ensemble.blocks import Account, Block, individual, joint
from train.detectors.feature_ensemble.head import Head
from train.detectors.feature_ensemble.nominal import NominalFeatures, features_of
from train.detectors.feature_ensemble.settings import Settings
from train.detectors.feature_ensemble.transformation import Placed, Transformation, largest
from train.detectors.members import Candidate, Member, gather, packed, pretrained, unpacked
from train.detectors.request import describe
from train.seeding import seeded
from train.training.loop import Update, train

NAME = "feature_ensemble"


class FeatureEnsemble:
    """Scores pictures by how a discriminator likes the joined features of several detectors.

    Args:
        settings: of the members, the maps and the discriminator.
        context: of the fit.

    Raises:
        InputError: settings out of their range.
    """

    def __init__(self, settings: Settings, context: Context) -> None:
        settings.validate(NAME)
        self.settings, self.context = settings, context
        self.members: list[Member] = []
        self.head: Head | None = None
        self.noise = settings.noise
        self.learned: Metadata = {}
        self.accounts: list[Metadata] = []

    def fit(self, trainsets: Sequence[Trainset]) -> None:
        """Fit the members that are not there yet, the transformation block and the discriminator.

        Raises:
            InputError: a member that cannot be combined, or a picture that cannot be used.
        """
        self.members = gather(
            self.settings.members, trainsets, self.context, NAME, _require_features
        )
        detectors = [member.model.detector for member in self.members]
        pictures = NominalFeatures(trainsets, detectors, self.settings.cache_mb, self.context)
        if not len(pictures):
            raise InputError(f"{NAME}: no nominal picture to learn from")
        block = self._block(pictures)
        self._tell(block)
        self.noise = noise = self._noise(block)
        with seeded(self.context.seed):
            head = Head(block.transformation, self.settings.hidden)
        self.head = head.to(self.context.device).train()
        origins = [member.origin for member in self.members]
        try:
            result = train(
                _Learning(head, pictures, self.settings, noise),
                len(pictures),
                self.settings,
                self.context.seed,
                identity={**describe(trainsets, self.context), "members": origins},
                folder=self.context.checkpoint,
                log=self.context.log,
                report=self.context.report,
                title=NAME,
            )
        finally:
            head.eval()
        self.learned = result.metadata()
        loss = self.learned["last"].get("loss", 0.0)
        if has_learned_nothing(loss, self.settings.margin):
            self.context.warn(
                f"the discriminator tells nothing apart, its loss is {loss:.2f}: more steps are "
                f"needed (--{NAME}.steps), or another --{NAME}.noise than {noise:.3g}"
            )
        self.context.save()

    def _block(self, pictures: NominalFeatures) -> Block:
        chosen = self.settings
        projected = [not member.model.detector.adapted for member in self.members]  # type: ignore[attr-defined]
        if chosen.block == "global":
            return joint(pictures.each(), projected, chosen.maps, NAME)
        return individual(pictures.each(), projected, chosen.maps, chosen.balance, NAME)

    def _tell(self, block: Block) -> None:
        """Report what became of the members' features."""
        self.accounts = [
            {"member": member.name, **account.entry()}
            for member, account in zip(self.members, block.accounts, strict=True)
        ]
        for member, account in zip(self.members, block.accounts, strict=True):
            self.context.report(f"{NAME}: {member.name}: {self._line(account)}")

    def _line(self, account: Account) -> str:
        weight = f"{account.weight:.1%} of the kept variance is its own"
        if self.settings.block == "global":
            return f"{account.width} features into {account.maps} common maps; {weight}"
        return (
            f"{account.maps} maps of {account.width} features, {account.explained:.1%} of their "
            f"variance; {weight}"
        )

    def _noise(self, block: Block) -> float:
        """Return the noise of the settings, or what goes with the maps."""
        if self.settings.noise is not None:
            return self.settings.noise
        if block.spread == 0:
            raise InputError(f"{NAME}.noise: null, expected a number: all features are the same")
        return SHARE_OF_SPREAD * block.spread

    def score(self, images: Sequence[np.ndarray]) -> list[Score]:
        """Score (H, W, 3) uint8 RGB pictures.

        Returns:
            The most anomalous patch as value, and the patches' scores upsampled and blurred.

        Raises:
            InputError: a picture that a member cannot use, or nothing has been learned.
        """
        if self.head is None:
            raise InputError(f"{NAME}: has learned nothing yet")
        return [self._score(self.head, image) for image in images]

    def _score(self, head: Head, image: np.ndarray) -> Score:
        detectors = [member.model.detector for member in self.members]
        found = features_of(detectors, image, self.context.device)
        scores = head.score(found)
        return Score(float(scores.max()), self._map(scores, found, image.shape[:2]))

    def _map(self, scores: Tensor, found: Sequence[Placed], size: tuple[int, ...]) -> np.ndarray:
        places, blur = largest(found).places, self.settings.blur_px
        pixels: np.ndarray = (
            anomaly_map(
                scores,
                size[0],
                size[1],
                places.first,
                places.pitch,
                sigma_px=blur or 1.0,
                kernel_px=2 * round(4 * blur) + 1,
            )
            .cpu()
            .numpy()
        )
        return pixels

    def pretrained(self) -> list[Metadata]:
        """Return the published weights that the members need."""
        return pretrained(self.members)

    def state(self) -> tuple[Arrays, Metadata]:
        """Return the members with all that they have learned, the head, and how it learned.

        Raises:
            InputError: nothing has been learned.
        """
        if self.head is None:
            raise InputError(f"{NAME}: has learned nothing yet")
        arrays, members = packed(self.members)
        for name, tensor in self.head.state_dict().items():
            arrays[f"head.{name}"] = tensor.cpu().numpy()
        return arrays, {
            "members": members,
            "accounts": self.accounts,
            "noise": self.noise,
            "learned": self.learned,
        }

    @classmethod
    def from_state(
        cls, settings: Settings, arrays: Arrays, metadata: Metadata, context: Context
    ) -> Self:
        """Return the detector of a state.

        Raises:
            InputError: it is incomplete, or a member is of other features or weights.
        """
        made = cls(settings, context)
        made.members = unpacked(arrays, metadata.get("members", []), context)
        made.accounts = metadata.get("accounts", [])
        own = {
            name.removeprefix("head."): torch.from_numpy(np.array(array))
            for name, array in arrays.items()
            if name.startswith("head.")
        }
        try:
            made.head = _restored(made, own)
        except (KeyError, RuntimeError):
            raise InputError("the networks are incomplete or of another size") from None
        made.noise = metadata.get("noise", settings.noise)
        made.learned = metadata.get("learned", {})
        return made


def _require_features(candidate: Candidate) -> None:
    """Refuse a member that gives no features of patches."""
    if not hasattr(method(candidate.method).load(), Featured.patch_features.__name__):
        raise InputError(
            f"{NAME}.members: {candidate.word}: {candidate.method} gives no features of patches, "
            "expected a method that does, such as simplenet or patchcore"
        )


def _restored(made: FeatureEnsemble, own: dict[str, Tensor]) -> Head:
    """Return the head with its tensors.

    Raises:
        KeyError, RuntimeError: they are not those of such a head.
    """
    axes = [own[f"transformation.axes_{number}"] for number in range(len(made.members))]
    counts = [each.shape[1] for each in axes]
    projected = [f"transformation.projections.{n}.weight" in own for n in range(len(axes))]
    kept = counts[0] if made.settings.block == "global" else counts
    transformation = Transformation([each.shape[0] for each in axes], projected, kept)
    head = Head(transformation, made.settings.hidden)
    head.load_state_dict(own)
    return head.to(made.context.device).eval()


class _Learning:
    """The task of the training loop."""

    def __init__(
        self, head: Head, pictures: NominalFeatures, settings: Settings, noise: float
    ) -> None:
        self._head, self._pictures, self._noise = head, pictures, noise
        self._settings = settings
        self.modules = {"head": head}
        rates = {
            "projections": (head.transformation.projections, settings.projection_rate),
            "discriminator": (head.discriminator, settings.discriminator_rate),
        }
        self.optimisers: dict[str, torch.optim.Optimizer] = {
            name: torch.optim.Adam(parameters, rate, weight_decay=settings.weight_decay)
            for name, (network, rate) in rates.items()
            if (parameters := list(network.parameters()))
        }

    def step(self, items: Sequence[int], epoch: int, update: Update) -> dict[str, Any]:
        pictures = self._pictures.batch(items, epoch)
        loss, numbers = self._head.loss(
            pictures, self._settings.patches, self._noise, self._settings.margin
        )
        update(loss)
        return {"loss": float(loss.detach()), **numbers}
