"""The methods of the survey, as data: what each is, and what it needs.

Source: Saghir, "Ensemble Methods for Visual Anomaly Detection in Manufacturing Settings", 2024,
sections 2.2 and 4.1: one method or two of each kind, with the parameters of its own paper. Another
row of the tables is another entry here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

#: Families of methods and their headings, in the order of the tables.
FAMILIES = {
    "memory": "Memory of nominal patches",
    "distribution": "Distribution of nominal features",
    "one_class": "One class against noise",
    "reconstruction": "Reconstruction",
    "teacher": "Teacher and student",
    "ensemble": "Ensembles",
    "black": "The same, everything outside the part black",
}

#: The offline network that stands in for that of a paper whose weights cannot be had.
STAND_IN = "features of EfficientNet-Lite0 in place of {}"


@dataclass(frozen=True)
class Scenario:
    """A row of the tables.

    Attributes:
        name: as printed.
        family: a key of FAMILIES.
        method: of `stainless methods`.
        settings: what is not the method's default; the defaults are the published ones.
        note: what must be known to compare it.
        weights: key of the setting with the weight file that it cannot run without; None for a
            method that needs none.
        published: mean image AUROC on MVTec AD that the source quotes (table 2.1); None where it
            quotes none. Its own tables, of LOCO and of the connector, are empty.
        members: names of the scenarios that it combines.
    """

    name: str
    family: str
    method: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    note: str | None = None
    weights: str | None = None
    published: float | None = None
    members: tuple[str, ...] = ()


SCENARIOS: tuple[Scenario, ...] = (
    Scenario(
        "PatchCore",
        "memory",
        "patchcore",
        note=STAND_IN.format("wide ResNet-50"),
        published=0.992,
    ),
    Scenario("Sequential PatchCore", "memory", "sequential_patchcore"),
    Scenario("PaDiM", "distribution", "padim", note=STAND_IN.format("ResNet-18")),
    Scenario(
        "CS-Flow",
        "distribution",
        "csflow",
        note=STAND_IN.format("EfficientNet-B5"),
        weights="csflow",
        published=0.987,
    ),
    Scenario(
        "SimpleNet",
        "one_class",
        "simplenet",
        note=STAND_IN.format("wide ResNet-50"),
        published=0.996,
    ),
    Scenario(
        "DRAEM", "reconstruction", "draem", note="artificial anomalies of noise", published=0.980
    ),
    Scenario(
        "Reverse distillation",
        "teacher",
        "reverse_distillation",
        note="Deng and Li's; the source's RD++ is not built",
        weights="reverse_distillation",
        published=0.994,
    ),
    Scenario("EfficientAD", "teacher", "efficient_ad", weights="efficient_ad"),
    Scenario(
        "Feature ensemble",
        "ensemble",
        "feature_ensemble",
        members=("SimpleNet", "PatchCore"),
    ),
    Scenario(
        "Mean of scores",
        "ensemble",
        "score_ensemble",
        {"join": "mean"},
        members=("SimpleNet", "PatchCore"),
    ),
    Scenario(
        "Maximum of scores",
        "ensemble",
        "score_ensemble",
        {"join": "maximum"},
        members=("SimpleNet", "PatchCore"),
    ),
)


def chosen(names: Sequence[str]) -> list[Scenario]:
    """Return the named scenarios, all of them for no name, in the order of the tables."""
    return [scenario for scenario in SCENARIOS if not names or scenario.name in names]
