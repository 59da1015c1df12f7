"""What is known of anomalib's methods without importing them."""

from __future__ import annotations

from dataclasses import replace

from train.detectors.anomalib import memory_settings, trained_settings
from train.detectors.detector import Method

_PLACE = "train.detectors.anomalib.methods"

_HISTORY = "train.detectors.epochs:history"

_METHODS = {
    "patchcore": Method(
        settings=memory_settings.PatchcoreSettings,
        detector=f"{_PLACE}.patchcore:Patchcore",
        summary="greedy coreset of nominal patches (Roth et al., CVPR 2022; anomalib)",
        small={"members": 64, "side": None},
    ),
    "mh_patchcore": Method(
        settings=memory_settings.MhPatchcoreSettings,
        detector=f"{_PLACE}.mh_patchcore:MhPatchcore",
        summary="whitened patches in a bounded, merged memory (anomalib)",
        small={"members": 20, "batch": 3, "side": 64},
    ),
    "padim": Method(
        settings=memory_settings.PadimSettings,
        detector=f"{_PLACE}.padim:Padim",
        summary="a normal distribution at each place (Defard et al., 2021; anomalib)",
        small={"features": 20, "side": None},
    ),
    "anomaly_dino": Method(
        settings=memory_settings.AnomalyDinoSettings,
        detector=f"{_PLACE}.anomaly_dino:AnomalyDino",
        summary="memory of DINOv2's patches (Damm et al., WACV 2025; anomalib; needs --weights)",
        small={"side": 56},
    ),
    "rad": Method(
        settings=memory_settings.RadSettings,
        detector=f"{_PLACE}.rad:Rad",
        summary="tokens of similar pictures (arXiv 2601.22763; anomalib; needs --weights)",
        small={"encoder": "vit_small_patch14_dinov2", "side": 56, "pictures": 3},
    ),
    "draem": Method(
        settings=trained_settings.DraemSettings,
        detector=f"{_PLACE}.draem:Draem",
        summary="removes and marks artificial anomalies (Zavrtanik et al., ICCV 2021; anomalib)",
        small={"width": 4, "steps": 3, "batch": 2, "side": 64},
    ),
    "supersimplenet": Method(
        settings=trained_settings.SupersimplenetSettings,
        detector=f"{_PLACE}.supersimplenet:Supersimplenet",
        summary="tells features from noised ones (Rolih et al., ICPR 2024; anomalib)",
        small={"steps": 3, "batch": 2, "side": None, "window": 72},
    ),
    "ganomaly": Method(
        settings=trained_settings.GanomalySettings,
        detector=f"{_PLACE}.ganomaly:Ganomaly",
        summary="encodes, reconstructs, encodes again (Akcay et al., ACCV 2018; anomalib)",
        maps=False,
        small={"features": 4, "steps": 3, "batch": 2, "side": 32},
    ),
    "csflow": Method(
        settings=trained_settings.CsflowSettings,
        detector=f"{_PLACE}.csflow:Csflow",
        summary="flow across three scales (Rudolph et al., WACV 2022; anomalib; needs --weights)",
        small={"hidden": 8, "steps": 1, "batch": 2, "side": 128},
    ),
    "reverse_distillation": Method(
        settings=trained_settings.ReverseDistillationSettings,
        detector=f"{_PLACE}.reverse_distillation:ReverseDistillation",
        summary="a decoder imitates an encoder (Deng and Li, CVPR 2022; anomalib; needs --weights)",
        small={"backbone": "resnet18", "steps": 1, "batch": 2, "side": 64},
    ),
    "efficient_ad": Method(
        settings=trained_settings.EfficientAdSettings,
        detector=f"{_PLACE}.efficient_ad:EfficientAd",
        summary="student and teacher (Batzner et al., WACV 2024; anomalib; needs --weights)",
        learns_from="nominal pictures, natural pictures",
        small={"channels": 8, "steps": 3},
    ),
    "dinomaly": Method(
        settings=trained_settings.DinomalySettings,
        detector=f"{_PLACE}.dinomaly:Dinomaly",
        summary="a decoder imitates DINOv2 (Guo et al., CVPR 2025; anomalib; needs --weights)",
        small={"encoder": "vit_small_patch14_reg4_dinov2", "steps": 3, "batch": 2, "side": 56},
    ),
}

#: Their results depend on the version of anomalib, too; those that train remember their epochs.
METHODS = {
    name: replace(
        known,
        packages=("anomalib",),
        history=_HISTORY if known.settings.__module__ == trained_settings.__name__ else None,
    )
    for name, known in _METHODS.items()
}
