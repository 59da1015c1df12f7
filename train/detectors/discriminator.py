"""The two layers that tell nominal features from noisy ones, and how they learn it.

Source: Liu et al., "SimpleNet", CVPR 2023, arXiv 2303.15140, sections 3.3 and 3.4.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

#: Slope of the leaky ReLU below zero.
SLOPE = 0.2

#: Share of the spread of features that makes noise of a use with any backbone: the magnetic tiles
#: were learned with it.
SHARE_OF_SPREAD = 0.55

#: Share of the loss of a discriminator that says 0 to everything, from which on that is what it
#: has learned.
NOTHING_LEARNED = 0.95


def discriminator(dimension: int, hidden: int | None = None) -> nn.Sequential:
    """Return the two layers: features (N, D) to how nominal each is, (N, 1).

    Args:
        dimension: length D of a feature.
        hidden: width between the layers; None for two thirds of D: 1024 of the published 1536.
    """
    hidden = max(2 * dimension // 3, 1) if hidden is None else hidden
    return nn.Sequential(
        nn.Linear(dimension, hidden),
        nn.BatchNorm1d(hidden),
        nn.LeakyReLU(SLOPE),
        nn.Linear(hidden, 1, bias=False),
    )


def draw_weights(network: nn.Module) -> None:
    """Draw the first weights of linear layers from torch's global generator, as published."""
    for module in network.modules():
        if isinstance(module, nn.Linear):
            nn.init.xavier_normal_(module.weight)


def scores_of(network: nn.Module, nominal: Tensor, noise: float) -> tuple[Tensor, Tensor]:
    """Return how nominal features, and the same ones with noise, are to a discriminator.

    Args:
        network: the discriminator.
        nominal: (N, D).
        noise: standard deviation of what makes a feature anomalous.

    Returns:
        (N,) each.
    """
    noisy = nominal + noise * torch.randn_like(nominal)
    scores = network(torch.cat([nominal, noisy]))[:, 0]
    return scores[: len(nominal)], scores[len(nominal) :]


def truncated_loss(
    nominal: Tensor, noisy: Tensor, margin: float
) -> tuple[Tensor, dict[str, float]]:
    """Return the truncated l1 loss of scores, and how many features are told apart.

    Args:
        nominal: (N,), to be above the margin.
        noisy: (N,), to be below its negative.
        margin: th+ of the paper, and -th-.

    Returns:
        The loss; the shares of nominal and of noisy features beyond their margin.
    """
    loss = (margin - nominal).clamp(min=0).mean() + (margin + noisy).clamp(min=0).mean()
    shares = {
        "nominal": float((nominal.detach() >= margin).float().mean()),
        "noisy": float((noisy.detach() < -margin).float().mean()),
    }
    return loss, shares


def has_learned_nothing(loss: float, margin: float) -> bool:
    """Tell whether nominal features are told from noisy ones no better than by chance."""
    return loss >= NOTHING_LEARNED * 2 * margin
