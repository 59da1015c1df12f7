"""The survey on a tiny set in MVTec LOCO's layout, and what it does with unusable ones."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from inline import Inline

from stainless.cli import main
from train.experiments import pool
from train.experiments.logical import markdown, marks
from train.experiments.logical.background import blackened, by_threshold

HEIGHT, WIDTH = 72, 104
SURVEY = Path(__file__).parents[3] / "train/experiments/logical/logical.yaml"
CONFIG = [
    {
        "defect_name": name,
        "pixel_value": value,
        "saturation_threshold": 1,
        "relative_saturation": True,
    }
    for name, value in (("scratch", 10), ("missing_hole", 20))
]
KINDS = {"scratch": "structural_anomalies", "missing_hole": "logical_anomalies"}


def part(seed: int, flaw: str = "") -> tuple[np.ndarray, np.ndarray]:
    """Return a grey sheet with two holes on dark cloth, and where its flaw is."""
    rng = np.random.default_rng(seed)
    picture = rng.integers(8, 16, (HEIGHT, WIDTH), np.uint8)
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    picture[12:60, 10:94] = rng.integers(150, 170, (48, 84), np.uint8)
    for x in (30, 66):
        if flaw == "missing_hole" and x == 66:
            cv2.circle(mask, (x, 32), 7, 1, -1)
        else:
            cv2.circle(picture, (x, 32), 7, 10, -1)
    if flaw == "scratch":
        for target, value in ((picture, 250), (mask, 1)):
            cv2.line(target, (40, 18), (56, 46), value, 3)
    return picture, mask


def write(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), pixels)


def write_set(root: Path) -> Path:
    """Write category "sheet" and its labelled validation tree."""
    for number in range(4):
        write(root / f"sheet/train/good/{number:03}.png", part(number)[0])
    values = {entry["defect_name"]: entry["pixel_value"] for entry in CONFIG}
    for tree, start in (("sheet", 100), ("validation/sheet", 200)):
        for number in range(3):
            write(root / tree / f"test/good/{number:03}.png", part(start + number)[0])
        for flaw, kind in KINDS.items():
            for number in range(2):
                picture, mask = part(start + 10 + number, flaw)
                write(root / tree / f"test/{kind}/{number:03}.png", picture)
                truth = root / tree / f"ground_truth/{kind}/{number:03}/000.png"
                write(truth, mask * values[flaw])
    (root / "sheet/defects_config.json").write_text(json.dumps(CONFIG))
    return root


def survey(folder: Path, root: Path, **more: object) -> Path:
    tree = {
        "extends": str(SURVEY),
        "out": str(folder / "report"),
        "pictures": {"data": str(root), "category": "sheet", "scene": None},
        "methods": [
            "PatchCore",
            "SimpleNet",
            "Reverse distillation",
            "Feature ensemble",
            "Mean of scores",
        ],
        "caps": [
            "patchcore side=null members=32",
            "simplenet image_px=null crop_px=null steps=2 batch=2",
            "feature_ensemble steps=2 batch=2",
        ],
        "black": {"methods": ["PatchCore"]},
        "bootstrap_rounds": 20,
        **more,
    }
    path = folder / "survey.yaml"
    path.write_text(json.dumps(tree))
    return path


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_set(tmp_path_factory.mktemp("set"))


@pytest.fixture(scope="module")
def finished(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a survey."""
    folder = tmp_path_factory.mktemp("survey")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pool, "run", Inline())
        assert main(["experiment", "--config", str(survey(folder, root))]) == 0
    return folder / "report"


