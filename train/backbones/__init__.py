"""ImageNet backbones cut off after the last layer that is used, with their weights or an error."""

from train.backbones.known import BACKBONES, Backbone, known
from train.backbones.stages import Stages
from train.backbones.weights import RANDOM, published_weights

__all__ = ["BACKBONES", "RANDOM", "Backbone", "Stages", "known", "published_weights"]
