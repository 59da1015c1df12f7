"""The section on which flaws are found: whose models, at which threshold, and what it shows."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from stainless.errors import InputError
from train.experiments.sim_to_real import detection
from train.experiments.sim_to_real.settings import Settings
from train.pod.design import Trial
from train.pod.page import HEADINGS, text_cells
from train.pod.responses import Response, Scores
from train.pod.rows import rows
from train.pod.run import Measured

HEADING = [*HEADINGS].index("a90_95")


def measured(chosen, inspectors, context):
    """Return a measurement in which a model finds what is larger than its threshold, mostly."""
    rng = np.random.default_rng(1)
    sizes = np.geomspace(0.3, 9, 80)
    responses = []
    for _ in inspectors:
        noise = 0.5 * rng.standard_normal(80)
        responses.append(
            [
                Response(
                    Trial(k, 0, (0.0, 0.0), float(size), 0),
                    0,
                    100.0,
                    Scores(float(size * np.exp(noise[k])), 0.0),
                    None,
                )
                for k, size in enumerate(sizes)
            ]
        )
    found = [
        row
        for inspector, known in zip(inspectors, responses, strict=True)
        for row in rows(chosen, inspector, known)
    ]
    return Measured(inspectors, responses, found, 1, 80, False)


@pytest.fixture
def finished(tmp_path, monkeypatch):
    """An experiment of two scenarios."""
    monkeypatch.setattr(detection, "run", measured)
    names = {"Real": 2.0, "Synth_WS": 4.0}
    (tmp_path / "figures").mkdir()
    for name, threshold in names.items():
        path = tmp_path / f"figures/{name.lower()}.0.json"
        path.write_text(json.dumps({"threshold": threshold}))
    methods = [SimpleNamespace(name=name, slug=name.lower()) for name in names]
    models = {name: tmp_path / "models" / f"{name}.safetensors" for name in names}
    return SimpleNamespace(folder=tmp_path, methods=methods, models=models)


def settings(tmp_path, **pod):
    config = tmp_path / "pod.yaml"
    config.write_text("{size: length_mm, kind: scratch, limits: [0.3, 9]}")
    chosen = Settings()
    chosen.pod.config = str(config)
    for key, value in pod.items():
        setattr(chosen.pod, key, value)
    return chosen


def test_the_chosen_scenarios_are_measured_at_their_own_thresholds(finished, tmp_path):
    own = detection.measure(settings(tmp_path), finished)
    assert own == json.loads(json.dumps(own, allow_nan=False))
    assert list(dict.fromkeys(row["detector"] for row in own["rows"])) == ["Real", "Synth_WS"]
    a90 = {row["detector"]: row["a90"] for row in own["rows"] if row["zone"] == "all"}
    assert a90["Synth_WS"] > 1.4 * a90["Real"]
    (found,) = detection.section(own, tmp_path)
    assert found.body.count("<svg") == len(own["panels"]) == 3
    assert "Synth_WS" in found.body and "a90/95" in found.body
    assert "*" not in text_cells(own["rows"][0])[HEADING]
    assert text_cells({**own["rows"][0], "largest": 1.0})[HEADING].endswith("*")
    assert text_cells({**own["rows"][0], "largest": 0.01})[HEADING] == ">0.1*"
    table = (tmp_path / "pod/pod.csv").read_text().splitlines()
    assert len(table) == 1 + len(own["rows"])


def test_without_a_measurement_there_is_no_section(finished, tmp_path):
    assert detection.measure(Settings(), finished) is None
    assert detection.measure(settings(tmp_path, scenarios=["Melding"]), finished) is None
    assert detection.section(None, tmp_path) == []


def test_a_lost_diagram_is_a_line(finished, tmp_path):
    own = detection.measure(settings(tmp_path), finished)
    (tmp_path / "pod/curves_1.svg").unlink()
    with pytest.raises(InputError, match=r"curves_1.svg: missing; run the experiment again"):
        detection.section(own, tmp_path)


def test_a_measurement_of_another_resolution_is_refused_before_anything(tmp_path):
    chosen = settings(tmp_path)
    detection.check(chosen)
    detection.check(Settings())
    chosen.real.scale = 1.0
    with pytest.raises(InputError, match=r"has scale 0.25, expected that of real.scale, 1.0"):
        detection.check(chosen)
    chosen.pod.config = str(tmp_path / "none.yaml")
    with pytest.raises(InputError, match=r"none.yaml: no such file"):
        detection.check(chosen)


def test_unknown_scenarios_are_refused():
    chosen = Settings()
    chosen.pod.scenarios = ["Surreal"]
    with pytest.raises(ValueError, match=r"pod.scenarios: Surreal, expected some of Real"):
        chosen.validate()
