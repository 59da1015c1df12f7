"""`stainless threshold` and `evaluate` on labelled splits."""

import json
import shutil

import cv2
import numpy as np
import pytest
from support.command_lines import HEIGHT, WIDTH, brushed, refused, run, write


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
    assert left == {"metrics.json", "per_image.csv", "table.txt", "maps"}


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
    assert told == []
    words += ["--split", "validation"]
    _, _, told = run(capsys, *words, "--out", tmp_path / "validation")
    assert len(told) == 1 and "threshold was fitted to 4 of these 4 images" in told[0]
    _, _, told = run(capsys, *words, "--out", tmp_path / "given", "--threshold", 9)
    assert told == []


@pytest.mark.parametrize("text", ['{"accuracy": 1}', "[]", "3", "{", "no JSON"])
def test_metrics_of_somebody_else_stay(data, model, tmp_path, capsys, text):
    words = ["evaluate", "--model", model, "--data", data, "--category", "plate", "--out", tmp_path]
    (tmp_path / "metrics.json").write_text(text)
    assert "metrics.json: holds something else" in refused(capsys, *words)
    assert [path.name for path in tmp_path.iterdir()] == ["metrics.json"]


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
