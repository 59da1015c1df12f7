"""Distances in units of how far apart the members are where a patch lies."""

from __future__ import annotations

from torch import Tensor

from train.detectors.sequential_patchcore.scoring.neighbours import around


def local_scales(members: Tensor, count: int) -> Tensor:
    """Return the mean distance of each member to the members around it, as a share of the usual.

    Where members lie thin a nominal patch is farther from the nearest of them, too.

    Args:
        members: (M, D) float32, all different.
        count: how many of those around count; at most M - 1.

    Returns:
        (M,) float32, above 0, of mean 1.
    """
    scales = around(members, count)[0].mean(1)
    scales = scales.clamp_min(1e-6 * float(scales.mean()))
    return scales / scales.mean()
