"""The commands as a user runs them: end to end on a tiny dataset, and one line for bad input."""

import json
import re
import shutil
import subprocess
import sys

import cv2
import numpy as np
import pytest
import torch

from stainless import cli

HEIGHT, WIDTH = 96, 112
COMMANDS = ["fit", "meld", "threshold", "evaluate", "score"]


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Small images on several threads wait for each other more than they compute."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def brushed(seed, height=HEIGHT, width=WIDTH):
    rng = np.random.default_rng(seed)
    grooves = 120 + 25 * rng.standard_normal((height, 1)) + 4 * rng.standard_normal((height, width))
    return grooves.clip(0, 255).astype(np.uint8)


def write(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), pixels)


def write_test_part(folder, seed):
    for number in range(2):
        write(folder / f"test/good/{number}.png", brushed(seed + number))
        picture, mask = brushed(seed + 10 + number), np.zeros((HEIGHT, WIDTH), np.uint8)
        ends = (20, 30 + 20 * number), (90, 50 + 20 * number)
        cv2.line(picture, *ends, 255, 4)
        cv2.line(mask, *ends, 255, 4)
        write(folder / f"test/scratch/{number}.png", picture)
        write(folder / f"ground_truth/scratch/{number}_mask.png", mask)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    root = tmp_path_factory.mktemp("data")
    for number in range(3):
        write(root / f"plate/train/good/{number}.png", brushed(number))
        write(root / f"turned/train/good/{number}.png", brushed(50 + number).T)
    write_test_part(root / "plate", 100)
    write_test_part(root / "validation/plate", 200)
    return root


def run(capsys, *words):
    """Run one command line; return exit code, lines on stdout, lines on stderr."""
    capsys.readouterr()
    code = cli.main([str(word) for word in words])
    captured = capsys.readouterr()
    return code, captured.out.splitlines(), captured.err.splitlines()


def refused(capsys, *words):
    """Run a command that must fail as bad input; return its one line."""
    code, _, errors = run(capsys, *words)
    assert code == 2 and len(errors) == 1, errors
    assert errors[0].startswith("stainless: error: ")
    return errors[0]


@pytest.fixture(scope="module")
def model(data, tmp_path_factory):
    """A model with a threshold, as the commands make it."""
    path = tmp_path_factory.mktemp("model") / "plate.safetensors"
    where = ["--data", str(data), "--category", "plate"]
    assert cli.main(["fit", *where, "--out", str(path), "--size", "200", "--epochs", "3"]) == 0
    assert cli.main(["threshold", "--model", str(path), *where, "--split", "validation"]) == 0
    return path


# the chain


def test_fit_reports_epochs_and_a_finished_fit_says_so(data, tmp_path, capsys):
    words = ["fit", "--data", data, "--category", "plate", "turned", "--size", 100]
    words += ["--out", tmp_path / "m.safetensors", "--epochs", 2]
    code, lines, _ = run(capsys, *words)
    assert code == 0 and len(lines) == 2
    assert all("100 members" in line and "covering radius" in line for line in lines)
    assert lines[0].startswith("epoch 1: 1,008 patches")
    before = (tmp_path / "m.safetensors").read_bytes()
    code, lines, _ = run(capsys, *words)
    assert code == 0 and "finished already" in lines[0]
    assert (tmp_path / "m.safetensors").read_bytes() == before
    code, lines, _ = run(capsys, *words[:-1], 3)
    assert code == 0 and lines[0].startswith("epoch 3")


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


def test_finetune_continues_from_a_model_and_leaves_it_alone(data, model, tmp_path, capsys):
    before = model.read_bytes()
    words = ["fit", "--data", data, "--category", "turned", "--from", model, "--epochs", 2]
    code, lines, _ = run(capsys, *words, "--out", tmp_path / "m.safetensors")
    assert code == 0 and "200 members" in lines[0]
    assert model.read_bytes() == before
    from train.detectors.model_file import Model

    tuned = Model.load(tmp_path / "m.safetensors").detector.coreset
    datasets = {tuned.origin(member).dataset for member in range(len(tuned))}
    assert datasets == {"plate", "turned"}


def test_augment_is_seeded(data, tmp_path, capsys):
    from train.detectors.model_file import Model

    members = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        words = ["fit", "--data", data, "--category", "plate", "--size", 64, "--epochs", 1]
        out = tmp_path / f"{name}.safetensors"
        code, lines, _ = run(capsys, *words, "--augment", "--seed", seed, "--out", out)
        assert code == 0 and "no certificate" in lines[0]
        members.append(Model.load(out).detector.coreset.members)
    assert torch.equal(members[0], members[1])
    assert not torch.equal(members[0], members[2])


def test_meld_covers_what_both_models_know(data, model, tmp_path, capsys):
    other, out = tmp_path / "other.safetensors", tmp_path / "melded.safetensors"
    words = ["fit", "--data", data, "--category", "turned", "--size", 200, "--epochs", 2]
    assert run(capsys, *words, "--out", other)[0] == 0
    code, lines, _ = run(capsys, "meld", model, other, "--out", out, "--size", 300)
    assert code == 0 and "300 members" in lines[-1] and "certified" in lines[-1]
    code, lines, _ = run(
        capsys, "score", "--model", out, data / "turned", "--out", tmp_path, "--threshold", 1e6
    )
    assert code == 0
    assert {json.loads(line)["verdict"] for line in lines} == {"nominal"}


def test_openvino_gives_the_same_verdict(data, model, tmp_path, capsys):
    pytest.importorskip("openvino")
    picture = data / "plate/test/scratch/0.png"
    words = ["score", "--model", model, picture, "--out", tmp_path]
    plain, fast = (
        json.loads(run(capsys, *words, *more)[1][0]) for more in ([], ["--accelerator", "openvino"])
    )
    assert fast["verdict"] == plain["verdict"]
    assert fast["score"] == pytest.approx(plain["score"], rel=1e-3)


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


