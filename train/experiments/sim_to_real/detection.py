"""Which flaws the main scenarios find, by their size: what does finetuning do to the smallest one?

All models score the same renders, each at the threshold of pixels that its figures are of.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from stainless.errors import InputError
from stainless.files import shipped
from train.detectors.detector import Context
from train.experiments.experiment import Finished
from train.experiments.scoring import figures_file
from train.experiments.sim_to_real.settings import Detection, Settings
from train.pod import page
from train.pod.responses import Inspector
from train.pod.run import run
from train.pod.settings import Settings as Measurement
from train.pod.settings import read_settings
from train.report.markup import escape
from train.report.sections import Section

#: Where the measurement lies in the folder of the experiment.
FOLDER = "pod"


def measurement(chosen: Detection, out: Path) -> Measurement:
    """Return the settings of the measurement, its results below those of the experiment.

    Raises:
        InputError: as `read_settings`.
    """
    overrides = [("out", json.dumps(str(out / FOLDER)))]
    if chosen.plates is not None:
        overrides.append(("plates", str(chosen.plates)))
    return read_settings(shipped(Path(str(chosen.config))), overrides)


def check(settings: Settings) -> None:
    """Refuse, before hours of work, a measurement that cannot be made.

    Raises:
        InputError: its settings are wrong, or of another resolution.
    """
    if settings.pod.config is None:
        return
    found = measurement(settings.pod, Path(settings.out))
    if found.scale != settings.real.scale:
        raise InputError(
            f"pod.config: {settings.pod.config} has scale {found.scale}, expected that of "
            f"real.scale, {settings.real.scale}"
        )


def measure(settings: Settings, finished: Finished) -> dict[str, Any] | None:
    """Measure the models of the chosen scenarios; write page and tables beside the report's.

    Returns:
        JSON-able, for `section`; None where nothing is measured.

    Raises:
        InputError: as `train.pod.run.run`.
    """
    known = {method.name: method for method in finished.methods}
    names = [name for name in settings.pod.scenarios if name in known]
    if settings.pod.config is None or not names:
        return None
    inspectors = []
    for name in names:
        figures = figures_file(finished.folder, known[name].slug, settings.seed)
        threshold = json.loads(figures.read_text(encoding="utf-8"))["threshold"]
        inspectors.append(Inspector(name, finished.models[name], float(threshold)))
    chosen = measurement(settings.pod, finished.folder)
    measured = run(chosen, inspectors, Context(seed=settings.seed, device=settings.device))
    page.write(chosen, measured, f"stainless pod --config {settings.pod.config}")
    return {
        "title": f"Which {chosen.kind} is found",
        "summary": page.summary(chosen, measured),
        "explanation": page.explanation(chosen),
        "rows": [row.numbers() for row in measured.rows],
        "panels": [page.panel_name(k) for k in range(len(page.panels(chosen, measured.rows)))],
    }


def section(own: dict[str, Any] | None, folder: Path) -> list[Section]:
    """Return the section of the report; none where nothing was measured.

    Raises:
        InputError: a diagram is missing.
    """
    if own is None:
        return []
    drawn = []
    for name in own["panels"]:
        path = folder / FOLDER / name
        if not path.is_file():
            raise InputError(f"{path}: missing; run the experiment again")
        drawn.append(path.read_text(encoding="utf-8"))
    body = (
        f"<p>{escape(own['summary'])}. All models score the same renders, each at its own "
        f"threshold of pixels.</p>{page.table(own['rows'])}{own['explanation']}"
        f"{page.figures(drawn)}"
    )
    return [Section("detection", "Detection", own["title"], body)]
