"""`stainless score`: pictures and verdicts, and what it refuses."""

import json
import re
import shutil

import cv2
import pytest
from support.command_lines import HEIGHT, WIDTH, refused, run


def test_score_writes_pictures_and_a_verdict_with_the_nearest_nominal(
    data, model, tmp_path, capsys
):
    folder = data / "plate/test"
    code, lines, told = run(capsys, "score", "--model", model, folder, "--out", tmp_path)
    assert code == 0
    assert not re.search(r"\d\.\d{7}", "".join(lines))
    assert (tmp_path / "verdicts.jsonl").read_text().splitlines() == lines
    verdicts = {v["image"]: v for v in map(json.loads, lines)}
    assert len(verdicts) == 4
    flagged = sum(verdict["verdict"] == "anomalous" for verdict in verdicts.values())
    assert told == [f"{tmp_path}: {flagged} of 4 pictures anomalous"]
    for name in ("scratch/0", "scratch/1"):
        verdict = verdicts[str(folder / f"{name}.png")]
        assert verdict["verdict"] == "anomalous" and verdict["score"] >= verdict["threshold"]
        region = verdict["regions"][0]
        truth = cv2.imread(str(data / f"plate/ground_truth/{name}_mask.png"), 0)
        x, y, width, height = region["box"]
        assert truth[y : y + height, x : x + width].any()
        nearest = region["nearest"]
        assert nearest["dataset"] == "plate" and nearest["image"].startswith("train/good/")
        mask = cv2.imread(str(tmp_path / f"{name}_mask.png"), 0)
        assert mask.shape == (HEIGHT, WIDTH)
        assert (mask > 0).sum() == sum(r["area"] for r in verdict["regions"])
        for kind in ("heat", "overlay"):
            assert cv2.imread(str(tmp_path / f"{name}_{kind}.png")).shape == (HEIGHT, WIDTH, 3)


def test_openvino_gives_the_same_verdict(data, model, tmp_path, capsys):
    pytest.importorskip("openvino")
    picture = data / "plate/test/scratch/0.png"
    words = ["score", "--model", model, picture, "--out", tmp_path]
    plain, fast = (
        json.loads(run(capsys, *words, *more)[1][0]) for more in ([], ["--accelerator", "openvino"])
    )
    assert fast["verdict"] == plain["verdict"]
    assert fast["score"] == pytest.approx(plain["score"], rel=1e-3)


def test_a_wrong_backbone_for_a_model(data, model, tmp_path, capsys):
    words = ["--data", data, "--category", "plate"]
    line = refused(
        capsys, "evaluate", "--model", model, *words, "--out", tmp_path, "--backbone", "resnet18"
    )
    assert "fitted with efficientnet_lite0, not with resnet18" in line
    out = tmp_path / "x.safetensors"
    line = refused(
        capsys, "fit", *words, "--from", model, "--out", out, "--backbone", "mobilenet_v3_large"
    )
    assert 'backbone is "mobilenet_v3_large"' in line and not out.exists()


def test_truncated_and_tampered_models(data, model, tmp_path, capsys):
    bad = tmp_path / "bad.safetensors"
    words = ["score", "--model", bad, data / "plate/test", "--out", tmp_path / "out"]
    whole = model.read_bytes()
    bad.write_bytes(whole[: len(whole) // 2])
    assert "truncated" in refused(capsys, *words)
    tampered = bytearray(whole)
    tampered[-5] ^= 1
    bad.write_bytes(tampered)
    assert "altered or damaged" in refused(capsys, *words)
    bad.write_bytes(b"")
    assert str(bad) in refused(capsys, *words)
    bad.unlink()
    assert "no such file" in refused(capsys, *words)


def test_a_model_without_threshold(data, tmp_path, capsys):
    out = tmp_path / "m.safetensors"
    words = ["fit", "--data", data, "--category", "plate", "--size", 50, "--epochs", 1]
    assert run(capsys, *words, "--out", out)[0] == 0
    line = refused(capsys, "score", "--model", out, data / "plate", "--out", tmp_path)
    assert "has no threshold" in line


def test_pictures_of_one_name_do_not_overwrite_each_other(data, model, tmp_path, capsys):
    one, two = tmp_path / "one/a.png", tmp_path / "two/a.png"
    for place in (one, two):
        place.parent.mkdir()
        shutil.copy(data / "plate/test/good/0.png", place)
    line = refused(capsys, "score", "--model", model, one, two, "--out", tmp_path / "out")
    assert "overwrite" in line


def test_results_go_to_a_folder_apart_from_the_pictures(data, model, tmp_path, capsys):
    folder = tmp_path / "pictures"
    shutil.copytree(data / "plate/test", folder)
    before = set(folder.rglob("*"))
    for out in (folder, folder / "scored", folder / "good/../scored"):
        line = refused(capsys, "score", "--model", model, folder, "--out", out)
        assert f"{out} lies in {folder}" in line
    assert set(folder.rglob("*")) == before
    file = tmp_path / "file"
    file.write_text("mine")
    where = ["--data", data, "--category", "plate"]
    for words in (["score", folder], ["evaluate", *where]):
        line = refused(capsys, *words, "--model", model, "--out", file)
        assert f"--out: {file} is a file, expected a folder" in line
    assert file.read_text() == "mine"
