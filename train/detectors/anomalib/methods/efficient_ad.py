"""EfficientAD (Batzner et al., WACV 2024), anomalib's: a student, its teacher, an autoencoder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from anomalib.models.image.efficient_ad.lightning_model import WEIGHTS_DOWNLOAD_INFO
from anomalib.models.image.efficient_ad.torch_model import (
    EfficientAdModel,
    EfficientAdModelSize,
    reduce_tensor_elems,
)
from torch import Tensor

from stainless.dataset import Sample, list_images, load_image
from stainless.errors import InputError
from train.detectors.anomalib.detector import Network
from train.detectors.anomalib.pictures import Preparation, Reader
from train.detectors.anomalib.trained import Trained
from train.detectors.anomalib.trained_settings import EfficientAdSettings
from train.detectors.anomalib.weights import OnWeightFile, fill
from train.training.loop import Update

#: Side of the least picture that the autoencoder takes.
LEAST = 256

#: Shares of the held-out maps that become 0 and 0.1, from the paper.
QUANTILES = (0.9, 0.995)

#: Probability that a natural picture loses its colour.
GREY = 0.3


class EfficientAd(OnWeightFile[EfficientAdSettings], Trained[EfficientAdSettings]):
    """Scores where the student, or the autoencoder, does not say what the teacher says."""

    NAME = "efficient_ad"
    FROZEN = ("teacher",)

    def published(self) -> tuple[str, str]:
        """Return the teacher and the archive that its file is in."""
        file = f"pretrained_teacher_{self.settings.size}.pth"
        return "its teacher", f"{file} of {WEIGHTS_DOWNLOAD_INFO.url}"

    def prepare(self) -> Preparation:
        """Leave intensities as they are: the networks normalise them."""
        return Preparation(self.settings.side, (0.0,) * 3, (1.0,) * 3, least=LEAST)

    def build(self) -> Network:
        """Build the three networks; the teacher from the weight file."""
        known = self.settings
        model = EfficientAdModel(known.channels, EfficientAdModelSize(known.size))
        fill(model.teacher, self.file, f"the {known.size} teacher")
        model.teacher.requires_grad_(False)
        return model

    def split(self, samples: Sequence[Sample]) -> tuple[list[Sample], list[Sample]]:
        """Hold out every Nth picture for the quantiles; with too few, they see all pictures."""
        share = self.settings.held_out
        step = round(1 / share) if share > 0 else 0
        if step < 2 or len(samples) < step:
            return list(samples), list(samples)
        held = list(samples)[step - 1 :: step]
        return [sample for place, sample in enumerate(samples, 1) if place % step], held

    def start(self, model: Network, samples: Sequence[Sample], read: Reader) -> None:
        """Find the natural pictures; measure the teacher's channels.

        Raises:
            InputError: no folder of natural pictures was given, or it holds none.
        """
        folder = self.settings.imagenet
        option = f"--{self.NAME}.imagenet"
        if folder is None:
            raise InputError(
                f"{option}: null, expected a folder of natural pictures, such as ImageNette "
                "(imagenette2.tgz of s3.amazonaws.com/fast-ai-imageclas)"
            )
        self.natural = list_images(Path(folder), deep=True)
        if not self.natural:
            raise InputError(f"{option}: {folder}, expected a folder with pictures")
        total: Tensor | None = None
        squares, count = torch.tensor(0.0), 0
        with torch.no_grad():
            for index, sample in enumerate(samples):
                found = model.teacher(read(sample, index))
                sums, more = found.sum(dim=(0, 2, 3)), (found**2).sum(dim=(0, 2, 3))
                total, squares = (sums, more) if total is None else (total + sums, squares + more)
                count += found[:, 0].numel()
        assert total is not None
        mean = total / count
        std = (squares / count - mean**2).sqrt()
        model.mean_std.update({"mean": mean.view(1, -1, 1, 1), "std": std.view(1, -1, 1, 1)})
        model.mean_std.requires_grad_(False)

    def optimisers(self, model: Network) -> dict[str, torch.optim.Optimizer]:
        """Return anomalib's Adam."""
        known = self.settings
        adam = torch.optim.Adam(
            [*model.student.parameters(), *model.ae.parameters()],
            lr=known.learning_rate,
            weight_decay=known.weight_decay,
        )
        return {"adam": adam}

    def rate(self, start: float, step: int, total: int, per_epoch: int) -> float:
        """Fall to a tenth in the last twentieth of the steps."""
        return start * 0.1 if step >= max(1, int(0.95 * total)) else start

    def update(
        self, model: Network, batch: Tensor, step: int, update: Update
    ) -> Mapping[str, Tensor]:
        """Learn from anomalib's three losses, added up."""
        path = self.natural[int(torch.randint(len(self.natural), (1,)))]
        penalty = natural_picture(path, batch.shape[-2], batch.shape[-1]).to(batch.device)
        student, autoencoder, both = model(batch, penalty)
        update(student + autoencoder + both)
        return {"student": student, "autoencoder": autoencoder, "both": both}

    def finish(self, model: Network, samples: Sequence[Sample], read: Reader) -> None:
        """Take the quantiles that put both maps on one scale."""
        maps: list[list[Tensor]] = [[], []]
        with torch.no_grad():
            for index, sample in enumerate(samples):
                for kept, found in zip(maps, model.get_maps(read(sample, index)), strict=True):
                    kept.append(found.flatten())
        for kind, kept in zip(("st", "ae"), maps, strict=True):
            values = reduce_tensor_elems(torch.cat(kept))
            for name, share in zip("ab", QUANTILES, strict=True):
                model.quantiles[f"q{name}_{kind}"] = torch.quantile(values, share)
        model.quantiles.requires_grad_(False)

    def anomalies(self, model: Network, picture: Tensor) -> tuple[Tensor | None, float | None]:
        """Return anomalib's map; its value is the largest of it."""
        return model(picture).anomaly_map, None


def natural_picture(path: Path, height: int, width: int) -> Tensor:
    """Return the middle of a picture of twice that size, at times without colour, as anomalib does.

    Returns:
        (1, 3, height, width) in [0, 1].
    """
    values = torch.from_numpy(load_image(path)).permute(2, 0, 1)[None] / 255
    values = F.interpolate(values, (2 * height, 2 * width), mode="bilinear", antialias=True)
    if float(torch.rand(1)) < GREY:
        weights = torch.tensor([0.2989, 0.587, 0.114]).view(1, 3, 1, 1)
        values = (values * weights).sum(dim=1, keepdim=True).expand(-1, 3, -1, -1)
    top, left = height // 2, width // 2
    return values[..., top : top + height, left : left + width].contiguous()
