"""Settings of the smallest experiment."""

from dataclasses import dataclass

from train.experiments.settings import Common


@dataclass
class Settings(Common):
    """Whether grey alone would do.

    Attributes:
        data: root folder of a dataset.
        size: members of the coreset.
    """

    data: str = "data"
    size: int = 32
