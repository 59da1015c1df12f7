"""Settings of the smallest detector."""

from dataclasses import dataclass

from stainless.errors import InputError
from train.detectors.detector import Method


@dataclass(frozen=True)
class Settings:
    """How grey is compared.

    Attributes:
        least_spread: smallest standard deviation that counts, in grey levels.
    """

    least_spread: float = 1.0

    def validate(self, key: str) -> None:
        """Refuse a spread that cannot be divided by."""
        if self.least_spread <= 0:
            raise InputError(f"{key}.least_spread: {self.least_spread:g}, expected above 0")


METHODS = {
    "mean_grey": Method(
        settings=Settings,
        detector="train.detectors.mean_grey.detector:MeanGrey",
        summary="distance to the mean grey of nominal pictures",
    )
}
