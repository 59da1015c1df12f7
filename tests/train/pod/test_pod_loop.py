"""The measurement batch by batch with a detector whose true curve is known, in place of renders."""

import json
from pathlib import Path

import numpy as np
import pytest

from stainless.errors import InputError
from train.detectors.detector import Context
from train.pod import run as loop
from train.pod.batches import read_scene, scene_file
from train.pod.hit_miss import Curve
from train.pod.page import curve_table, panels, write
from train.pod.responses import Inspector, Response, Scores
from train.pod.settings import Settings

#: By column of the grid: light zone by its grey level, and the true curve there.
COLUMNS = ((40.0, Curve(-1.0, 4.0)), (160.0, Curve(-5.0, 4.0)))
FALSE = 0.05


def settings(folder: Path, **more: object) -> Settings:
    return Settings(
        **{
            "out": str(folder / "out"),
            "data": str(folder / "data"),
            "size": "length_mm",
            "limits": (0.3, 12.0),
            "grid": (2, 2),
            "room_mm": 12.0,
            "batch": 10,
            "plates": 30,
            **more,
        }
    )


def response(batch, trial, shift=0.0):
    """Return what the detector makes of a trial; flagged is a score of 1."""
    seed = [batch, trial.plate, trial.cell, int(shift * 10)]
    hit, false, stain = np.random.default_rng(seed).random(3)
    grey, curve = COLUMNS[trial.cell % 2]
    found = float(hit < curve.at(np.array(trial.size * np.exp(shift))))
    bare = float(false < FALSE)
    impure = Scores(found, bare) if stain < 0.5 else None
    return Response(trial, batch, grey, Scores(found, bare), impure)


@pytest.fixture
def simulated(monkeypatch):
    """Measurements of detectors that are named by how much better they see."""
    rendered = []

    def measure(chosen, *shifts, plates=None):
        inspectors = []
        for shift in shifts:
            model = Path(chosen.out).with_name(f"see{shift:g}.model")
            model.parent.mkdir(parents=True, exist_ok=True)
            model.write_text(str(shift))
            inspectors.append(Inspector(model.stem, model, 0.5))
        return loop.run(chosen, inspectors, Context())

    def render(chosen, batch):
        rendered.append(batch)
        return scene_file(chosen, batch).with_suffix("")

    monkeypatch.setattr(loop.batches, "render", render)
    monkeypatch.setattr(loop, "open_model", lambda known, context: float(known.model.read_text()))
    monkeypatch.setattr(
        loop,
        "score_batch",
        lambda shift, chosen, batch, trials, root: [response(batch, t, shift) for t in trials],
    )
    measure.rendered = rendered
    return measure


def row(measured, zone="all", surroundings="clean", detector=None):
    return next(
        r
        for r in measured.rows
        if (r.zone, r.surroundings) == (zone, surroundings) and detector in (None, r.detector)
    )


def test_the_true_curves_are_found_zone_by_zone(simulated, tmp_path):
    measured = simulated(settings(tmp_path, plates=60), 0.0)
    assert [r.zone for r in measured.rows[:3]] == ["all", "dark field", "bright field"]
    for zone, (_, curve) in zip(("dark field", "bright field"), COLUMNS, strict=True):
        found = row(measured, zone)
        assert found.fit.curve.size(0.9) == pytest.approx(curve.size(0.9), rel=0.3)
        assert curve.size(0.9) < 1.1 * found.fit.upper_size(0.9)
        # Places that are flagged without a flaw count for no curve.
        assert len(found.hits) + found.false_calls == found.places
        assert 0.01 < found.false_calls / found.places < 0.12 < 3 * found.false_call_bound
    assert row(measured, surroundings="impurities near").places < row(measured).places


def test_it_ends_when_the_precision_is_reached(simulated, tmp_path):
    rough = simulated(settings(tmp_path / "rough", precision=2.0), 0.0)
    fine = simulated(settings(tmp_path / "fine", precision=1e-3), 0.0)
    assert rough.precise and rough.batches < 3
    assert not fine.precise and (fine.batches, fine.plates) == (3, 30)


