"""Sequential PatchCore inside anomalib: Engine, datamodules, checkpoints, export.

    model = SequentialPatchcore(coreset_size=2048, epochs=5)
    Engine().fit(model=model, datamodule=datamodule)

The same features, coreset and anomaly map as the commands of this project, hence the same scores.
What differs from anomalib's habits: images are not resized unless a pre-processor is given that
does, and no step keeps every pixel. As with every model of anomalib the post-processor maps the
distances to [0, 1], the threshold to 0.5; without it (`post_processor=False`) they stay distances.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from anomalib import LearningType
from anomalib.data import Batch, InferenceBatch
from anomalib.metrics import AUROC, Evaluator, F1Score
from anomalib.models.components import AnomalibModule, DynamicBufferMixin
from anomalib.post_processing import PostProcessor
from anomalib.pre_processing import PreProcessor
from torch import Tensor, nn

from stainless.errors import InputError
from train.anomaly_map import anomaly_map
from train.detectors.model_file import read
from train.detectors.sequential_patchcore.coreset import Coreset
from train.detectors.sequential_patchcore.settings import METHODS, Settings
from train.feature_settings import NAMES
from train.features import FeatureExtractor
from train.metrics import f1_max, pixels
from train.metrics.scores import Pixels
from train.patch_grid import GRID_WIDTH

#: Patches compared at a time; bounds the matrix of distances.
BLOCK = 16384


class SequentialPatchcoreModel(DynamicBufferMixin, nn.Module):
    """Images to anomaly maps as one graph of tensors, so that it can be exported.

    Args:
        extractor: of the features; its network becomes part of this module.
    """

    def __init__(self, extractor: FeatureExtractor) -> None:
        super().__init__()
        self.extractor = extractor
        self.register_buffer("members", torch.zeros(0, extractor.dimension))
        self.members: Tensor

    def forward(self, images: Tensor) -> InferenceBatch:
        """Score (B, 3, H, W) images in [0, 1].

        Raises:
            InputError: too small images, or a model that was not fitted.
        """
        height, width = images.shape[-2:]
        if not len(self.members):
            raise InputError("the model has no members; fit it first")
        self.extractor.require_size(height, width)
        features = self.extractor.network(images)
        block = max(1, BLOCK // features.shape[2])
        found = torch.cat([self.distances(rows) for rows in features.split(block, dim=1)], dim=1)
        maps = anomaly_map(found, height, width, self.extractor.first_centre, self.extractor.pitch)[
            :, None
        ]
        return InferenceBatch(anomaly_map=maps, pred_score=maps.amax(dim=(1, 2, 3)))

    def distances(self, features: Tensor) -> Tensor:
        """Return the (...) distances of (..., D) features to their nearest members.

        The matrix product only chooses the member; near zero its own value would be rounding.
        """
        centre = self.members.mean(dim=0)
        centred = self.members - centre
        products = torch.matmul(features - centre, centred.T)
        nearest = (centred.square().sum(dim=1) - 2 * products).argmin(dim=-1)
        return (features - self.members[nearest]).square().sum(dim=-1).sqrt()


class SequentialPatchcore(AnomalibModule):
    """Sequential PatchCore as a model of anomalib.

    Args:
        backbone: as for `FeatureExtractor`, like the next four.
        stages: backbone stages, counted from 1.
        pool_kernel: side of the averaged neighbourhood.
        pool_stride: distance between patches.
        weights: weight file of the backbone; None for the published ones.
        coreset_size: number of members.
        epochs: largest number of passes over the training images; fewer if one changes nothing.
        pre_processor: True for none at all: the images as the datamodule gives them, in [0, 1].
            A resize belongs here, normalisation does not (it is part of the features).
        post_processor: True for a threshold on distances, exact and in bounded memory.
        evaluator: True for image AUROC and F1 and pixel F1.
        visualizer: True for anomalib's.
        blocks: as for `FeatureExtractor`, like the next four.
        window_px: side of a transformer's windows.
        window_stride_px: pixels between windows.
        scale: factor by which images are enlarged.
        shares: of joined networks.

    Raises:
        InputError: as `FeatureExtractor`.
    """

    def __init__(
        self,
        backbone: str = Settings.backbone,
        stages: tuple[int, ...] = Settings.stages,
        pool_kernel: int = Settings.pool_kernel,
        pool_stride: int = Settings.pool_stride,
        weights: str | None = None,
        coreset_size: int = Settings.size,
        epochs: int = Settings.epochs,
        pre_processor: nn.Module | bool = True,
        post_processor: nn.Module | bool = True,
        evaluator: Evaluator | bool = True,
        visualizer: Any = True,
        blocks: tuple[int, ...] = Settings.blocks,
        window_px: int | None = Settings.window_px,
        window_stride_px: int | None = Settings.window_stride_px,
        scale: float = Settings.scale,
        shares: tuple[float, ...] = Settings.shares,
    ) -> None:
        super().__init__(
            pre_processor=pre_processor,
            post_processor=post_processor,
            evaluator=evaluator,
            visualizer=visualizer,
        )
        extractor = FeatureExtractor(
            backbone,
            stages,
            pool_kernel,
            pool_stride,
            weights,
            blocks=blocks,
            window_px=window_px,
            window_stride_px=window_stride_px,
            scale=scale,
            shares=shares,
        )
        self.model: SequentialPatchcoreModel = SequentialPatchcoreModel(extractor)
        self.epochs = epochs
        self.coreset = Coreset(
            coreset_size, dimension=extractor.dimension, identity=extractor.identity()
        )
        self._images: dict[str, int] = {}
        self._epoch_open = False

    @classmethod
    def from_model(cls, path: Path, weights: str | None = None, **components: Any) -> Any:
        """Return the module of a model file that the commands made.

        Raises:
            InputError: not a model file, of another method, or of other weights.
        """
        stored = read(path)
        if stored.method not in METHODS:
            raise InputError(f"{path}: is a model of {stored.method}, not of {', '.join(METHODS)}")
        settings = stored.typed_settings()
        features = {name: getattr(settings, name) for name in NAMES}
        module = cls(**features, weights=weights, coreset_size=settings.size, **components)
        module.coreset = Coreset.from_state(stored.arrays, stored.state)
        module.coreset.require(module.model.extractor.identity(), str(path))
        module.publish()
        return module

    def publish(self) -> None:
        """Hand the coreset's members to the model that scores."""
        self.model.members = self.coreset.members.to(self.device)

    def on_train_epoch_start(self) -> None:
        """Begin a pass of the coreset."""
        self.coreset.device = torch.device(self.device)
        self.coreset.start_epoch()
        self._epoch_open = True

    def training_step(self, batch: Batch, *args: Any, **kwargs: Any) -> Tensor:
        """Show the patches of a batch to the coreset, image by image."""
        del args, kwargs
        self.model.extractor.require_size(*batch.image.shape[-2:])
        with torch.no_grad():
            features = self.model.extractor.network(batch.image)
        rows, columns, dimension = features.shape[1:]
        place = (np.arange(rows)[:, None] * GRID_WIDTH + np.arange(columns)).ravel()
        paths = batch.image_path or [""] * len(features)
        for image, path in zip(features, paths, strict=True):
            name = "/".join(Path(path).with_suffix("").parts[-3:])
            index = self._images.setdefault(name, len(self._images))
            source = self.coreset.sources.add("train", {index: name})
            origin = np.empty((rows * columns, 3), np.int32)
            origin[:, 0], origin[:, 1], origin[:, 2] = source, index, place
            self.coreset.update(image.reshape(-1, dimension), origin)
        # Lightning wants a loss; nothing is optimised.
        return torch.zeros((), device=self.device, requires_grad=True)

    def on_validation_start(self) -> None:
        """Score with the members of this epoch: anomalib validates before the epoch ends."""
        self._close_epoch()

    def on_train_epoch_end(self) -> None:
        """Stop when a pass has changed nothing."""
        self._close_epoch()
        if self.coreset.history[-1].get("replacements") == self.coreset.history[-1]["added"] == 0:
            self.trainer.should_stop = True

    def _close_epoch(self) -> None:
        if self._epoch_open:
            self.coreset.end_epoch()
            self.publish()
            self._epoch_open = False

    def validation_step(self, batch: Batch, *args: Any, **kwargs: Any) -> Batch:
        """Score a batch."""
        del args, kwargs
        return batch.update(**self.model(batch.image)._asdict())

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Put the whole coreset in, so that training can go on where it stopped."""
        super().on_save_checkpoint(checkpoint)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "coreset.safetensors"
            self.coreset.save(path)
            checkpoint["coreset"] = torch.frombuffer(
                bytearray(path.read_bytes()), dtype=torch.uint8
            )

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take the coreset out of a checkpoint."""
        super().on_load_checkpoint(checkpoint)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "coreset.safetensors"
            path.write_bytes(checkpoint["coreset"].cpu().numpy().tobytes())
            coreset = Coreset.load(path)
        coreset.require(self.model.extractor.identity(), "this module")
        self.coreset = coreset

    def to_onnx(
        self,
        export_root: Path | str,
        model_file_name: str = "model",
        input_size: tuple[int, int] | None = None,
        **kwargs: Any,
    ) -> Path:
        """Export for images of one size, (height, width), since the anomaly map depends on it.

        Raises:
            InputError: no size is given.
        """
        size = input_size or self.input_size
        if size is None:
            raise InputError("export needs input_size=(height, width) of the images in pixels")
        # anomalib's 14 cannot express the padding; the exporter would fall back after an error.
        kwargs.setdefault("opset_version", 18)
        return super().to_onnx(export_root, model_file_name, size, **kwargs)

    @property
    def trainer_arguments(self) -> dict[str, Any]:
        """Arguments that the Engine takes from the model."""
        return {
            "gradient_clip_val": 0,
            "max_epochs": self.epochs,
            "num_sanity_val_steps": 0,
            "devices": 1,
        }

    @property
    def learning_type(self) -> LearningType:
        """Nominal images only."""
        return LearningType.ONE_CLASS

    @staticmethod
    def configure_optimizers() -> None:
        """Nothing is optimised."""

    @staticmethod
    def configure_pre_processor(image_size: tuple[int, int] | None = None) -> PreProcessor:
        """Return a pre-processor that resizes if, and only if, a size is given."""
        from torchvision.transforms.v2 import Resize

        return PreProcessor(Resize(image_size, antialias=True) if image_size else None)

    def configure_post_processor(self) -> PostProcessor:
        """Return the post-processor of bounded memory."""
        return BoundedPostProcessor()

    @staticmethod
    def configure_evaluator() -> Evaluator:
        """Return metrics that do not keep every pixel; `stainless evaluate` has the others."""
        return Evaluator(
            test_metrics=[
                AUROC(fields=["pred_score", "gt_label"], prefix="image_"),
                F1Score(fields=["pred_label", "gt_label"], prefix="image_"),
                F1Score(fields=["pred_mask", "gt_mask"], prefix="pixel_", strict=False),
            ]
        )


