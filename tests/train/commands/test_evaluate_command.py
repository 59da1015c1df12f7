"""`stainless evaluate` on labelled splits."""

import json
import shutil

import cv2
import numpy as np
import pytest
from support.command_lines import HEIGHT, WIDTH, brushed, refused, run, write

from train.detectors.model_file import Model


def test_evaluate_writes_json_csv_and_a_table(data, model, tmp_path, capsys):
    words = ["evaluate", "--model", model, "--data", data, "--category", "plate", "--out", tmp_path]
    code, lines, _ = run(capsys, *words, "--keep-maps")
    assert code == 0
    result = json.loads((tmp_path / "metrics.json").read_text())
    assert result["images"]["count"] == 4 and result["images"]["auroc"] == 1.0
    assert result["pixels"]["auroc"] > 0.9
    assert result["classes"]["scratch"]["instances"] == 2
    assert len((tmp_path / "per_image.csv").read_text().splitlines()) == 5
    assert (tmp_path / "table.txt").read_text().splitlines() == lines
    kept = np.load(tmp_path / "maps/test/scratch/0.npy")
    rows = {row["name"]: row for row in result["per_image"]}
    assert kept.max() == pytest.approx(rows["test/scratch/0"]["score"])
    left = {path.name for path in tmp_path.iterdir()}
    record = ".stainless-evaluate.jsonl"
    assert left == {"metrics.json", "per_image.csv", "table.txt", "maps", record}
    assert result["rules"] == {"pixel": "pixel-f1", "picture": "balanced"}
    assert result["images"]["false_alarm_rate"] == 0.0
    assert lines[0].startswith("4 images, 2 of them good; threshold ")
    # A second run replaces what the first has written, kept maps included.
    assert run(capsys, *words, "--keep-maps")[:2] == (0, lines)


def test_labelme_files_serve_from_fit_to_report(tmp_path, capsys):
    outline = [[20, 28], [90, 48], [90, 52], [20, 32]]
    shape = {"label": "scratch", "points": outline, "shape_type": "polygon"}
    for part, seeds in (("train", (0, 1)), ("validation", (20, 21)), ("test", (30, 31))):
        for seed in seeds:
            picture, content = brushed(seed), {"imageHeight": HEIGHT, "imageWidth": WIDTH}
            if part != "train" and seed % 2:
                cv2.line(picture, (20, 30), (90, 50), 255, 4)
                file = tmp_path / f"hall/{part}/{seed}.json"
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(json.dumps(content | {"shapes": [shape]}))
            write(tmp_path / f"hall/{part}/{seed}.png", picture)
    classes = tmp_path / "classes.yaml"
    classes.write_text("scratch: defect\n")
    model = tmp_path / "m.safetensors"
    where = ["--data", tmp_path, "--category", "hall", "--classes", classes]
    assert run(capsys, "fit", *where, "--out", model, "--size", 150, "--epochs", 2)[0] == 0
    assert run(capsys, "threshold", "--model", model, *where)[0] == 0
    code, lines, _ = run(capsys, "evaluate", "--model", model, *where, "--out", tmp_path / "out")
    assert code == 0 and any(line.startswith("scratch") for line in lines)
    result = json.loads((tmp_path / "out/metrics.json").read_text())
    assert result["images"]["auroc"] == 1.0 and result["defects"]["count"] == 1


def test_a_threshold_fitted_to_the_judged_images_is_told(data, model, tmp_path, capsys):
    words = ["evaluate", "--model", model, "--data", data, "--category", "plate"]
    _, _, told = run(capsys, *words, "--out", tmp_path / "test")
    assert told == [f"{data / 'plate'}: test: 4 images (good 2, scratch 2)"]
    words += ["--split", "validation"]
    _, _, told = run(capsys, *words, "--out", tmp_path / "validation")
    assert len(told) == 2 and "threshold was fitted to 4 of these 4 images" in told[0]
    _, _, told = run(capsys, *words, "--out", tmp_path / "given", "--threshold", 9)
    assert len(told) == 1


