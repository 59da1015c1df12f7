"""An experiment is added in three steps in one folder, and what has changed is computed anew."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import browser
import plates
import pytest
from inline import Inline
from support.check_experiment import check_experiment

import train.detectors
import train.experiments
from stainless.cli import main
from train.detectors.model_file import read
from train.experiments import keys, pool

EXAMPLES = Path(__file__).parents[2] / "examples"
ADDED = ("train.experiments.greys", "train.detectors.mean_grey")

FITS = ["extract", "make Grey", "make Patches"]
FIGURES = ["measure Grey", "measure Patches"]


@pytest.fixture(scope="module")
def jobs() -> Iterator[Inline]:
    """The examples beside what there is, and the jobs that their experiment had run."""
    inline = Inline()
    with pytest.MonkeyPatch.context() as patch:
        for package, folder in (
            (train.experiments, "experiments"),
            (train.detectors, "detectors"),
        ):
            patch.setattr(package, "__path__", [*package.__path__, str(EXAMPLES / folder)])
        patch.setattr(pool, "run", inline)
        yield inline
    for name in [name for name in sys.modules if name.startswith(ADDED)]:
        del sys.modules[name]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset and the file of an experiment on it."""
    folder = tmp_path_factory.mktemp("greys")
    plates.write_real(folder / "data")
    (folder / "greys.yaml").write_text(
        f"experiment: greys\ntitle: Greys\nout: {folder / 'out'}\ndata: {folder / 'data'}\n"
        "bootstrap_rounds: 20\n"
    )
    return folder


@pytest.fixture(scope="module")
def run(jobs: Inline, folder: Path) -> Callable[..., list[str]]:
    """Runs the experiment, whatever is there already; returns the jobs that were needed."""

    def run(*options: str) -> list[str]:
        assert main(["experiment", "--config", str(folder / "greys.yaml"), *options]) == 0
        return jobs.taken()

    assert run() == [*FITS, *FIGURES]
    return run


def test_it_holds_to_what_all_must(jobs: Inline) -> None:
    check_experiment("greys")


def test_results_and_report_are_there(run: Callable[..., list[str]], folder: Path) -> None:
    results = json.loads((folder / "out/results.json").read_text())
    assert [method["name"] for method in results["methods"]] == ["Grey", "Patches"]
    assert results["experiment"] == "greys" and results["shown"] == ["Grey", "Patches"]
    (claim,) = results["findings"]
    assert claim["claim"] == "Patches tell more" and claim["comparisons"][0]["second"] == "Patches"
    text = (folder / "out/report.html").read_text()
    assert "Learned from 4 pictures." in text and '<a href="#learned">' in text
    assert 'data-method="grey"' in text and "“Real”" not in text
    assert not (folder / "out/features").exists()
    models = [read(path) for path in sorted((folder / "out/models").glob("*.safetensors"))]
    assert models and all(model.metadata["depth"]["bits"] == 8 for model in models)
    assert main(["report", str(folder / "out")]) == 0
    assert (folder / "out/report.html").read_text() == text


@pytest.mark.skipif(browser.find() is None, reason="needs Chromium: apt-get install chromium")
def test_the_report_opens(
    run: Callable[..., list[str]], folder: Path, chromium: browser.Browser
) -> None:
    chromium.open(folder / "out/report.html")
    assert chromium.run("document.title") == "Greys"
    assert chromium.run("document.querySelector('#learned p').textContent").endswith("4 pictures.")
    assert chromium.run("[...document.images].every(one => one.naturalWidth > 0)")
    assert not chromium.complaints


def test_what_has_not_changed_is_not_computed_anew(
    run: Callable[..., list[str]], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("--title", "Other", "--bootstrap_rounds", "10", "--workers", "1") == []
    # Settings of one method.
    size = ("--size", "30")
    assert run(*size) == ["extract", "make Patches", "measure Patches"]
    # A metric.
    with monkeypatch.context() as patch:
        patch.setattr(keys, "METRIC_VERSION", "other")
        assert run(*size) == FIGURES
    # A picture that is learned from.
    plates.write(folder / "data/cell/train/good/000.png", plates.plate(77))
    assert run(*size) == [*FITS, *FIGURES]


def test_unknown_experiments_are_one_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder / "other.yaml"
    path.write_text("experiment: gray\n")
    assert main(["experiment", "--config", str(path)]) == 2
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    assert f"{path}: experiment: gray, expected one of " in line
