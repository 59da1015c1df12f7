"""PaDiM (Defard et al., ICPR Workshops 2021), anomalib's."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import torch
from anomalib.models.image.padim.torch_model import PadimModel
from torch import Tensor

from stainless.dataset import Sample
from stainless.errors import InputError
from train.detectors.anomalib.backbone import STAGES, OnOurFeatures
from train.detectors.anomalib.detector import Limit, Network
from train.detectors.anomalib.memory import Differing
from train.detectors.anomalib.memory_settings import PadimSettings
from train.detectors.anomalib.pictures import Reader
from train.detectors.detector import Metadata


class Padim(OnOurFeatures[PadimSettings], Differing[PadimSettings]):
    """Fits a normal distribution at each place of the grid; pictures of one size only.

    Memory: three times places x features squared x 4 bytes beside the patches; 0.6 GB for pictures
    of 612 x 512 pixels and 100 features.
    """

    NAME = "padim"

    def build(self) -> Network:
        """Build the model on this project's backbone.

        Raises:
            InputError: more features than the stages have.
        """
        known = self.settings
        with self.built():
            try:
                return PadimModel(STAGES, self.layers, n_features=known.features)
            except InputError:
                raise
            except ValueError as error:
                raise InputError(f"--{self.NAME}.features: {error}") from None

    def learn(self, model: Network, samples: Sequence[Sample], read: Reader) -> Metadata:
        """Fit the distributions.

        Raises:
            InputError: fewer than two pictures, or pictures of more than one size.
        """
        shape = read.shape(samples[0])
        for sample in samples:
            found = read.shape(sample)
            if found != shape:
                raise InputError(f"{sample.image}: {self.other_size(found, shape)}")
        if len(samples) < 2:
            raise InputError(f"{self.NAME}: learns from {len(samples)} picture, expected 2 or more")
        limit = Limit(self.settings.minutes)
        model.train()
        for picture in self.pictures(samples, read, limit):
            with torch.no_grad():
                model(picture)
        seen = len(model.memory_bank)
        if seen < 2:
            raise InputError(
                f"--{self.NAME}.minutes: {self.settings.minutes:g}, too short for two pictures"
            )
        model.fit()
        places = model.gaussian.mean.shape[1]
        self.context.report(f"{self.NAME}: {places} distributions from {seen} pictures")
        return {"seen": seen, "shape": list(shape)}

    def load(self, model: Network, state: dict[str, Tensor]) -> None:
        """Put learned tensors back in the order in memory that the inversion leaves them in.

        Products of matrices in another order are rounded otherwise.
        """
        super().load(model, state)
        inverse = model.gaussian.inv_covariance
        model.gaussian.inv_covariance = inverse.mT.contiguous().mT

    def patches(self, model: Network, picture: Tensor) -> Tensor:
        """Return what the distributions are of.

        Raises:
            InputError: a picture of another size.
        """
        self._require_size(picture)
        found: Tensor = model.generate_embedding(model.feature_extractor(picture))
        return found

    def differences(self, model: Network, patches: Tensor) -> Tensor:
        """Return the whitened differences to the means, whose lengths are Mahalanobis distances."""
        columns = patches.flatten(2)[0]
        whitened = torch.einsum("lij,jl->il", self._whitening, columns - model.gaussian.mean)
        return whitened.view(patches.shape)

    @cached_property
    def _whitening(self) -> Tensor:
        """Return the symmetric roots of the inverse covariances, (h * w, D, D).

        numpy's, a place at a time: torch's decompositions of whole batches may hang with several
        threads.
        """
        assert self.model is not None
        found = []
        for inverse in self.model.gaussian.inv_covariance.cpu().numpy():
            values, vectors = np.linalg.eigh((inverse + inverse.T).astype(np.float64) / 2)
            found.append((vectors * np.sqrt(values.clip(min=0))) @ vectors.T)
        return torch.from_numpy(np.array(found, np.float32)).to(self.context.device)

    def anomalies(self, model: Network, picture: Tensor) -> tuple[Tensor | None, float | None]:
        """Return anomalib's map; its value is the largest of it.

        Raises:
            InputError: a picture of another size.
        """
        self._require_size(picture)
        return model(picture).anomaly_map, None

    def _require_size(self, picture: Tensor) -> None:
        """Refuse a picture of another size than those that were learned from."""
        shape = tuple(self.learned["shape"])
        if tuple(picture.shape[-2:]) != shape:
            raise InputError(f"picture {self.other_size(tuple(picture.shape[-2:]), shape)}")

    def other_size(self, found: tuple[int, ...], shape: tuple[int, ...]) -> str:
        """Return what is wrong with a picture of another height and width than the first of all."""
        resized = "" if self.settings.side is None else " as it is resized"
        return (
            f"is {found[1]}x{found[0]} pixels{resized}, expected {shape[1]}x{shape[0]}: PaDiM "
            "needs pictures of one size"
        )
