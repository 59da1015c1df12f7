"""The rows of the result: a curve for each detector, level, zone of the light and surrounding."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import beta

from train.pod.hit_miss import CONFIDENCE, Fit, NoCurve, fit
from train.pod.responses import Inspector, Response
from train.pod.settings import ZONES, Settings

#: In place of a zone's name, for all of them.
ALL = "all"

#: Surroundings of a flaw.
CLEAN, IMPURE = "clean", "impurities near"

#: A zone with a smaller share of a detector's trials is not waited for.
RARE = 0.1


@dataclass(frozen=True)
class Row:
    """One curve, and what it rests on.

    Attributes:
        detector: name of the inspector.
        level: as printed, such as "depth_per_width 0.1"; empty where there are no levels.
        surroundings: CLEAN or IMPURE.
        zone: of the light, or ALL.
        sizes: (N,) of the flaws whose place is not flagged without them.
        hits: (N,) bool, which of them are found.
        false_calls: how many places are flagged without a flaw.
        places: of how many.
        fit: the curve; None where there is none.
        reason: why there is none.
        waited_for: whether enough trials fall into it that its precision counts.
    """

    detector: str
    level: str
    surroundings: str
    zone: str
    sizes: np.ndarray
    hits: np.ndarray
    false_calls: int
    places: int
    fit: Fit | None
    reason: str
    waited_for: bool

    @property
    def excess(self) -> float | None:
        """How far a90/95 lies above a90, as a share of it."""
        if self.fit is None:
            return None
        return self.fit.upper_size(0.9) / self.fit.curve.size(0.9) - 1

    @property
    def false_call_bound(self) -> float:
        """Upper bound of the false-call rate, one-sided (Clopper and Pearson)."""
        if self.false_calls == self.places:
            return 1.0
        return float(beta.ppf(CONFIDENCE, self.false_calls + 1, self.places - self.false_calls))

    def numbers(self) -> dict[str, Any]:
        """Return what is printed and written of it, by name; None where there is no such number."""
        found: dict[str, Any] = {
            "detector": self.detector,
            "level": self.level,
            "surroundings": self.surroundings,
            "zone": self.zone,
            "trials": len(self.hits),
            "hits": int(self.hits.sum()),
            "largest": float(self.sizes.max()) if len(self.sizes) else None,
            "false_calls": self.false_calls,
            "places": self.places,
            "false_call_bound": self.false_call_bound,
        }
        if self.fit is None:
            return {**found, "reason": self.reason}
        bound = self.fit.upper_size(0.9)
        return {
            **found,
            "a50": self.fit.curve.size(0.5),
            "a90": self.fit.curve.size(0.9),
            "a90_95": bound if math.isfinite(bound) else None,
            "a90_95_wald": self.fit.wald_size(0.9),
            "a90_95_by_plate": self.fit.wald_size(0.9, by_plate=True),
            "intercept": self.fit.curve.intercept,
            "slope": self.fit.curve.slope,
            "goodness": self.fit.goodness,
            "reason": "",
        }


def rows(settings: Settings, inspector: Inspector, responses: Sequence[Response]) -> Iterator[Row]:
    """Yield the rows of a detector; zones and surroundings that no trial is in are left out."""
    levels = settings.level_values()
    for place, keys in enumerate(levels):
        level = ", ".join(f"{key} {value}" for key, value in keys.items())
        of_level = [known for known in responses if known.trial.level == place]
        for surroundings in (CLEAN, IMPURE):
            of_kind = [
                known for known in of_level if surroundings == CLEAN or known.impure is not None
            ]
            for zone in (ALL, *ZONES):
                members = [k for k in of_kind if zone in (ALL, k.zone(settings.zones))]
                if members:
                    share = len(members) / len(of_level)
                    yield _row(inspector, level, surroundings, zone, members, share >= RARE)


def _row(
    inspector: Inspector,
    level: str,
    surroundings: str,
    zone: str,
    members: Sequence[Response],
    waited_for: bool,
) -> Row:
    sizes, hits, plates = [], [], []
    for known in members:
        scores = known.clean if surroundings == CLEAN or known.impure is None else known.impure
        hit = scores.hit(inspector.threshold)
        if hit is not None:
            sizes.append(known.trial.size)
            hits.append(hit)
            plates.append(known.batch * 1_000_000 + known.trial.plate)
    arrays = np.array(sizes, np.float64), np.array(hits, bool)
    found, reason = None, ""
    try:
        if not hits:
            raise NoCurve("every place is flagged without a flaw")
        found = fit(*arrays, np.array(plates))
    except NoCurve as error:
        reason = str(error)
    false = len(members) - len(hits)
    return Row(
        inspector.name,
        level,
        surroundings,
        zone,
        *arrays,
        false,
        len(members),
        found,
        reason,
        waited_for and surroundings == CLEAN,
    )


def precise(found: Sequence[Row], precision: float) -> bool:
    """Tell whether a90/95 lies near enough to a90 in every row that is waited for."""
    wanted = [row.excess for row in found if row.waited_for]
    return bool(wanted) and all(excess is not None and excess <= precision for excess in wanted)
