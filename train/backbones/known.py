"""Backbones by name: two of this project's own, and every architecture that timm has."""

from __future__ import annotations

from dataclasses import dataclass

from stainless.errors import InputError

#: What a name begins with that means an architecture of timm.
TIMM = "timm:"


@dataclass(frozen=True)
class Backbone:
    """What is known about one backbone.

    `mean` and `std` are those of its training, for intensities in [0, 1]; `hub` is the repository
    of its published weights at huggingface.co.
    """

    architecture: str
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    hub: str | None = None


BACKBONES = {
    "efficientnet_lite0": Backbone("tf_efficientnet_lite0", (0.498,) * 3, (0.502,) * 3),
    "mobilenet_v3_large": Backbone(
        "mobilenetv3_large_100",
        (0.485, 0.456, 0.406),
        (0.229, 0.224, 0.225),
        hub="timm/mobilenetv3_large_100.ra_in1k",
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
    return Backbone(architecture, published.mean, published.std, published.hf_hub_id)
