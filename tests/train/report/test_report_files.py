"""What is written: tables with exact numbers, and one page that needs nothing else."""

from __future__ import annotations

import csv
import json
import re

import pytest
import tiny_experiment
from tiny_experiment import report

import train.report.reading as reading
from stainless.cli import main
from stainless.errors import InputError
from train.metrics import FIGURES
from train.report import check_report


def table(page, name):
    with (page.parent / "tables" / name).open(newline="") as file:
        return list(csv.DictReader(file))


def results_of(page):
    return json.loads((page.parent / "results.json").read_text())


def exact(text):
    return None if text == "" else float(text)


def test_the_table_of_classes_has_every_number_at_full_precision(page):
    rows = {(row["method"], row["class"]): row for row in table(page, "classes.csv")}
    assert len(rows) == 4 * 3
    for method in results_of(page)["methods"]:
        for name, known in method["classes"].items():
            row = rows[method["name"], name]
            assert row["kind"] == known["kind"] and int(row["instances"]) == known["instances"]
            for metric in ("pixel_recall", "mean_recall"):
                assert exact(row[metric]) == known["figures"][metric]["mean"]
                assert exact(row[f"{metric}_spread"]) == known["figures"][metric]["spread"]
    # By hand: one of two dents, half of it.
    assert float(rows["Real", "dent"]["pixel_recall"]) == 50 / 200
    assert float(rows["Real", "water_stain"]["pixel_recall"]) == (75 + 25) / 250


def test_the_table_of_methods_leaves_empty_what_is_undefined(page):
    rows = {row["method"]: row for row in table(page, "methods.csv")}
    for method in results_of(page)["methods"]:
        row = rows[method["name"]]
        assert int(row["repeats"]) == len(method["repeats"])
        for metric, found in method["summary"].items():
            assert exact(row[metric]) == found["mean"]
            assert exact(row[f"{metric}_spread"]) == found["spread"]
    assert rows["Synth"]["precision"] == "" and rows["Real"]["au_pro"] == ""
    assert float(rows["Real"]["precision"]) == 90 / (90 + 40 + 75 + 25)


def test_curves_learning_and_findings(page):
    results = results_of(page)
    curves = table(page, "curves.csv")
    assert len(curves) == 4 * (3 + 1) * 12
    real = [
        float(row["recall"])
        for row in curves
        if (row["method"], row["class"]) == ("Real", "all defects")
    ]
    assert real == results["methods"][0]["recall"]
    learning = table(page, "learning.csv")
    assert [row["seed"] for row in learning if row["method"] == "Real"] == ["0"] * 3 + ["1"] * 3
    assert not [row for row in learning if row["method"] == "PatchCore"]
    assert learning[0]["covering_radius"] == "" and float(learning[1]["d_m"]) == 3.5
    first, second = table(page, "findings.csv")
    assert first["low"] == "0.1234567890123" and first["high"] == ""
    assert second["claim_verdict"] == "within noise" and second["what"] == ""


def test_the_page_needs_no_other_file(page):
    text = page.read_text()
    assert "<script src" not in text and '<link rel="stylesheet' not in text
    addresses = re.findall(r'\s(?:src|href)="([^"]*)"', text)
    assert len(addresses) > 20
    assert all(address.startswith(("data:", "#")) for address in addresses)
    assert "url(" not in text and "@import" not in text
    assert not re.search(r"https?://", text)
    assert sorted(path.name for path in page.parent.iterdir()) == [
        ".stainless-report.jsonl",
        "models",
        "predictions",
        "report.html",
        "results.json",
        "tables",
    ]


def test_texts_are_escaped(page):
    text = page.read_text()
    assert "Sim-to-real: &lt;tiny&gt; &amp; small" in text and "<tiny>" not in text
    assert "<6th>" not in text and "<3>" not in text
    assert "helps </script>" not in text and "helps &lt;/script&gt;" in text
    assert text.count("</script>") == 2


def test_a_rendered_stand_in_is_never_called_real(experiment):
    text = report(experiment).read_text()
    assert "rendered stand-in here: no photograph" in text
    results = json.loads((experiment / "results.json").read_text())
    results["own"]["real"]["kind"] = "given as real"
    (experiment / "results.json").write_text(json.dumps(results))
    text = report(experiment).read_text()
    assert "was given as real" in text and "stand-in" not in text.split("<main>")[0]


def test_two_runs_write_the_same_bytes(experiment):
    def everything():
        page = report(experiment)
        tables = sorted((experiment / "tables").iterdir())
        return [path.read_bytes() for path in [page, *tables]]

    assert everything() == everything()


def test_a_dataset_without_class_images(tmp_path):
    page = report(tiny_experiment.make(tmp_path, class_images=False))
    rows = table(page, "classes.csv")
    assert {row["class"] for row in rows} == {"defective"}
    assert 'data-metric="pixel_recall:defective"' in page.read_text()


def test_too_many_pictures_are_a_regular_selection(experiment, monkeypatch):
    monkeypatch.setattr(reading, "MOST", 2)
    text = report(experiment).read_text()
    assert "Of the 5 test pictures a regular selection of 2 is in this page" in text
    data = json.loads(text.split('id="data">')[1].split("</script>")[0])
    assert [picture["name"] for picture in data["pictures"]] == [
        "test/defective/000",
        "test/defective/002",
    ]
    assert data["orders"]["real"]["pixel_recall:dent"] == {"all": 2, "shown": [0]}