@pytest.mark.parametrize("name", ["metrics.json", "table.txt", "per_image.csv"])
def test_results_of_somebody_else_stay(data, model, tmp_path, capsys, name):
    words = ["evaluate", "--model", model, "--data", data, "--category", "plate", "--out", tmp_path]
    (tmp_path / name).write_text('{"accuracy": 1}')
    line = refused(capsys, *words)
    assert f"{name}: was not written by an earlier `evaluate`" in line
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_maps_of_somebody_else_stay(data, model, tmp_path, capsys):
    words = ["evaluate", "--model", model, "--data", data, "--category", "plate", "--out", tmp_path]
    kept = tmp_path / "maps/test/good/1.npy"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"mine")
    assert str(kept) in refused(capsys, *words, "--keep-maps")
    assert kept.read_bytes() == b"mine" and [p.name for p in tmp_path.iterdir()] == ["maps"]
    assert run(capsys, *words)[0] == 0


@pytest.mark.parametrize("command", ["evaluate", "threshold"])
@pytest.mark.parametrize("damage", ["grey", "size", "missing pixels"])
def test_all_of_the_truth_is_checked_before_anything_is_scored(
    data, model, tmp_path, capsys, monkeypatch, command, damage
):
    shutil.copytree(data / "plate", tmp_path / "plate")
    last = tmp_path / "plate/ground_truth/scratch/1_mask.png"
    mask = cv2.imread(str(last), 0)
    if damage == "grey":
        mask[0, 0] = 100
    elif damage == "size":
        mask = mask[:-1]
    else:
        mask[:] = 0
    write(last, mask)

    def never(*args):
        raise AssertionError("scored")

    monkeypatch.setattr("train.scoring.score_picture", never)
    words = ["--model", model, "--data", tmp_path, "--category", "plate", "--split", "test"]
    out = [] if command == "threshold" else ["--out", tmp_path / "out"]
    before = model.read_bytes()
    assert "1_mask.png" in refused(capsys, command, *words, *out)
    assert model.read_bytes() == before and not (tmp_path / "out").exists()


def test_without_masks_pictures_alone_are_measured(data, model, tmp_path, capsys):
    shutil.copytree(data / "plate/test", tmp_path / "plate/test")
    words = ["evaluate", "--model", model, "--data", tmp_path, "--category", "plate"]
    code, lines, _ = run(capsys, *words, "--out", tmp_path / "out")
    assert code == 0 and lines[0].startswith("4 images, 2 of them good")
    assert "not measured, since there are no masks" in lines[-1]
    result = json.loads((tmp_path / "out/metrics.json").read_text())
    assert result["images"]["auroc"] == 1.0 and result["pixels"]["f1"] is None
    assert len((tmp_path / "out/per_image.csv").read_text().splitlines()) == 5


@pytest.fixture
def regions(data, tmp_path):
    """The test split in MVTec LOCO's layout, a region of one scratch a file."""
    for place in sorted((data / "plate/test").rglob("*.png")):
        kind = "good" if place.parent.name == "good" else "structural_anomalies"
        target = tmp_path / f"loco/plate/test/{kind}/{place.name}"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(place, target)
        if kind != "good":
            truth = data / f"plate/ground_truth/{place.parent.name}/{place.stem}_mask.png"
            mask = cv2.imread(str(truth), cv2.IMREAD_GRAYSCALE)
            folder = tmp_path / f"loco/plate/ground_truth/{kind}/{place.stem}"
            folder.mkdir(parents=True)
            write(folder / "000.png", np.where(mask > 0, 7, 0).astype(np.uint8))
    listed = {"defect_name": "deep_scratch", "pixel_value": 7, "relative_saturation": False}
    path = tmp_path / "loco/plate/defects_config.json"
    path.write_text(json.dumps([{**listed, "saturation_threshold": 10}]))
    return tmp_path / "loco"


