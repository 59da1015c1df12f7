"""What was measured of a model's coverage, for whoever accepts or refuses it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from train.coverage.coverage import Coverage
from train.coverage.interval import CONFIDENCE, share_interval
from train.detectors.covering import Radius


@dataclass(frozen=True)
class Certificate:
    """A model, pictures, and how much of these the model covers.

    Attributes:
        model: SHA-256 of the model's file (hex).
        method: of the model.
        category: of the pictures.
        split: of the pictures.
        radius: up to which a patch is covered.
        coverage: what was counted.
        at_least: share of patches that was asked for; None for none.
    """

    model: str
    method: str
    category: str
    split: str
    radius: Radius
    coverage: Coverage
    at_least: float | None = None

    @property
    def accepted(self) -> bool | None:
        """Whether the share of patches is what was asked for; None if nothing was."""
        if self.at_least is None:
            return None
        return self.coverage.covered / self.coverage.patches >= self.at_least

    def record(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        found = self.coverage
        return {
            "model_sha256": self.model,
            "method": self.method,
            "category": self.category,
            "split": self.split,
            "data_sha256": found.sha256,
            "radius": self.radius.value,
            "radius_is": self.radius.meaning,
            "covering_radius_at_fit": self.radius.covering,
            "caution": self.radius.caution,
            "confidence": CONFIDENCE,
            "patches": _share(found.covered, found.patches),
            "pictures": _share(found.whole, found.pictures),
            "farthest": found.farthest,
            "at_least": self.at_least,
            "accepted": self.accepted,
            "least_covered": [
                {"image": place.name, "distance": place.distance, "box": list(place.box)}
                for place in found.least
            ],
        }

    def lines(self) -> list[str]:
        """Return it for people."""
        found = self.coverage
        lines = [
            f"radius {self.radius.value:.6g} ({self.radius.meaning})",
            _line("patches", "within it", found.covered, found.patches),
            _line("pictures", "wholly within it", found.whole, found.pictures),
            f"farthest patch {found.farthest:.6g}",
        ]
        if self.at_least is not None:
            word = "accepted" if self.accepted else "refused"
            lines.append(f"{word}: at least {self.at_least:.4%} of the patches was asked for")
        return lines


def _share(count: int, total: int) -> dict[str, Any]:
    return {
        "count": total,
        "covered": count,
        "share": count / total,
        "interval": list(share_interval(count, total)),
    }


def _line(what: str, where: str, count: int, total: int) -> str:
    low, high = share_interval(count, total)
    return (
        f"{what}: {count:,} of {total:,} {where}, {count / total:.4%} "
        f"({CONFIDENCE:.0%} interval {low:.4%} to {high:.4%})"
    )
