"""torch's schedules of a learning rate, by the names that settings have for them."""

from __future__ import annotations

from torch.optim import Optimizer
from torch.optim.lr_scheduler import (
    ConstantLR,
    CosineAnnealingLR,
    CosineAnnealingWarmRestarts,
    LRScheduler,
    StepLR,
)

from train.training.settings import Training


def scheduler(optimiser: Optimizer, settings: Training, items: int) -> LRScheduler:
    """Return the schedule of an optimiser's learning rates, to be told of each step.

    Args:
        optimiser: of the parameters.
        settings: which schedule.
        items: how many pictures there are.
    """
    period = settings.schedule_epochs * settings.steps_an_epoch(items)
    if settings.schedule == "cosine":
        return CosineAnnealingLR(optimiser, settings.steps_of(items))
    if settings.schedule == "cosine_restarts":
        return CosineAnnealingWarmRestarts(optimiser, period)
    if settings.schedule == "step":
        return StepLR(optimiser, period, settings.schedule_factor)
    return ConstantLR(optimiser, factor=1.0)