def test_every_method_is_a_row_whether_it_can_run_or_not(finished: Path) -> None:
    results = json.loads((finished / "results.json").read_text())
    own = results["own"]
    names = ["PatchCore", "SimpleNet", "Feature ensemble", "Mean of scores"]
    names += ["PatchCore, black background"]
    assert [method["name"] for method in results["methods"]] == names == list(own["kinds"])
    assert "needs the weights of wide_resnet50_2" in own["absent"]["Reverse distillation"]
    for name in names:
        groups = own["kinds"][name]
        assert list(groups) == [
            "structural", "logical", "mean of both", "all together", "missing_hole", "scratch",
        ]  # fmt: skip
        both = [groups[kind]["au_spro"] for kind in ("structural", "logical")]
        assert groups["mean of both"]["au_spro"] == pytest.approx(np.mean(both))
        assert own["costs"][name]["peak_mb"][0] > 100
        curves = own["calibration"][name]["curves"]
        assert all(0 <= curves[curve]["ece"] <= 1 for curve in curves) and len(curves) == 4
    assert own["kinds"]["PatchCore"]["structural"]["image_auroc"] > 0.9
    assert own["costs"]["SimpleNet"]["steps"] == 2
    assert own["costs"]["SimpleNet"]["published_steps"] == 160 * 1
    assert own["published"]["PatchCore"] == 0.992
    claims = [finding["claim"] for finding in results["findings"]]
    better = "Feature ensemble is better than"
    rivals = ["its member SimpleNet", "its member PatchCore", "Mean of scores of the same members"]
    assert claims[2:8:2] == [f"{better} {rival}" for rival in rivals]
    assert len(claims) == 12 and claims[8] == "Mean of scores is better than its member SimpleNet"
    against = [{each["first"] for each in found["comparisons"]} for found in results["findings"]]
    assert against[2] == against[3] == {"SimpleNet"} and against[6] == {"Mean of scores"}
    page = (finished / "report.html").read_text()
    assert "not run: " in page and "thesis, connector" in page and "<svg xmlns" in page


def test_the_members_of_an_ensemble_carry_calibrations(finished: Path) -> None:
    from train.detectors.model_file import read

    models = [read(path) for path in (finished / "models").glob("*.safetensors")]
    calibrated = {stored.method for stored in models if stored.calibration}
    assert calibrated == {"patchcore", "simplenet"}
    combined = next(stored for stored in models if stored.method == "feature_ensemble")
    assert [Path(path).parent.name for path in combined.settings["members"]] == ["models"] * 2


def test_tables_and_pictures_for_documents(finished: Path, tmp_path: Path, capsys) -> None:
    assert markdown.main([str(finished)]) == 0
    text = capsys.readouterr().out
    assert "| PatchCore, black background |" in text and "### What came out" in text
    assert marks.main([str(finished), "--out", str(tmp_path / "marks")]) == 0
    sheet = cv2.imread(str(tmp_path / "marks/scratch.jpg"))
    assert sheet.shape[1] > 5 * WIDTH and sheet.shape[0] > 2 * HEIGHT


def test_a_second_run_makes_nothing_anew(finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = Inline()
    monkeypatch.setattr(pool, "run", jobs)
    assert main(["experiment", "--config", str(finished.parent / "survey.yaml")]) == 0
    assert jobs.taken() == []


def test_everything_outside_the_part_is_black() -> None:
    grey, _ = part(5)
    picture = np.repeat(grey[..., None], 3, axis=2)
    found = by_threshold(picture)
    inside = np.zeros((HEIGHT, WIDTH), bool)
    inside[12:60, 10:94] = True
    # The holes belong to the part.
    assert (found ^ inside).mean() < 0.02 and found[32, 30]
    dark = blackened(picture, inside, 0.05)
    assert (dark[12:60, 10:94] == picture[12:60, 10:94]).all()
    assert (dark[10, 20:70] == picture[10, 20:70]).all() and not dark[:5].any()
    assert not blackened(picture, inside, 0)[11].any()


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    def refused(config: Path) -> str:
        assert main(["experiment", "--config", str(config)]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        return line

    return refused


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"methods": ["PatchCor"]}, "methods: PatchCor, expected some of"),
        ({"methods": ["Feature ensemble"]}, "combines SimpleNet, expected it, too"),
        ({"caps": ["ganomaly steps=1"]}, "caps: 'ganomaly steps=1', expected METHOD"),
        ({"caps": ["draem step=1"]}, "caps: draem step=1"),
        ({"black": {"methods": [], "margin": 1.5}}, "black.margin: 1.5"),
    ],
)
def test_bad_settings(root, tmp_path, refused, more, expected) -> None:
    assert expected in refused(survey(tmp_path, root, **more))


def test_bad_data(root: Path, tmp_path: Path, refused) -> None:
    shutil.copytree(root, tmp_path / "set")
    config = tmp_path / "set/sheet/defects_config.json"
    config.unlink()
    assert "has no defects_config.json" in refused(survey(tmp_path, tmp_path / "set"))
    shutil.rmtree(tmp_path / "set/validation")
    config.write_text(json.dumps(CONFIG))
    write(tmp_path / "set/sheet/validation/good/000.png", part(0)[0])
    line = refused(survey(tmp_path, tmp_path / "set"))
    assert "its validation pictures are of one class" in line
    assert not (tmp_path / "report/models").exists()
