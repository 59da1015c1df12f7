"""MH-PatchCore, anomalib's: whitened features in a bounded memory, built in three passes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from anomalib.models.image.mh_patchcore.torch_model import MHPatchcoreModel
from torch import Tensor

from stainless.dataset import Sample
from stainless.errors import InputError
from train.detectors.anomalib.backbone import STAGES, OnOurFeatures
from train.detectors.anomalib.detector import Limit, Network
from train.detectors.anomalib.memory import Remembering
from train.detectors.anomalib.memory_settings import MhPatchcoreSettings
from train.detectors.anomalib.pictures import Reader
from train.detectors.detector import Metadata


class MhPatchcore(OnOurFeatures[MhPatchcoreSettings], Remembering[MhPatchcoreSettings]):
    """PatchCore on whitened principal components, its memory merged and reduced on the way.

    Memory: 4 kB for each patch of the pictures that are taken at once.
    """

    NAME = "mh_patchcore"

    def build(self) -> Network:
        """Build the model on this project's backbone."""
        known = self.settings
        with self.built():
            return MHPatchcoreModel(
                backbone=STAGES,
                layers=self.layers,
                pca_variance_ratio=known.variance,
                covariance_shrinkage=known.shrinkage,
                memory_bank_size=known.members,
                local_coreset_size=known.block,
                num_neighbors=known.neighbours,
            )

    def learn(self, model: Network, samples: Sequence[Sample], read: Reader) -> Metadata:
        """Fit components, whitening and memory, each in a pass over the pictures.

        The limit of time holds for the first pass; the others see the same pictures.
        """
        model.train()
        limit, never = Limit(self.settings.minutes), Limit(None)
        seen = self.passing(model, samples, read, limit, model.pca.update)
        try:
            model.pca.finalize()
        except (RuntimeError, ValueError) as error:
            raise InputError(f"{self.NAME}: {error}") from None
        known = samples[:seen]

        def whiten(patches: Tensor) -> None:
            model.covariance.update(model.pca(patches))

        def remember(patches: Tensor) -> None:
            model.memory_bank.update(model.covariance(model.pca(patches)))

        self.passing(model, known, read, never, whiten)
        model.covariance.finalize()
        self.passing(model, known, read, never, remember)
        model.memory_bank.finalize()
        members, components = len(model.memory_bank.bank), int(model.pca.num_components)
        self.context.report(
            f"{self.NAME}: {members} members of {components} components from {seen} pictures"
        )
        return {"seen": seen, "components": components, "members": members}

    def passing(
        self,
        model: Network,
        samples: Sequence[Sample],
        read: Reader,
        limit: Limit,
        update: Callable[[Tensor], None],
    ) -> int:
        """Give the patches of some pictures at once to `update`; return of how many pictures."""
        held: list[Tensor] = []
        seen = 0
        for picture in self.pictures(samples, read, limit):
            with torch.no_grad():
                held.append(model(picture))
            seen += 1
            if len(held) == self.settings.batch:
                update(torch.cat(held))
                held.clear()
        if held:
            update(torch.cat(held))
        return seen

    def anomalies(self, model: Network, picture: Tensor) -> tuple[Tensor | None, float | None]:
        """Return anomalib's map and its value, weighted by neighbours."""
        found = model(picture)
        return found.anomaly_map, float(found.pred_score)
