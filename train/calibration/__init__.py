"""From scores of pictures to the probability that a picture is defective.

    calibration = fit(scores, defective)
    calibration.probability(new_scores)

The curves are fitted to labelled pictures that nothing was learned from, and assessed on others. A
probability holds for pictures among which as many are defective as among those.
"""

from train.calibration.curves import BOUNDED, CURVES, Curve, from_record, record
from train.calibration.fitting import Calibration, fit, fit_all
from train.calibration.quality import Quality, quality

__all__ = [
    "BOUNDED",
    "CURVES",
    "Calibration",
    "Curve",
    "Quality",
    "fit",
    "fit_all",
    "from_record",
    "quality",
    "record",
]
