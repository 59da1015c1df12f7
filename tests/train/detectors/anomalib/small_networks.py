"""Networks that tests learn with in moments, and detectors that have learned."""

import numpy as np
import timm
import torch
from support.check_detector import brushed, samples, small_context
from torch import nn

from train.detectors.detector import Trainset, method


class ThinTeacher(nn.Module):
    """A patch description network with the strides of anomalib's and a tenth of its channels."""

    def __init__(self, out_channels, padding=False):
        super().__init__()
        del padding
        self.conv1, self.conv2 = nn.Conv2d(3, 8, 4), nn.Conv2d(8, 8, 4)
        self.conv3, self.conv4 = nn.Conv2d(8, 8, 3), nn.Conv2d(8, out_channels, 4)

    def forward(self, x):
        pool, relu = nn.functional.avg_pool2d, torch.relu
        x = pool(relu(self.conv1(x - 0.5)), 2)
        return self.conv4(relu(self.conv3(pool(relu(self.conv2(x)), 2))))


class ThinEfficientNet(nn.Module):
    """Has the layer that CS-Flow takes of EfficientNet-B5, as coarse and as wide."""

    def __init__(self, weights=None):
        super().__init__()
        del weights
        last = nn.Sequential(*(nn.Identity() for _ in range(8)), nn.Conv2d(16, 304, 1))
        self.features = nn.Sequential(
            nn.Conv2d(3, 8, 4, 4),
            nn.BatchNorm2d(8),
            nn.SiLU(),
            nn.Conv2d(8, 16, 8, 8),
            nn.BatchNorm2d(16),
            nn.SiLU(),
            last,
        )

    def forward(self, x):
        return self.features(x)


def dinov2(name):
    """Return a transformer whose layers all count; as published, none would without training."""
    network = timm.create_model(name, pretrained=False)
    for parameter_name, parameter in network.named_parameters():
        if parameter_name.endswith(".gamma"):
            nn.init.ones_(parameter)
    # What is background is decided by the length of the tokens.
    nn.init.constant_(network.norm.weight, 20.0)
    return network


@timm.models.register_model
def vit_small_thin_patch14_dinov2(pretrained=False, **options):
    """A transformer of DINOv2's kind and depth that is quickly trained against."""
    from timm.models.vision_transformer import _create_vision_transformer

    shape = {"patch_size": 14, "embed_dim": 48, "depth": 12, "num_heads": 6, "init_values": 1.0}
    return _create_vision_transformer(
        "vit_small_thin_patch14_dinov2", pretrained, num_classes=0, **shape, **options
    )


def calibrated(network):
    """Return a network whose normalisations were taken from a picture."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0
    with torch.no_grad():
        network.train()(torch.rand(2, 3, 128, 128))
    return network.eval()


def new(name, context=None, **settings):
    """Return a detector that has learned nothing."""
    known = method(name)
    chosen = known.settings(**{**known.small, **settings})
    return known.load()(chosen, context or small_context())


def fitted(name, count=4, context=None, **settings):
    """Return a detector that learned from a few pictures."""
    detector = new(name, context, **settings)
    detector.fit([Trainset("metal", samples(range(count)))])
    return detector


def maps(detector, images):
    return [score.map for score in detector.score(images)]


def planted():
    """Return a picture with a chequered defect, and where it is."""
    picture = brushed(101)
    chequered = np.indices(picture.shape[:2]).sum(axis=0) // 4 % 2 * 200 + 25
    defect = np.s_[32:64, 40:72]
    picture[defect] = chequered[defect][..., None]
    return picture, defect
