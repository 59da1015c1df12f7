"""Weight files of the shapes that anomalib's methods want, and what is small about them.

They are random, but scaled so that their features differ.
"""

import socket

import cv2
import numpy as np
import pytest
import timm
import torch
from small_networks import ThinEfficientNet, ThinTeacher, calibrated, dinov2

from train.detectors.detector import method


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Small pictures on several threads wait for each other more than they compute."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """Whatever asks a hub for weights fails at once."""

    def refuse(*args):
        raise AssertionError(f"a connection to {args[1]} was asked for")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """Return a function that gives a method's weight file."""
    folder = tmp_path_factory.mktemp("weights")

    def file(name):
        from torchvision.models import efficientnet_b5

        build = {
            "anomaly_dino": lambda: dinov2("vit_small_thin_patch14_dinov2"),
            "anomaly_dino, whole": lambda: dinov2("vit_small_patch14_dinov2"),
            "csflow": lambda: calibrated(ThinEfficientNet()),
            "csflow, whole": lambda: calibrated(efficientnet_b5(weights=None)),
            "dinomaly": lambda: dinov2("vit_small_thin_patch14_dinov2"),
            "dinomaly, whole": lambda: dinov2("vit_small_patch14_reg4_dinov2"),
            "rad": lambda: dinov2("vit_small_thin_patch14_dinov2"),
            "efficient_ad": lambda: ThinTeacher(8),
            "reverse_distillation": lambda: timm.create_model("resnet18", pretrained=False),
        }
        path = folder / f"{name}.pth"
        if not path.exists():
            with torch.random.fork_rng():
                torch.manual_seed(0)
                torch.save(build[name]().state_dict(), path)
        return path

    return file


@pytest.fixture
def natural(tmp_path):
    """Return a folder of natural pictures."""
    folder = tmp_path / "natural" / "dog"
    folder.mkdir(parents=True)
    for number in range(2):
        noise = np.random.default_rng(number).integers(0, 255, (40, 50, 3), np.uint8)
        assert cv2.imwrite(str(folder / f"{number}.png"), noise)
    return folder.parent


@pytest.fixture
def thin(monkeypatch, natural):
    """Let the frozen networks be small too."""
    from anomalib.models.image.dinomaly.torch_model import DINO_ARCHITECTURES
    from anomalib.models.image.efficient_ad import torch_model

    from train.detectors.anomalib.methods import csflow

    monkeypatch.setattr(csflow, "efficientnet_b5", ThinEfficientNet)
    monkeypatch.setattr(torch_model, "SmallPatchDescriptionNetwork", ThinTeacher)
    monkeypatch.setitem(method("efficient_ad").small, "imagenet", str(natural))
    monkeypatch.setitem(
        DINO_ARCHITECTURES, "small", {**DINO_ARCHITECTURES["small"], "embed_dim": 48}
    )
    for name in ("anomaly_dino", "dinomaly", "rad"):
        monkeypatch.setitem(method(name).small, "encoder", "vit_small_thin_patch14_dinov2")