def test_kinds_and_flaws_of_a_dataset_with_saturation(regions, model, tmp_path, capsys):
    words = ["evaluate", "--model", model, "--data", regions, "--category", "plate"]
    code, lines, _ = run(capsys, *words, "--out", tmp_path / "out")
    assert code == 0 and any(line.startswith("deep_scratch") for line in lines)
    result = json.loads((tmp_path / "out/metrics.json").read_text())
    assert result["structural"]["image_auroc"] == 1.0 and "logical" not in result
    assert 0.9 < result["flaws"]["deep_scratch"]["au_spro"] <= 1.0
    assert result["every"]["spro"] == 1.0
    header, *rows = (tmp_path / "out/per_image.csv").read_text().splitlines()
    assert "spro_sum" in header and len(rows) == 4
    mask = regions / "plate/ground_truth/structural_anomalies/0/000.png"
    write(mask, cv2.imread(str(mask), cv2.IMREAD_GRAYSCALE) // 7 * 9)
    assert "has value 9, expected one of" in refused(capsys, *words, "--out", tmp_path / "no")
    (regions / "plate/defects_config.json").unlink()
    line = refused(capsys, *words, "--out", tmp_path / "no")
    assert "has no defects_config.json" in line and not (tmp_path / "no").exists()


def test_a_model_of_the_first_edition_goes_on_by_its_one_threshold(data, model, tmp_path, capsys):
    own = tmp_path / "own.safetensors"
    old = Model.load(model)
    old.thresholds.pop("picture")
    old.save(own)
    where = ["--data", data, "--category", "plate"]
    assert run(capsys, "evaluate", "--model", own, *where, "--out", tmp_path / "out")[0] == 0
    result = json.loads((tmp_path / "out/metrics.json").read_text())
    assert result["picture_threshold"] is None
    assert result["rules"]["picture"] == "pixel-f1, any pixel"
    assert all(
        row["flagged"] == (row["pixel_tp"] + row["pixel_fp"] > 0) for row in result["per_image"]
    )
    folder = data / "plate/test"
    _, lines, _ = run(capsys, "score", "--model", own, folder, "--out", tmp_path / "scored")
    for verdict in map(json.loads, lines):
        assert verdict["rule"] == "pixel-f1, any pixel"
        assert (verdict["verdict"] == "anomalous") == bool(verdict["regions"])
        assert verdict["threshold"] == verdict["pixel_threshold"]


def test_a_validation_part_is_held_out_in_whole_groups(data, model, capsys, tmp_path):
    root = tmp_path / "grouped"
    shutil.copytree(data / "plate", root / "plate")
    for number in range(2, 6):
        for kind in ("good", "scratch"):
            shutil.copy(
                data / f"plate/test/{kind}/{number % 2}.png",
                root / f"plate/test/{kind}/{number}.png",
            )
        mask = f"plate/ground_truth/scratch/{number % 2}_mask.png"
        shutil.copy(data / mask, root / f"plate/ground_truth/scratch/{number}_mask.png")
    rows = [f"test/{k}/{n}.png,{k}{n // 2}" for k in ("good", "scratch") for n in range(6)]
    rows += [f"train/good/{n}.png,train{n}" for n in range(3)]
    (root / "plate/groups.csv").write_text("\n".join(["image,part_group", *rows]) + "\n")
    own = tmp_path / "own.safetensors"
    shutil.copy(model, own)
    place = "--model", own, "--data", root, "--category", "plate", "--hold-out", "0.34"

    code, out, errors = run(capsys, "threshold", *place, "--hold-out-seed", "3")
    assert code == 0, errors
    assert out[0].startswith("The validation split was drawn from the test split in whole groups")
    assert "4 validation images" in out[-1]
    parts = {}
    for split in ("validation", "test"):
        words = *place, "--hold-out-seed", "3", "--split", split, "--out", tmp_path / split
        assert run(capsys, "evaluate", *words)[0] == 0
        rows = json.loads((tmp_path / split / "metrics.json").read_text())["per_image"]
        parts[split] = {row["group"] for row in rows}
    assert len(parts["validation"]) == 2
    assert len(parts["test"]) == 4
    assert not parts["validation"] & parts["test"]

    line = refused(capsys, "threshold", *place[:2], "--data", data, *place[4:])
    assert "has a validation split of plate" in line
    assert "expected between 0 and 1" in refused(capsys, "threshold", *place[:-1], "1.5")


def test_maps_of_an_earlier_run_go(data, model, tmp_path, capsys):
    words = ["evaluate", "--model", model, "--data", data, "--category", "plate", "--out", tmp_path]
    assert run(capsys, *words, "--keep-maps")[0] == 0
    assert [*(tmp_path / "maps").rglob("*.npy")]
    assert run(capsys, *words)[0] == 0
    assert not (tmp_path / "maps").exists() and (tmp_path / "metrics.json").is_file()