def test_a_page_that_would_be_too_large_holds_fewer_pictures(experiment, monkeypatch):
    data = json.loads(report(experiment).read_text().split('id="data">')[1].split("</script>")[0])
    monkeypatch.setattr(reading, "BUDGET", sum(map(reading._weight, data["pictures"])) - 1)
    assert "a regular selection of 4 is in" in report(experiment).read_text()


def test_without_a_model_there_is_a_sentence_instead(experiment):
    assert 'class="map"' in report(experiment).read_text()
    (experiment / "models/tiny.safetensors").unlink()
    text = report(experiment).read_text()
    assert "is not there any more: no map" in text and 'class="map"' not in text


@pytest.mark.parametrize(
    "broken, expected",
    [
        (None, "results.json: no such file"),
        ("{", "results.json: is not JSON"),
        ("[]", "results.json: is no object"),
        ("{}", "results.json: is of version 1, expected 3"),
        ({"version": 2}, "results.json: is of version 2, expected 3"),
        ('{"version": 3}', "results.json: has no 'experiment'"),
        ({"methods": []}, "has no images or no methods"),
        ({"classes": 3}, "results.json: classes is 3, expected an object"),
        ({"images": [{}]}, "images[0]: has no 'name'"),
        ({"stages": [3]}, "stages[0]: is no object"),
        ({"peak_memory_mb": "much"}, 'peak_memory_mb is "much", expected a number or null'),
        ({"shown": ["None"]}, "shown: 'None', expected the name of a method"),
    ],
)
def test_bad_results_are_one_line(experiment, broken, expected, capsys):
    path = experiment / "results.json"
    if broken is None:
        path.unlink()
    elif isinstance(broken, dict):
        path.write_text(json.dumps(json.loads(path.read_text()) | broken))
    else:
        path.write_text(broken)
    with pytest.raises(InputError, match=re.escape(expected)) as caught:
        report(experiment)
    assert "\n" not in str(caught.value)
    assert not (experiment / "report.html").exists() and not (experiment / "tables").exists()


@pytest.mark.parametrize("name", ["report.html", "tables/methods.csv"])
def test_what_was_changed_since_stays(experiment, name):
    report(experiment)
    first = (experiment / name).read_bytes()
    # One of before there was a record is the experiment's own, whatever it is.
    (experiment / ".stainless-report.jsonl").unlink()
    (experiment / name).write_text("older")
    report(experiment)
    assert (experiment / name).read_bytes() == first
    (experiment / name).write_text("mine")
    with pytest.raises(InputError, match=r"was not written by an earlier `report`, or was changed"):
        report(experiment)
    assert (experiment / name).read_text() == "mine"
    (experiment / "results.json").unlink()
    (experiment / ".stainless-report.jsonl").unlink()
    with pytest.raises(InputError, match=r"report.html: was not written"):
        check_report(experiment)


def test_a_lost_prediction_is_named(experiment):
    lost = experiment / "predictions/synth/test/good/003.png"
    lost.unlink()
    with pytest.raises(InputError, match=re.escape(f"{lost}: no such file")):
        report(experiment)


def test_undefined_numbers_anywhere(experiment):
    path = experiment / "results.json"
    results = json.loads(path.read_text())
    for method in results["methods"]:
        method["summary"] = {
            key: dict.fromkeys(figure) for key, figure in method["summary"].items()
        }
        method["recall"] = [None] * 12
        for known in method["classes"].values():
            known["figures"] = {
                key: dict.fromkeys(known["figures"][key]) for key in known["figures"]
            }
            known["recall"] = [None] * 12
        for row in method["per_image"]:
            row.update(dict.fromkeys(("score", "pixel_tp", "pixel_fp", "pixel_fn")))
        for repeat in method["repeats"]:
            repeat.update(
                dict.fromkeys(("threshold", "picture_threshold", "seconds", "cpu_seconds"))
            )
            for entry in repeat["learning"]:
                entry["values"] = dict.fromkeys(entry["values"])
    for comparison in results["findings"][0]["comparisons"]:
        comparison.update(dict.fromkeys(("first_value", "second_value", "difference", "low")))
    results["stages"][0].update(dict.fromkeys(("seconds", "cpu_seconds")))
    results["own"]["memory_map"] = None
    path.write_text(json.dumps(results))
    text = report(experiment).read_text()
    assert '<button type="button" class="open"' not in text and "None" not in text
    general = [figure for figure in FIGURES.values() if figure.column is not None]
    assert text.count('<td class="none') == 4 * (6 + len(general))


def test_pictures_and_rows_must_agree(experiment):
    path = experiment / "results.json"
    results = json.loads(path.read_text())
    del results["methods"][1]["per_image"][2]
    path.write_text(json.dumps(results))
    with pytest.raises(InputError, match="'Synth': per_image and images disagree about 'test/"):
        report(experiment)


def test_the_command_says_where_the_page_is(experiment, capsys):
    assert main(["report", str(experiment)]) == 0
    assert capsys.readouterr().out == f"{experiment / 'report.html'}\n"


def test_the_command_ends_with_2_and_one_line(tmp_path, experiment, capsys):
    assert main(["report", str(tmp_path)]) == 2
    path = experiment / "results.json"
    path.write_text(path.read_text().replace('"sim_to_real"', '"other"'))
    assert main(["report", str(experiment)]) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("stainless: error: ") and "results.json" in first
    assert "results.json: experiment: other, expected one of" in second
