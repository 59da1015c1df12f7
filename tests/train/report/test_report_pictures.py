"""Which pictures stand behind a number, which cases are the worst, what colour goes where."""

from __future__ import annotations

import json

import numpy as np
import pytest

from train.experiments.experiment import Experiment
from train.experiments.sim_to_real.experiment import SimToReal
from train.experiments.sim_to_real.memory_map import patch_picture, project
from train.experiments.sim_to_real.settings import Settings
from train.report.candidates import RULES
from train.report.cases import around, close_up
from train.report.charts import learning_panels
from train.report.evidence import class_order, order
from train.report.grid import grid_pictures
from train.report.marks import overlay, reduced
from train.report.plot import linear, logarithmic
from train.report.reading import Reading, regular
from train.report.results import read_results


@pytest.fixture
def results(experiment):
    return read_results(experiment)


def method(results, name):
    return next(known for known in results["methods"] if known["name"] == name)


@pytest.mark.parametrize(
    "name, metric, expected",
    [
        ("Real", "precision", ["defective/000", "good/003"]),
        (
            "PatchCore",
            "precision",
            ["defective/000", "defective/001", "defective/002", "good/003", "good/004"],
        ),
        ("Synth", "precision", []),
        ("Real", "recall", ["defective/001", "defective/000", "defective/002"]),
        ("Real", "mean_defect_recall", ["defective/001", "defective/000", "defective/002"]),
        ("Real", "f1", ["defective/001", "good/003", "defective/000", "defective/002"]),
        ("Real", "false_alarm_rate", ["good/003"]),
        # 165, 0 and 40 flagged pixels on defective pictures, 25 and 0 on good ones.
        ("Real", "image_auroc", ["defective/001", "good/003", "good/004"]),
    ],
)
def test_the_pictures_behind_a_metric(results, name, metric, expected):
    assert order(method(results, name), metric) == [f"test/{place}" for place in expected]


def test_the_pictures_behind_a_class(results):
    real = method(results, "Real")
    for metric in ("pixel_recall", "mean_recall"):
        assert class_order(real, metric, "dent", "defect") == [
            "test/defective/001",
            "test/defective/000",
        ]
    # Of an impurity the worst is the one that is flagged most: a half before a quarter.
    assert class_order(real, "pixel_recall", "water_stain", "impurity") == [
        "test/defective/000",
        "test/good/003",
    ]


def test_the_worst_cases_are_those_of_the_rules(results, experiment):
    candidates = Reading(results, experiment).candidates
    real = method(results, "Real")
    found = {rule: candidates.worst(real, rule) for rule in RULES}
    names = [image["name"] for image in results["images"]]
    spill = found["spill"]
    assert names[spill.place] == "test/defective/000" and spill.box == (10, 10, 10, 10)
    # Two pixels are near: of the columns 6 to 9 the last two, and the first two leak.
    assert spill.size == 20 and found["leak"].size == 20
    assert found["leak"].box == (6, 10, 14, 10)
    assert found["narrow"] is None
    assert names[found["impurity"].place] == "test/defective/000"
    assert found["impurity"].size == 75 and found["impurity"].name == "water_stain"
    missed = found["missed"]
    assert names[missed.place] == "test/defective/001" and missed.size == 100
    assert names[missed.beside.place] == "test/defective/000"
    # A method that finds nothing finds it nowhere else either.
    assert all(candidates.worst(method(results, "Synth"), rule) is None for rule in RULES)


def test_a_close_up_shows_the_case(results, experiment):
    reading = Reading(results, experiment)
    marked = reading.marked(0)
    flagged = reading.flagged(method(results, "Real"), 0, marked)
    bare, over = close_up(marked, flagged, (10, 10, 10, 10))
    assert bare.shape == over.shape and max(bare.shape) == 300
    scale = bare.shape[1] / 64

    def colour(x, y):
        return over[int((y + 0.5) * scale), int((x + 0.5) * scale)].astype(int)

    red, green, blue = colour(7, 15)
    assert red > green + 50 and red > blue + 50
    red, green, blue = colour(12, 15)
    assert green > red + 50 and green > blue + 30
    red, green, blue = colour(17, 15)
    assert blue > red + 50 and blue > green + 50
    assert (colour(30, 5) == bare[0, 0]).all()


def test_a_window_stays_within_the_picture():
    rows, columns = around((90, 5, 8, 8), (200, 100))
    assert (rows, columns) == (slice(0, 96), slice(4, 100))
    assert around((0, 0, 300, 10), (100, 400)) == (slice(0, 100), slice(0, 400))