def test_later_sizes_are_where_each_zone_is_steep(simulated, tmp_path):
    chosen = settings(tmp_path, precision=1e-3)
    simulated(chosen, 0.0)
    trials = [t for batch in range(1, 3) for t in read_scene(chosen, batch)]
    dark, bright = (np.median([t.size for t in trials if t.cell % 2 == k]) for k in (0, 1))
    assert dark < 0.7 * bright
    placed = [(t.plate, t.cell) for t in read_scene(chosen, 0)]
    assert placed == [(plate, cell) for plate in range(10) for cell in range(4)]
    assert len({t.center_mm for t in trials}) == len(trials)
    for trial in trials:
        x, y = trial.center_mm
        # 36 by 29 mm in two by two cells, 12 mm for a flaw.
        assert 6 <= abs(x) <= 12 and 6 <= abs(y) <= 8.5


def test_interrupted_it_ends_the_same(simulated, tmp_path):
    whole = simulated(settings(tmp_path / "whole"), 0.0)
    cut = settings(tmp_path / "cut")
    simulated(settings(tmp_path / "cut", plates=20), 0.0)
    (Path(cut.out) / "scores/see0/batch_01.json").unlink()
    again = simulated(cut, 0.0)
    assert curve_table(cut, again.rows) == curve_table(cut, whole.rows)
    assert again.responses == whole.responses


def test_other_detectors_are_measured_by_the_same_flaws(simulated, tmp_path):
    chosen = settings(tmp_path, precision=0.5)
    first = simulated(chosen, 0.0)
    both = simulated(chosen, 0.0, 0.5)
    assert [known.trial for known in both.responses[0]][: len(first.responses[0])] == [
        known.trial for known in first.responses[0]
    ]
    assert [k.trial for k in both.responses[0]] == [k.trial for k in both.responses[1]]
    better, worse = (row(both, detector=name).fit.curve.size(0.9) for name in ("see0.5", "see0"))
    assert better < 0.9 * worse


def test_a_level_has_rows_of_its_own(simulated, tmp_path):
    chosen = settings(tmp_path, levels={"depth_per_width": [0.1, 0.2]}, plates=10)
    measured = simulated(chosen, 0.0)
    levels = [r.level for r in measured.rows if (r.zone, r.surroundings) == ("all", "clean")]
    assert levels == ["depth_per_width 0.1", "depth_per_width 0.2"]
    counts = [r.places for r in measured.rows if (r.zone, r.surroundings) == ("all", "clean")]
    assert counts == [20, 20]
    scene = scene_file(chosen, 0).read_text()
    assert "depth_per_width: 0.1" in scene and "depth_per_width: 0.2" in scene


def test_the_page_has_a_diagram_of_each_surrounding(simulated, tmp_path):
    chosen = settings(tmp_path, plates=20)
    measured = simulated(chosen, 0.0, 0.5)
    page = write(chosen, measured, "stainless pod")
    assert len(panels(chosen, measured.rows)) == 5
    text = page.read_text()
    assert f"<h1>{chosen.title}</h1>" in text and "{" not in text.partition("</style>")[2]
    assert text.count("<svg") == 5 and "see0.5" in text and "a90/95" in text
    rows = (page.parent / "pod.csv").read_text().splitlines()
    assert len(rows) == 1 + len(measured.rows)
    assert len((page.parent / "trials.csv").read_text().splitlines()) == 1 + 2 * 80
    before = {path: path.read_bytes() for path in page.parent.glob("*.*")}
    write(chosen, measured, "stainless pod")
    assert {path: path.read_bytes() for path in page.parent.glob("*.*")} == before


def test_renders_of_another_design_are_not_taken(simulated, tmp_path):
    simulated(settings(tmp_path, plates=10), 0.0)
    with pytest.raises(InputError, match=r"designed with seed 1, now it is 2"):
        simulated(settings(tmp_path, seed=2), 0.0)
    scene = scene_file(settings(tmp_path), 0)
    scene.write_text(scene.read_text().replace("length_mm", "width_um"))
    with pytest.raises(InputError, match=r"batch_00.yaml: was changed"):
        simulated(settings(tmp_path), 0.0)
    (tmp_path / "data/design.json").unlink()
    with pytest.raises(InputError, match="holds other files"):
        simulated(settings(tmp_path), 0.0)


def test_damaged_scores_are_refused(simulated, tmp_path):
    chosen = settings(tmp_path, plates=10)
    simulated(chosen, 0.0)
    kept = Path(chosen.out) / "scores/see0/batch_00.json"
    kept.write_text(json.dumps({"key": 3})[:-1])
    with pytest.raises(InputError, match="damaged; remove it"):
        simulated(chosen, 0.0)