# help


def test_help_imports_neither_torch_nor_bpy():
    code = (
        "import sys\n"
        "from stainless import cli\n"
        f"for words in [[], *[[name] for name in {COMMANDS}]]:\n"
        "    try:\n"
        "        cli.main([*words, '--help'])\n"
        "    except SystemExit as end:\n"
        "        assert end.code == 0\n"
        "heavy = {'torch', 'bpy', 'anomalib', 'timm', 'cv2'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert all(f"usage: stainless {name}" in done.stdout for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_module_form_is_the_same_command(name):
    words = [sys.executable, "-m", f"train.commands.{name}", "--help"]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0 and f"usage: stainless {name}" in done.stdout


# bad input


def test_a_wrong_command_line_is_one_line(capsys):
    assert "required: command" in refused(capsys)
    assert "--category" in refused(capsys, "fit", "--data", "x", "--out", "y")
    assert "invalid choice" in refused(capsys, "paint")


@pytest.mark.parametrize(
    ("command", "words", "says"),
    [
        ("fit", ["--epochs", "0"], "--epochs: 0, expected at least 1"),
        ("fit", ["--epochs", "few"], "--epochs: 'few', expected a whole number"),
        ("fit", ["--seed=-1"], "--seed: -1, expected at least 0"),
        ("fit", ["--size", "1"], "--size: 1, expected at least 2"),
        ("fit", ["--category", "plate", "turned", "plate"], "--category: plate is given twice"),
        ("evaluate", ["--hold-out-seed=-1"], "--hold-out-seed: -1, expected at least 0"),
    ],
)
def test_an_option_out_of_its_range_is_named(data, model, tmp_path, capsys, command, words, says):
    out = tmp_path / "out"
    where = ["--data", data, "--category", "plate", "--out", out]
    more = ["--model", model] if command == "evaluate" else []
    assert says in refused(capsys, command, *where, *more, *words)
    assert not out.exists()


def test_a_coreset_that_stays_smaller_than_asked_for_is_told(data, tmp_path, capsys):
    words = ["fit", "--data", data, "--category", "plate", "--size", 5000, "--epochs", 1]
    code, _, told = run(capsys, *words, "--out", tmp_path / "m.safetensors")
    assert code == 0
    assert "members, fewer than its size of 5000" in told[-1]


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


def test_melding_strangers(data, model, tmp_path, capsys):
    other, out = tmp_path / "other.safetensors", tmp_path / "out.safetensors"
    words = ["fit", "--data", data, "--category", "plate", "--size", 50, "--epochs", 1]
    assert run(capsys, *words, "--out", other, "--pool-kernel", 1)[0] == 0
    line = refused(capsys, "meld", model, other, "--out", out)
    assert str(other) in line and "pool_kernel" in line and not out.exists()
    assert "two models" in refused(capsys, "meld", model, "--out", out)


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


def test_another_fit_is_not_overwritten(data, model, capsys):
    before = model.read_bytes()
    words = ["fit", "--data", data, "--category", "turned", "--out", model]
    assert "another fit" in refused(capsys, *words)
    assert "must not be" in refused(capsys, *words, "--from", model)
    assert model.read_bytes() == before


def test_datasets_that_cannot_be_used(data, model, tmp_path, capsys):
    fit = ["fit", "--out", tmp_path / "m.safetensors", "--data"]
    assert "nowhere" in refused(capsys, *fit, data, "--category", "nowhere")
    (tmp_path / "empty/train/good").mkdir(parents=True)
    assert "empty" in refused(capsys, *fit, tmp_path, "--category", "empty")
    write(tmp_path / "small/train/good/a.png", brushed(1, 40, 50))
    line = refused(capsys, *fit, tmp_path, "--category", "small")
    assert "a.png: image of 50x40 pixels is too small" in line
    spoilt = brushed(1).astype(np.float32) / 255
    spoilt[3, 4] = np.nan
    write(tmp_path / "nan/train/good/a.tiff", spoilt)
    line = refused(capsys, *fit, tmp_path, "--category", "nan")
    assert "a.tiff: has NaN" in line
    assert not (tmp_path / "m.safetensors").exists()
    words = ["threshold", "--model", model, "--data", data, "--category", "turned"]
    assert "has no validation split; --hold-out 0.2 draws one" in refused(capsys, *words)
    write(tmp_path / "nice/test/good/a.png", brushed(1))
    words = ["threshold", "--model", model, "--data", tmp_path, "--category", "nice"]
    line = refused(capsys, *words, "--split", "test")
    assert "nice: no image of the test split has a defect" in line


def test_a_model_without_threshold(data, tmp_path, capsys):
    out = tmp_path / "m.safetensors"
    words = ["fit", "--data", data, "--category", "plate", "--size", 50, "--epochs", 1]
    assert run(capsys, *words, "--out", out)[0] == 0
    line = refused(capsys, "score", "--model", out, data / "plate", "--out", tmp_path)
    assert "has no threshold" in line


def test_missing_weights_and_devices(data, tmp_path, capsys, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    words = ["fit", "--data", data, "--category", "plate", "--out", tmp_path / "m.safetensors"]
    assert "--weights" in refused(capsys, *words, "--backbone", "mobilenet_v3_large")
    assert "no such weight file" in refused(capsys, *words, "--weights", tmp_path / "w.pth")
    assert "random weights" in refused(capsys, *words, "--weights", "random")
    assert "device 'abacus'" in refused(capsys, *words, "--device", "abacus")


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
