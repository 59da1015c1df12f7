"""`stainless fit` end to end on a tiny dataset, and one line for bad input."""

import numpy as np
import pytest
import torch
from support.command_lines import brushed, refused, run, write


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


def test_a_coreset_that_stays_smaller_than_asked_for_is_told(data, tmp_path, capsys):
    words = ["fit", "--data", data, "--category", "plate", "--size", 5000, "--epochs", 1]
    code, _, told = run(capsys, *words, "--out", tmp_path / "m.safetensors")
    assert code == 0
    assert any("members, fewer than its size of 5000" in line for line in told)
    assert told[-1] == f"{data / 'plate'}: train: 3 images (good 3)"


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
    assert not list(tmp_path.glob("*.safetensors")) and not list(tmp_path.glob(".*"))
    words = ["threshold", "--model", model, "--data", data, "--category", "turned"]
    assert "has no validation split; --hold-out 0.2 draws one" in refused(capsys, *words)


def test_missing_weights_and_devices(data, tmp_path, capsys, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    words = ["fit", "--data", data, "--category", "plate", "--out", tmp_path / "m.safetensors"]
    assert "--weights" in refused(capsys, *words, "--backbone", "mobilenet_v3_large")
    assert "no such weight file" in refused(capsys, *words, "--weights", tmp_path / "w.pth")
    assert "random weights" in refused(capsys, *words, "--weights", "random")
    assert "device 'abacus'" in refused(capsys, *words, "--device", "abacus")


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


def test_keys_of_the_method_are_options(data, tmp_path, capsys):
    from train.detectors.model_file import read

    words = ["fit", "--data", data, "--category", "plate", "--epochs", 1]
    short, long = tmp_path / "short.safetensors", tmp_path / "long.safetensors"
    assert run(capsys, *words, "--out", short, "--size=40", "--stages", 4, 3)[0] == 0
    name = "--sequential_patchcore"
    more = [f"{name}.size", 40, f"{name}.stages", "[4, 3]"]
    assert run(capsys, *words, "--out", long, *more)[0] == 0
    assert read(short).settings == read(long).settings
    assert read(short).settings["stages"] == [4, 3] and read(short).settings["size"] == 40
    out = tmp_path / "m.safetensors"
    line = refused(capsys, *words, "--out", out, f"{name}.sise", 40)
    assert f"{name}.sise: unknown key, did you mean size?" in line
    line = refused(capsys, *words, "--out", out, "--sise", 40)
    assert "--sise: unknown key, did you mean size?" in line
    assert "--epochs: expected a value" in refused(capsys, *words[:-1], "--out", out)
    code, lines, _ = run(capsys, "fit", "--keys")
    assert code == 0 and "--sequential_patchcore.epochs (a whole number; default 10)" in lines


def test_an_interrupted_fit_continues_and_ends_the_same(data, model, tmp_path, capsys, monkeypatch):
    from train.detectors.model_file import Model
    from train.detectors.sequential_patchcore import detector

    out, run_epoch = tmp_path / "m.safetensors", detector.run_epoch

    def stops(extractor, coreset, trainsets, context, number, *more):
        if number == 1:
            raise KeyboardInterrupt
        run_epoch(extractor, coreset, trainsets, context, number, *more)

    words = ["fit", "--data", data, "--category", "plate", "--size", 200, "--epochs", 3]
    monkeypatch.setattr(detector, "run_epoch", stops)
    code, _, errors = run(capsys, *words, "--out", out)
    assert code == 130 and errors == ["stainless: interrupted; the same command resumes"]
    monkeypatch.undo()
    assert run(capsys, *words, "--out", out)[0] == 0
    found, expected = (Model.load(path).detector.coreset for path in (out, model))
    assert torch.equal(found.members, expected.members)
