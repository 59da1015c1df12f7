"""The nineteen scenarios of the paper's Table II, as data.

Source: Mao et al., arXiv 2501.09579, section V. DA is data augmentation, DR domain randomisation:
the other lights beside the first; WS: pictures with water stains. A finetuned scenario continues
from the coreset of another on the real pictures, as they are. Melding joins coresets that were
fitted separately on the real pictures and on the synthetic, randomised and augmented sets.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

#: Sets of pictures: the real one, and the synthetic ones without and with the other lights.
REAL, CLEAN, CLEAN_LIGHTS, STAINED, STAINED_LIGHTS = (
    "real",
    "clean",
    "clean_lights",
    "stained",
    "stained_lights",
)


@dataclass(frozen=True)
class Scenario:
    """How one detector comes to know what is nominal.

    Attributes:
        name: as in Table II.
        family: real, synthetic, finetuned or melded.
        trainset: which pictures are fitted to; None when melded.
        augment: whether they are varied.
        base: name of the scenario whose coreset is continued from; None for a fit from nothing.
        sources: names of the scenarios whose coresets are melded, in this order.
    """

    name: str
    family: str
    trainset: str | None = None
    augment: bool = False
    base: str | None = None
    sources: tuple[str, ...] = ()

    @property
    def needs(self) -> tuple[str, ...]:
        """Names of the scenarios that come before it."""
        return self.sources + ((self.base,) if self.base is not None else ())


def _scenarios() -> Iterator[Scenario]:
    yield Scenario("Real", "real", REAL)
    synthetic = [
        Scenario(f"{kind}{ending}", "synthetic", trainset, augment)
        for kind, plain, lights in (
            ("Synth", CLEAN, CLEAN_LIGHTS),
            ("Synth_WS", STAINED, STAINED_LIGHTS),
        )
        for ending, trainset, augment in (
            ("", plain, False),
            (" DA", plain, True),
            (" DR", lights, False),
            (" DR+DA", lights, True),
        )
    ]
    yield from synthetic
    for scenario in synthetic:
        yield Scenario(f"{scenario.name} finetuned", "finetuned", REAL, base=scenario.name)
    for name, kind in (("Melding", "Synth"), ("Melding_WS", "Synth_WS")):
        yield Scenario(name, "melded", sources=("Real", kind, f"{kind} DR", f"{kind} DA"))


SCENARIOS: tuple[Scenario, ...] = tuple(_scenarios())


def chosen(names: Sequence[str]) -> list[Scenario]:
    """Return the named scenarios, all of them for no name, in the order of Table II."""
    return [scenario for scenario in SCENARIOS if not names or scenario.name in names]


def with_needs(wanted: Sequence[Scenario]) -> list[Scenario]:
    """Return the scenarios and all that they need, in the order of Table II."""
    known = {scenario.name: scenario for scenario in SCENARIOS}
    needed = {scenario.name for scenario in wanted}
    while more := {need for name in needed for need in known[name].needs} - needed:
        needed |= more
    return [scenario for scenario in SCENARIOS if scenario.name in needed]
