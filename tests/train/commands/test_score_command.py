"""`stainless score`: pictures and verdicts, and what it refuses."""

import io
import json
import os
import re
import shutil
import sys
from pathlib import Path

import cv2
import pytest
from support.command_lines import HEIGHT, WIDTH, brushed, refused, run, write

from stainless import cli
from train import scoring
from train.commands.score import json_line


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


def test_pictures_of_one_name_keep_their_folders_apart(data, model, tmp_path, capsys):
    one, two = tmp_path / "one/a.png", tmp_path / "two/a.png"
    for place in (one, two):
        place.parent.mkdir()
        shutil.copy(data / "plate/test/good/0.png", place)
    out = tmp_path / "out"
    code, lines, _ = run(capsys, "score", "--model", model, one.parent, two, "--out", out)
    assert code == 0
    assert [json.loads(line)["image"] for line in lines] == [str(one), str(two)]
    assert (out / "one/a_heat.png").is_file() and (out / "two/a_heat.png").is_file()


def test_a_picture_that_cannot_be_scored_is_a_line_with_its_reason(data, model, tmp_path, capsys):
    folder, out = tmp_path / "pictures", tmp_path / "out"
    shutil.copytree(data / "plate/test/scratch", folder)
    whole = (folder / "0.png").read_bytes()
    words = ["score", "--model", model, folder, "--out", out]
    for name in ("broken", "empty", "small"):
        (folder / f"{name}.png").write_bytes(whole)
    code, lines, _ = run(capsys, *words)
    assert code == 0 and len(lines) == 5 and (out / "broken_mask.png").is_file()
    (folder / "broken.png").write_bytes(whole[: len(whole) // 2])
    (folder / "empty.png").write_bytes(b"")
    write(folder / "small.png", brushed(1, 40, 50))
    code, lines, told = run(capsys, *words)
    assert code == 1 and told[-1] == f"{out}: 2 of 2 pictures anomalous, 3 could not be scored"
    verdicts = {Path(verdict["image"]).stem: verdict for verdict in map(json.loads, lines)}
    assert list(verdicts) == ["0", "1", "broken", "empty", "small"]
    assert [verdict["verdict"] for verdict in verdicts.values()] == ["anomalous"] * 2 + [None] * 3
    for name, reason in (("broken", "is truncated"), ("empty", "is empty"), ("small", "too small")):
        assert reason in verdicts[name]["reason"] and f"{name}.png" in verdicts[name]["reason"]
        # The pictures of the first run, when it was whole, stand beside no line of this one.
        assert not list(out.glob(f"{name}_*"))
    assert (out / "verdicts.jsonl").read_text().splitlines() == lines
    assert (out / "1_mask.png").is_file()


def test_verdicts_are_written_as_they_come(data, model, tmp_path, capsys, monkeypatch):
    out = tmp_path / "out"
    words = ["score", "--model", model, data / "plate/test", "--out", out]
    assert run(capsys, *words)[0] == 0
    score_picture, seen = scoring.score_picture, []

    def stops(detector, sample, image):
        file = out / "verdicts.jsonl"
        seen.append(len(file.read_text().splitlines()) if file.exists() else 0)
        if len(seen) == 3:
            raise KeyboardInterrupt
        return score_picture(detector, sample, image)

    monkeypatch.setattr(scoring, "score_picture", stops)
    assert run(capsys, *words)[0] == 130
    # The older file was gone before the first picture, and two of four lines are left.
    assert seen == [0, 1, 2]
    lines = (out / "verdicts.jsonl").read_text().splitlines()
    assert [Path(json.loads(line)["image"]).name for line in lines] == ["0.png", "1.png"]
    monkeypatch.undo()
    assert run(capsys, *words)[0] == 0
    assert len((out / "verdicts.jsonl").read_text().splitlines()) == 4


def test_files_of_the_user_are_not_replaced(data, model, tmp_path, capsys, monkeypatch):
    picture, truth = tmp_path / "p.png", tmp_path / "p_mask.png"
    shutil.copy(data / "plate/test/scratch/0.png", picture)
    shutil.copy(data / "plate/ground_truth/scratch/0_mask.png", truth)
    monkeypatch.chdir(tmp_path)
    before = truth.read_bytes()
    words = ["score", "--model", model, "p.png", "--out", "."]
    line = refused(capsys, *words)
    assert "p_mask.png: was not written by an earlier `score`" in line
    assert truth.read_bytes() == before and len(list(tmp_path.iterdir())) == 2
    truth.unlink()
    (tmp_path / "verdicts.jsonl").write_text("mine")
    assert "verdicts.jsonl: was not written" in refused(capsys, *words)
    (tmp_path / "verdicts.jsonl").unlink()
    assert run(capsys, *words)[0] == 0
    assert run(capsys, *words)[0] == 0
    shutil.copy(data / "plate/ground_truth/scratch/0_mask.png", truth)
    assert "was changed since" in refused(capsys, *words)
    assert truth.read_bytes() == before


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "ascii"])
@pytest.mark.parametrize("name", [b"sch\xf6n.png", "sch\u00f6n \u6f22.png".encode(), b"plain.png"])
def test_a_line_of_json_can_be_written_and_read_in_any_encoding(name, encoding):
    line = json_line({"image": os.fsdecode(name)}, encoding)
    written = line.encode(encoding).decode(encoding)
    assert os.fsencode(json.loads(written)["image"]) == name
    assert name != b"plain.png" or "\\" not in line


