"""The smallest detector."""

import numpy as np

from train.detectors.detector import Score


class MeanGrey:
    """Scores pixels by their distance to the mean grey of nominal pictures, in spreads."""

    def __init__(self, settings, context):
        self.settings, self.context = settings, context
        self.mean, self.spread = 0.0, 1.0

    def fit(self, trainsets):
        grey = np.concatenate(
            [sample.load().ravel() for trainset in trainsets for sample in trainset.samples]
        )
        self.mean = float(grey.mean())
        self.spread = max(float(grey.std()), self.settings.least_spread)

    def score(self, images):
        maps = [np.abs(image.mean(axis=2) - self.mean) / self.spread for image in images]
        return [Score(float(found.max()), found.astype(np.float32)) for found in maps]

    def state(self):
        return {"grey": np.array([self.mean, self.spread])}, {}

    @classmethod
    def from_state(cls, settings, arrays, metadata, context):
        detector = cls(settings, context)
        detector.mean, detector.spread = arrays["grey"].tolist()
        return detector
