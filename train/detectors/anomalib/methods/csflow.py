"""CS-Flow (Rudolph et al., WACV 2022), anomalib's: a normalising flow across three scales."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from anomalib.models.components import TimmFeatureExtractor
from anomalib.models.image.csflow.anomaly_map import AnomalyMapGenerator, AnomalyMapMode
from anomalib.models.image.csflow.loss import CsFlowLoss
from anomalib.models.image.csflow.torch_model import (
    CrossScaleFlow,
    CsFlowModel,
    CsFlowMultiScaleFeatureExtractor,
)
from torch import Tensor, nn
from torchvision.models import EfficientNet_B5_Weights, efficientnet_b5

from stainless.errors import InputError
from train.backbones import Stages, known, published_weights
from train.detectors.anomalib.detector import Network
from train.detectors.anomalib.pictures import Preparation
from train.detectors.anomalib.trained import Trained
from train.detectors.anomalib.trained_settings import CsflowSettings
from train.detectors.anomalib.weights import OnWeightFile, fill

#: The layer of EfficientNet-B5 that anomalib takes, and side of the least picture in pixels whose
#: three scales fit together: 32 pixels a cell, halved twice.
LAYER, LEAST = "features.6.8", 128

#: The published network, and channels of that layer, which anomalib's flow is made for.
PUBLISHED, CHANNELS = "efficientnet_b5", 304


class Features(CsFlowMultiScaleFeatureExtractor):
    """anomalib's extractor on a network that is given instead of fetched."""

    def __init__(self, network: nn.Module) -> None:
        nn.Module.__init__(self)
        self.n_scales = 3
        self.input_size = (LEAST, LEAST)
        self.feature_extractor = TimmFeatureExtractor(backbone=network, layers=[LAYER])


class StandIn(CsFlowMultiScaleFeatureExtractor):
    """anomalib's extractor on one of our backbones: as many channels of its fifth stage."""

    input_size = (LEAST, LEAST)

    def __init__(self, stages: Stages) -> None:
        nn.Module.__init__(self)
        self.n_scales = 3
        self.stages = stages

    def feature_extractor(self, images: Tensor) -> dict[str, Tensor]:
        """Return the features under the name by which anomalib asks for them."""
        return {LAYER: self.stages(images)[0][:, :CHANNELS]}


class Flow(CsFlowModel):
    """anomalib's model on a network that is given, for pictures of any size."""

    feature_extractor: Any

    def __init__(self, extractor: nn.Module, settings: CsflowSettings) -> None:
        nn.Module.__init__(self)
        self.feature_extractor = extractor.eval()
        self.graph = CrossScaleFlow(
            input_dims=(3, LEAST, LEAST),
            n_coupling_blocks=settings.blocks,
            clamp=settings.clamp,
            cross_conv_hidden_channels=settings.hidden,
        )
        self.anomaly_map_generator = AnomalyMapGenerator((3, LEAST, LEAST), AnomalyMapMode.ALL)

    def train(self, mode: bool = True) -> Flow:
        """Leave the frozen network as it was trained."""
        super().train(mode)
        self.feature_extractor.eval()
        return self

    def forward(self, images: Tensor) -> Tensor:
        """Tell extractor and map how large the pictures are, then do as anomalib."""
        size = (int(images.shape[-2]), int(images.shape[-1]))
        self.feature_extractor.input_size = size
        self.anomaly_map_generator.input_dims = (3, *size)
        return super().forward(images)


class Csflow(OnWeightFile[CsflowSettings], Trained[CsflowSettings]):
    """Scores features by how unlikely they are."""

    NAME = "csflow"
    FROZEN = ("feature_extractor",)
    CLIP = 1.0

    def published(self) -> tuple[str, str]:
        """Return torchvision's network and its file."""
        return "EfficientNet-B5", EfficientNet_B5_Weights.IMAGENET1K_V1.url

    def weight_file(self) -> Path | None:
        """Return the weight file of the encoder.

        Raises:
            InputError: the published one was not given, or there is no such backbone.
        """
        encoder = self.settings.encoder
        if encoder == PUBLISHED:
            return super().weight_file()
        known(encoder)
        return self.context.weights or published_weights(encoder)

    def prepare(self) -> Preparation:
        """Continue pictures until all scales fit together."""
        side, encoder = self.settings.side, self.settings.encoder
        if encoder == PUBLISHED:
            return Preparation(side, multiple=LEAST, least=LEAST)
        backbone = known(encoder)
        return Preparation(side, backbone.mean, backbone.std, multiple=LEAST, least=LEAST)

    def build(self) -> Network:
        """Build the flow on the encoder.

        Raises:
            InputError: its weights do not fit, or a backbone of ours has too few channels.
        """
        self.criterion = CsFlowLoss()
        encoder = self.settings.encoder
        if encoder == PUBLISHED:
            network = efficientnet_b5(weights=None).eval()
            fill(network, self.file, "EfficientNet-B5")
            return Flow(Features(network), self.settings)
        stages = Stages(encoder, (5,), self.context.weights)
        if stages.channels[0] < CHANNELS:
            raise InputError(
                f"--{self.NAME}.encoder: {encoder} has {stages.channels[0]} channels in its fifth "
                f"stage, expected {CHANNELS} or more"
            )
        return Flow(StandIn(stages), self.settings)

    def identity(self, model: Network) -> str | None:
        """Return the hash of the encoder's weights."""
        extractor = model.feature_extractor
        if isinstance(extractor, StandIn):
            return extractor.stages.weight_hash
        return super().identity(model)

    def optimisers(self, model: Network) -> dict[str, torch.optim.Optimizer]:
        """Return anomalib's Adam."""
        adam = torch.optim.Adam(
            model.graph.parameters(),
            lr=self.settings.learning_rate,
            eps=1e-4,
            weight_decay=1e-5,
            betas=(0.5, 0.9),
        )
        return {"adam": adam}

    def anomalies(self, model: Network, picture: Tensor) -> tuple[Tensor | None, float | None]:
        """Return anomalib's map and its value."""
        found = model(picture)
        return found.anomaly_map, float(found.pred_score)
