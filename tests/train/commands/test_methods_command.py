"""`stainless methods`: the table, and what it says of a backbone and its weights."""

import pytest

from stainless.cli import main


def told(capsys, *words):
    code = main(["methods", *words])
    found = capsys.readouterr()
    return code, found.out, found.err


def test_every_method_has_a_line(capsys):
    code, out, _ = told(capsys)
    assert code == 0 and "sequential_patchcore" in out and "mh_patchcore" in out


def test_a_backbone_is_described_with_licence_and_hash(capsys):
    code, out, _ = told(capsys, "--backbone", "efficientnet_lite0")
    assert code == 0 and "convolutional network" in out
    assert "licence apache-2.0" in out and "sha256 579344248a93" in out


def test_a_licence_is_told_before_the_weights_are_there(capsys, monkeypatch, tmp_path):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    name = "timm:vit_small_patch16_dinov3.lvd1689m"
    code, out, _ = told(capsys, "--backbone", name)
    assert code == 0 and "blocks 0 to 11, patch of 16 pixels" in out
    assert "licence of its published weights: dinov3-license" in out and "weights missing" in out


@pytest.mark.parametrize("words", [["--backbone", "vit"], ["--weights", "w.pth"]])
def test_what_names_no_backbone_is_one_line(capsys, words):
    code, out, err = told(capsys, *words)
    assert code == 2 and out == "" and err.count("\n") == 1
