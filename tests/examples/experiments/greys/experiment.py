"""The smallest experiment: two methods, one claim, one section of its own."""

from dataclasses import replace
from pathlib import Path

from stainless.dataset import read_category
from train.detectors.detector import Trainset, method
from train.experiments.datasets import read_labelled
from train.experiments.experiment import Conclusion, Dataset, Experiment, MethodEntry, Pictures
from train.report.sections import Section, general


class Greys(Experiment):
    """A coreset of patches against the mean grey."""

    families = {"grey": "Pixels", "patch": "Patches"}  # noqa: RUF012

    def __init__(self, settings):
        self.settings = settings
        self.root = Path(settings.data)

    def datasets(self):
        return (Dataset("data", self.root, None),)

    def methods(self):
        grey = method("mean_grey").settings()
        patches = replace(
            method("sequential_patchcore").settings(), size=self.settings.size, epochs=1
        )
        return (
            MethodEntry("Grey", "grey", "mean_grey", grey, "nominal"),
            MethodEntry("Patches", "patch", "sequential_patchcore", patches, "nominal"),
        )

    def pictures(self):
        labelled = read_labelled(self.root, "cell", None, 0, self.settings.seed, "--hold_out")
        nominal = [Trainset("cell", read_category(self.root, "cell", "train"))]
        return Pictures({"nominal": nominal}, labelled.validation, labelled.test, labelled.note)

    def conclude(self, finished):
        compared = finished.comparisons
        claim = compared.finding(
            "Patches tell more", [compared.difference("f1", "Grey", "Patches", 1)]
        )
        return Conclusion(
            [claim], {"learned": len(finished.pictures.trainsets["nominal"][0].samples)}
        )

    @staticmethod
    def page(results, reading, folder):
        page = general(results, reading)
        text = f"<p>Learned from {results['own']['learned']} pictures.</p>"
        own = Section("learned", "Pictures learned from", "What was learned from", text)
        return replace(page, sections=[*page.sections, own])


EXPERIMENT = Greys
