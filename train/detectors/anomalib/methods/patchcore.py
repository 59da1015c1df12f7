"""PatchCore (Roth et al., CVPR 2022), anomalib's."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from anomalib.models.components import KCenterGreedy
from anomalib.models.image.patchcore.torch_model import PatchcoreModel
from torch import Tensor
from tqdm import tqdm

from stainless.dataset import Sample
from train.detectors.anomalib.backbone import STAGES, OnOurFeatures
from train.detectors.anomalib.detector import Limit, Network
from train.detectors.anomalib.memory import Differing
from train.detectors.anomalib.memory_settings import PatchcoreSettings
from train.detectors.anomalib.pictures import Reader
from train.detectors.detector import Metadata


class Patchcore(OnOurFeatures[PatchcoreSettings], Differing[PatchcoreSettings]):
    """Scores patches by the distance to a greedily chosen coreset of nominal ones.

    Memory: a third of a gigabyte for a hundred thousand patches.
    """

    NAME = "patchcore"

    def build(self) -> Network:
        """Build the model on this project's backbone."""
        known = self.settings
        with self.built():
            return PatchcoreModel(
                layers=self.layers, backbone=STAGES, num_neighbors=known.neighbours
            )

    def learn(self, model: Network, samples: Sequence[Sample], read: Reader) -> Metadata:
        """Choose members among the patches of all pictures."""
        limit = Limit(self.settings.minutes)
        model.train()
        for picture in self.pictures(samples, read, limit):
            with torch.no_grad():
                model(picture)
        seen = len(model.embedding_store)
        patches = torch.vstack(model.embedding_store)
        model.embedding_store.clear()
        ratio = self.settings.ratio
        if self.settings.members is not None:
            # Half a member more, since anomalib rounds the product of ratio and count down.
            ratio = min(1.0, (self.settings.members + 0.5) / len(patches))
        sampler = KCenterGreedy(embedding=patches, sampling_ratio=max(ratio, 1.5 / len(patches)))
        rows = select(sampler, limit)
        if len(rows) < sampler.coreset_size:
            self.context.report(
                f"{self.NAME}: stopped after {self.settings.minutes:g} minutes with {len(rows)} "
                f"of {sampler.coreset_size} members"
            )
        model.memory_bank = patches[rows]
        self.context.report(
            f"{self.NAME}: {len(rows)} members of {len(patches)} patches from {seen} pictures"
        )
        return {"seen": seen, "patches": len(patches), "members": len(rows)}

    def patches(self, model: Network, picture: Tensor) -> Tensor:
        """Return what the members are patches of."""
        maps = {key: model.feature_pooler(m) for key, m in model.feature_extractor(picture).items()}
        found: Tensor = model.generate_embedding(maps)
        return found

    def differences(self, model: Network, patches: Tensor) -> Tensor:
        """Return the differences to the nearest members."""
        rows = model.reshape_embedding(patches)
        _, nearest = model.nearest_neighbors(embedding=rows, n_neighbors=1)
        found = rows - model.memory_bank[nearest]
        return found.view(*patches.shape[-2:], -1).permute(2, 0, 1)[None]

    def anomalies(self, model: Network, picture: Tensor) -> tuple[Tensor | None, float | None]:
        """Return anomalib's map and its value, weighted by neighbours."""
        found = model(picture)
        return found.anomaly_map, float(found.pred_score)


def select(sampler: KCenterGreedy, limit: Limit) -> list[int]:
    """Return the rows that `select_coreset_idxs` returns, or as many as the time allows."""
    sampler.model.fit(sampler.embedding)
    sampler.features = sampler.model.transform(sampler.embedding)
    sampler.reset_distances()
    device = sampler.features.device
    row = torch.randint(high=sampler.n_observations, size=(1,), device=device).squeeze()
    rows = [row]
    progress = tqdm(
        range(sampler.coreset_size - 1), desc="members", unit="member", disable=None, leave=False
    )
    for _ in progress:
        if limit.reached:
            break
        sampler.update_distances(row)
        row = sampler.get_new_idx()
        sampler.min_distances.scatter_(0, row.view(1, 1), 0.0)
        rows.append(row)
    return torch.stack(rows).cpu().tolist()