def test_names_survive_an_output_that_can_encode_none_of_them(data, model, tmp_path, monkeypatch):
    encoding = "ascii"
    folder, out = tmp_path / "bilder", tmp_path / "out"
    folder.mkdir()
    names = [b"sch\xf6n.png", "\u6f22\u00e9.png".encode()]
    for name in names:
        shutil.copy(data / "plate/test/good/0.png", os.fsencode(folder) + b"/" + name)
    output = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", output)
    words = ["score", "--model", model, folder, "--out", out]
    assert cli.main([os.fspath(word) for word in words]) == 0
    output.flush()
    printed = output.buffer.getvalue().decode(encoding)
    for text in (printed, (out / "verdicts.jsonl").read_text("utf-8")):
        found = {os.fsencode(json.loads(line)["image"]) for line in text.splitlines()}
        assert found == {os.fsencode(folder) + b"/" + name for name in names}
    for name in names:
        assert Path(os.fsdecode(os.fsencode(out) + b"/" + name[:-4] + b"_heat.png")).is_file()


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


def test_pictures_of_an_earlier_run_do_not_stand_beside_new_verdicts(data, model, tmp_path, capsys):
    for name in "abc":
        (tmp_path / f"lot/{name}").mkdir(parents=True)
        shutil.copy(data / "plate/test/good/0.png", tmp_path / f"lot/{name}/{name}.png")
    out = tmp_path / "out"
    words = ["score", "--model", model, "--out", out]
    assert run(capsys, *words, tmp_path / "lot")[0] == 0
    assert (out / "a/a_heat.png").is_file()
    (out / "b/b_mask.png").write_bytes(b"corrected")
    (out / "notes.txt").write_text("mine")
    code, lines, errors = run(capsys, *words, tmp_path / "lot/c")
    assert code == 0 and len(lines) == 1
    told = [line for line in errors if "so it stays" in line]
    assert len(told) == 1 and f"{out / 'b/b_mask.png'}: is of an earlier `score`" in told[0]
    left = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    pictures = {f"c_{kind}.png" for kind in ("heat", "mask", "overlay")}
    others = {"b/b_mask.png", "notes.txt", "verdicts.jsonl", ".stainless-score.jsonl"}
    assert left == pictures | others and not (out / "a").exists()