def test_each_kind_of_pixel_has_its_colour():
    picture = np.zeros((1, 6, 3), np.uint8)
    flagged = np.array([[1, 1, 1, 0, 0, 1]], bool)
    defect = np.array([[1, 0, 0, 1, 0, 1]], bool)
    impurity = np.array([[0, 0, 1, 0, 1, 1]], bool)
    found, false, stain, missed, nothing, both = overlay(picture, flagged, defect, impurity)[0]
    assert found.argmax() == 1 and false.argmax() == 0 and missed.argmax() == 2
    assert stain[0] > stain[1] > stain[2] and not nothing.any()
    # A defect that shows through a stain is found all the same.
    assert (both == found).all()


def test_whatever_is_marked_still_shows_when_reduced():
    mask = np.zeros((400, 600), bool)
    mask[201, 10:590] = True
    small = reduced(mask, (300, 200))
    assert small.shape == (200, 300) and small[100, 5:295].all() and small.sum() == 290


def test_a_selection_is_regular():
    assert regular(5, 5) == [0, 1, 2, 3, 4]
    assert regular(10, 4) == [0, 2, 5, 7]


def test_the_paper_s_methods_are_shown_and_stand_ins(results):
    def shown():
        return SimToReal(Settings()).shown(results["methods"])

    assert shown() == ["Real", "Synth", "Melding & more"] == results["shown"]
    method(results, "Real")["name"] = "Photographs"
    assert shown()[0] == "Photographs"


def test_any_experiment_shows_the_best_of_each_family(results):
    for each, family in zip(results["methods"], ("a", "b", "b", "b"), strict=True):
        each["family"] = family
    assert Experiment.shown(None, results["methods"]) == ["Real", "Melding & more"]


def test_the_grid_spreads_over_the_classes(results):
    found = [results["images"][place]["name"] for place, _ in grid_pictures(results)]
    assert found == [
        "test/defective/000",
        "test/defective/002",
        "test/good/003",
        "test/good/004",
    ]


def test_the_projection_keeps_the_main_directions():
    rng = np.random.default_rng(0)
    values = np.zeros((50, 7), np.float32)
    values[:, 3], values[:, 5] = rng.standard_normal(50) * 9, rng.standard_normal(50) * 2
    places, explained = project(values)
    assert explained == pytest.approx(1.0)
    between = np.linalg.norm(values[:, None] - values, axis=2)
    assert np.allclose(np.linalg.norm(places[:, None] - places, axis=2), between, atol=1e-4)
    assert np.corrcoef(places[:, 0], values[:, 3])[0, 1] > 0.9


def test_a_patch_is_framed_where_it_lies():
    pixels = np.full((60, 80, 3), 100, np.uint8)
    shown = patch_picture(pixels, (0, 16, 8, 8))
    white = np.argwhere((shown == 255).all(axis=2))
    scale = 104 / 40
    assert white[:, 1].min() == 0 and white[:, 1].max() == round(8 * scale)
    assert white[:, 0].min() == 104 * 16 // 40 + 1 and white[:, 0].max() == round(24 * scale)


def test_the_map_counts_origins(page):
    text = page.read_text()
    assert "real: <b>8</b> of 12" in text and "synthetic: <b>3</b> of 12" in text
    assert "unknown: <b>1</b> of 12" in text
    assert text.count('<use href="#o-real"') == 8
    assert text.split('class="patches">')[1].split("</div></div>")[0].count("<img") == 11


def test_counts_of_any_size_have_a_place():
    axis = logarithmic("replacements", 9000)
    assert axis.at(0) == 0 and axis.at(1) == pytest.approx(0.2) and axis.at(10_000) == 1
    assert [text for _, text in axis.ticks] == ["0", "1", "10", "100", "1 k", "10 k"]


def test_numbers_that_are_not_finite_are_undefined(experiment):
    path = experiment / "results.json"
    text = path.read_text()
    results = json.loads(text)
    results["peak_memory_mb"] = float("nan")
    path.write_text(json.dumps(results))
    assert read_results(experiment)["peak_memory_mb"] is None


def test_a_scale_below_zero_has_round_ticks() -> None:
    axis = linear("loss", 0.5, lambda value: f"{value:g}", -1.3)
    assert [text for _, text in axis.ticks] == ["-1.5", "-1", "-0.5", "0", "0.5"]
    assert axis.at(-1.5) == 0 and axis.at(0.5) == 1 and axis.at(-0.5) == 0.5


def test_no_diagram_of_learning_is_empty_at_first(results) -> None:
    hidden = next(m for m in results["methods"] if m["name"] not in results["shown"])
    hidden["repeats"][0]["learning"] = [
        {"fit": hidden["name"], "epoch": n + 1, "values": {"loss": -1.0 - n}} for n in range(40)
    ]
    results["quantities"]["loss"] = {"title": "Loss", "logarithmic": False}
    panels = learning_panels(results)
    (loss,) = [panel for panel in panels.split("<svg") if 'aria-label="Loss"' in panel]
    assert loss.count("<circle") == 40 and " off" not in loss
    assert ">-40<" in loss and ">0<" in loss
