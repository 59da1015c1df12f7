"""What may be behind a finding: how far apart the real and the synthetic pictures are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from stainless.dataset import Sample, load_annotation
from train.detectors.detector import Context
from train.detectors.model_file import Model
from train.detectors.sequential_patchcore.coreset import Coreset
from train.experiments.experiment import Finished
from train.experiments.feature_store import FeatureStore
from train.experiments.sim_to_real.scenarios import REAL, STAINED
from train.patch_grid import GRID_WIDTH, PatchGrid

#: Pictures that are measured of each set.
PICTURES = 24

#: Width in pixels of the ring around a stain that it is compared with.
RING_PX = 6

#: Scenarios whose distance to the real pictures is measured, and those that mix two kinds.
NEAR = ("Real", "Synth", "Synth_WS")
MIXED = ("Synth DR+DA finetuned", "Melding", "Synth_WS DR+DA finetuned", "Melding_WS")


@dataclass(frozen=True)
class Evidence:
    """What was measured of the sets; None where they cannot be measured.

    Attributes:
        real_contrast: median over stains of the real test pictures: mean absolute difference
            between a stain's pixels and the mean of the ring around it, in grey levels of 255.
        synthetic_contrast: the same of the stained training pictures.
        distances: median distance of the patches of real nominal pictures to their nearest member,
            by name of the coreset.
        members_on_stains: share of the members of Synth_WS that lie on a stain.
        real_shares: share of the members that were seen on real pictures, by name of the coreset.
    """

    real_contrast: float | None
    synthetic_contrast: float | None
    distances: dict[str, float]
    members_on_stains: float | None
    real_shares: dict[str, float]

    def reason(self, finding: str) -> str:
        """Say in a sentence or two what the measurements make of a finding that does not hold."""
        if finding in ("stains", "defects"):
            return " ".join(filter(None, [self._stains(), self._gap()]))
        if finding == "augmentation":
            return self._gap()
        if finding == "melding" and self.real_shares:
            shares = ", ".join(f"{name} {share:.0%}" for name, share in self.real_shares.items())
            return (
                "Both keep what is far from all else, wherever it was seen, so that they end with "
                f"much the same members; share of real ones: {shares}."
            )
        if finding == "finetuning":
            return (
                "Real-only training has seen the very domain that it is tested on, so that the "
                f"synthetic members can only add to it. {self._gap()}"
            ).strip()
        return ""

    def _stains(self) -> str:
        sentences = []
        if self.real_contrast is not None and self.synthetic_contrast is not None:
            ratio = self.real_contrast / max(self.synthetic_contrast, 1e-6)
            word = (
                "darker than" if ratio > 1.25 else "fainter than" if ratio < 0.8 else "as dark as"
            )
            sentences.append(
                f"The stains of the test pictures are {word} "
                f"those learned from ({self.real_contrast:.1f} against "
                f"{self.synthetic_contrast:.1f} grey levels)."
            )
        if self.members_on_stains is not None:
            sentences.append(
                f"{self.members_on_stains:.0%} of the members of Synth_WS lie on a stain."
            )
        return " ".join(sentences)

    def _gap(self) -> str:
        known = self.distances
        if "Real" not in known or len(known) < 2:
            return ""
        others = ", ".join(f"{name} {value:.1f}" for name, value in known.items() if name != "Real")
        far = max(value for name, value in known.items() if name != "Real") / known["Real"]
        word = "far" if far > 1.5 else "not far"
        return (
            f"The synthetic domain is {word} from the real one: a real nominal patch lies "
            f"{known['Real']:.1f} from its nearest member of Real (median), of {others}."
        )


def contrast(samples: Sequence[Sample], name: str) -> float | None:
    """Return the median contrast of the instances of a class, in grey levels of 255."""
    found = []
    for sample in _some([sample for sample in samples if sample.annotation is not None]):
        classes, instances, names = load_annotation(sample)
        index = next((number for number, known in names.items() if known.name == name), None)
        here = classes == index
        if index is None or not here.any():
            continue
        grey = sample.load().mean(axis=2)
        free = classes == 0
        for number in np.unique(instances[here]):
            inside = here & (instances == number)
            kernel = np.ones((2 * RING_PX + 1, 2 * RING_PX + 1), np.uint8)
            ring = (cv2.dilate(inside.astype(np.uint8), kernel) > 0) & free
            if ring.any():
                found.append(float(np.abs(grey[inside] - grey[ring].mean()).mean()))
    return float(np.median(found)) if found else None


def distance(coreset: Coreset, samples: Sequence[Sample], store: FeatureStore) -> float:
    """Return the median distance of the patches of pictures to their nearest member."""
    found = [
        coreset.nearest(store(sample).flatten(0, 1))[0].cpu().numpy() for sample in _some(samples)
    ]
    return float(np.median(np.concatenate(found)))


def share_on(
    coreset: Coreset, samples: Sequence[Sample], name: str, grid: PatchGrid
) -> float | None:
    """Return the share of a coreset's members that were seen on a class.

    Args:
        coreset: with the provenance of its members.
        samples: the pictures that it was fitted to, by whose names the members are known.
        name: of the class.
        grid: where the patches of a picture lie.
    """
    by_name = {sample.name: sample for sample in samples}
    wanted: dict[str, list[int]] = {}
    for member in range(len(coreset)):
        origin = coreset.origin(member)
        if origin is not None and origin.image in by_name:
            wanted.setdefault(origin.image, []).append(origin.position)
    on = total = 0
    for image, positions in wanted.items():
        if by_name[image].annotation is None:
            continue
        classes, _, names = load_annotation(by_name[image])
        index = next((number for number, known in names.items() if known.name == name), -1)
        for position in positions:
            x, y, width, height = grid.box(*divmod(position, GRID_WIDTH))
            on += bool((classes[y : y + height, x : x + width] == index).any())
            total += 1
    return on / total if total else None


def share_of(coreset: Coreset, source: str) -> float:
    """Return the share of a coreset's members that were seen on the pictures of a source."""
    origins = [coreset.origin(member) for member in range(len(coreset))]
    return sum(origin is not None and origin.dataset == source for origin in origins) / len(origins)


