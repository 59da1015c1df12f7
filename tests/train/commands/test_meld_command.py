"""`stainless meld`: what two models know, and models that do not fit together."""

import json

from support.command_lines import refused, run


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


def test_melding_strangers(data, model, tmp_path, capsys):
    other, out = tmp_path / "other.safetensors", tmp_path / "out.safetensors"
    words = ["fit", "--data", data, "--category", "plate", "--size", 50, "--epochs", 1]
    assert run(capsys, *words, "--out", other, "--pool-kernel", 1)[0] == 0
    line = refused(capsys, "meld", model, other, "--out", out)
    assert str(other) in line and "pool_kernel" in line and not out.exists()
    assert "two models" in refused(capsys, "meld", model, "--out", out)
