"""Three of anomalib's own models, trained here and judged with the same measures.

    costs = run_baseline("padim", nominal, {"test": samples}, out, BaselineSettings(), seed=0)

They share backbone, weights, stages and pictures with Sequential PatchCore, so that a difference in
the table is one of the methods. Each module says where that leaves anomalib's defaults.
"""

from train.experiments.baselines.run import run_baseline
from train.experiments.baselines.settings import BASELINES, BaselineSettings

__all__ = ["BASELINES", "BaselineSettings", "run_baseline"]