def _some(samples: Sequence[Sample]) -> list[Sample]:
    """Return a few pictures, evenly over all of them."""
    places = np.linspace(0, len(samples) - 1, min(PICTURES, len(samples))).round().astype(int)
    return [samples[place] for place in places]


def coreset_of(finished: Finished, name: str) -> Coreset:
    """Return the coreset of a method."""
    detector = Model.load(finished.models[name], Context(scores=False)).detector
    coreset: Coreset = detector.coreset  # type: ignore[attr-defined]
    return coreset


def gather(finished: Finished, stain: str | None) -> Evidence:
    """Measure.

    Args:
        finished: the experiment.
        stain: class of the stain; None for none.
    """
    pictures = finished.pictures
    category = pictures.trainsets[REAL][0].name
    # Real nominal pictures that no coreset has seen, or else those of the training.
    nominal = [sample for sample in pictures.test if sample.is_good] or _samples(finished, REAL)
    stained = _samples(finished, STAINED)
    methods = {m.name: m for m in finished.methods if m.name in (*NEAR, *MIXED)}
    coresets = {name: coreset_of(finished, name) for name in methods}
    on_stains = None
    if stain is not None and "Synth_WS" in coresets and stained:
        grid = finished.store(methods["Synth_WS"]).extractor.grid
        on_stains = share_on(coresets["Synth_WS"], stained, stain, grid)
    return Evidence(
        contrast(pictures.test, stain) if stain is not None else None,
        contrast(stained, stain) if stain is not None and stained else None,
        {
            name: distance(coresets[name], nominal, finished.store(methods[name]))
            for name in NEAR
            if name in coresets
        },
        on_stains,
        {name: share_of(coresets[name], category) for name in MIXED if name in coresets},
    )


def _samples(finished: Finished, key: str) -> list[Sample]:
    """Return the pictures of a trainset; none if it is not used."""
    trainsets = finished.pictures.trainsets.get(key, [])
    return [sample for trainset in trainsets for sample in trainset.samples]