class BoundedPostProcessor(PostProcessor):
    """anomalib's post-processor, its pixel threshold exact without every pixel in memory."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._pixel_threshold_metric = SpooledThreshold()


class SpooledThreshold(nn.Module):
    """Threshold of the highest pixel F1, the maps waiting on disk."""

    def __init__(self) -> None:
        super().__init__()
        self._folder: tempfile.TemporaryDirectory | None = None
        self._count = 0

    @property
    def update_called(self) -> bool:
        """Whether there is anything to compute from."""
        return self._count > 0

    def update(self, batch: Batch) -> None:
        """Put the maps and masks of a batch on disk."""
        if batch.gt_mask is None or batch.anomaly_map is None:
            return
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="stainless.")
        for scores, mask in zip(batch.anomaly_map, batch.gt_mask, strict=True):
            file = Path(self._folder.name) / f"{self._count}.npz"
            np.savez(file, scores=scores.squeeze().cpu(), mask=mask.squeeze().bool().cpu())
            self._count += 1

    def compute(self) -> Tensor:
        """Return the threshold; NaN without a defective pixel."""
        assert self._folder is not None
        folder = Path(self._folder.name)

        def read() -> Iterator[Pixels]:
            for number in range(self._count):
                with np.load(folder / f"{number}.npz") as stored:
                    yield pixels(str(number), stored["scores"], stored["mask"])

        # anomalib flags what is above a threshold, this project what is at or above it.
        threshold = np.nextafter(np.float32(f1_max(read).threshold), np.float32(-np.inf))
        return torch.tensor(float(threshold))

    def reset(self) -> None:
        """Forget everything."""
        if self._folder is not None:
            self._folder.cleanup()
        self._folder, self._count = None, 0
