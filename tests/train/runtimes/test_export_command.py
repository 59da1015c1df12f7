"""`export`, `verify`, and `score` with what they made, also where there is no torch."""

import json
import subprocess
import sys

import pytest
from support.command_lines import refused, run, write
from support.tracked import ROOT

from train.runtimes.exported_file import FORMAT
from train.runtimes.onnx_bytes import joined, split
from train.runtimes.references import texture

#: A machine on the line: what extra `runtime` brings and nothing else.
BARE = """
import sys
MISSING = ("torch", "torchvision", "timm", "anomalib", "lightning", "safetensors", "crepes",
           "scipy", "sklearn", "pandas", "onnx", "onnxscript", "openvino")
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in MISSING:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Finder())
from stainless.cli import main
code = main(sys.argv[1:])
assert not set(MISSING) & set(sys.modules)
sys.exit(code)
"""


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    for seed, size in enumerate([(70, 90), (70, 90), (101, 85)]):
        write(folder / f"{seed}.png", texture(*size, seed))
    return folder


def bare(*words):
    return subprocess.run(
        [sys.executable, "-c", BARE, *map(str, words)], cwd=ROOT, capture_output=True, text=True
    )


def test_scoring_needs_no_torch_and_writes_the_same(pictures, model, exported, tmp_path, capsys):
    code, lines, _ = run(capsys, "score", "--model", model, pictures, "--out", tmp_path / "torch")
    assert code == 0
    found = bare("score", "--model", exported, pictures, "--out", tmp_path / "bare")
    assert found.returncode == 0, found.stderr
    for wanted, line in zip(lines, found.stdout.splitlines(), strict=True):
        wanted, line = json.loads(wanted), json.loads(line)
        assert list(line) == list(wanted) and line["verdict"] == wanted["verdict"]
        assert line["score"] == pytest.approx(wanted["score"], rel=1e-4)
        boxes = [[region["nearest"]["image"] for region in e["regions"]] for e in (wanted, line)]
        assert boxes[0] == boxes[1]
    names = [sorted(p.name for p in (tmp_path / n).rglob("*.png")) for n in ("torch", "bare")]
    assert names[0] == names[1] and any("overlay" in name for name in names[0])


def test_a_machine_without_torch_verifies_and_says_what_it_lacks(pictures, exported, tmp_path):
    found = bare("verify", exported)
    assert found.returncode == 0 and "0 flipped verdicts" in found.stdout, found.stderr
    found = bare(
        "score", "--model", exported, pictures, "--out", tmp_path / "o", "--runtime", "tensorrt"
    )
    assert found.returncode == 2 and len(found.stderr.splitlines()) == 1


def test_verify_compares_with_the_model(pictures, model, exported, capsys):
    where = ["--data", pictures, "--model", model]
    code, lines, _ = run(capsys, "verify", exported, *where)
    assert code == 0 and "reference pictures" in lines[0] and "beside PyTorch" in lines[1]
    crops = ["--crops", 20, "--crop-px", 70, 90]
    code, lines, _ = run(capsys, "verify", exported, *where, *crops)
    assert code == 0 and ": 20 pictures" in lines[1] and "held" in lines[1]
    code, lines, _ = run(capsys, "verify", exported, *where[:2], "--runtime", "openvino")
    assert code == 0 and "beside onnxruntime" in lines[1]


def changed(exported, path, change):
    """Write the file with another content and a checksum that fits."""
    import train.runtimes.exported_file as module

    network, entries = split(exported.read_bytes())
    content = json.loads(entries[FORMAT])
    version, _ = content.pop("version"), content.pop("sha256")
    change(content)
    whole = {"version": version, **content, "sha256": module._checksum(network, content)}
    path.write_bytes(joined(network, {FORMAT: module._text(whole)}))
    return path


def test_a_broken_contract_is_exit_code_1(exported, tmp_path, capsys):
    def other_score(content):
        content["references"][1]["score"] *= 1.001

    path = changed(exported, tmp_path / "other.onnx", other_score)
    code, lines, _ = run(capsys, "verify", path)
    assert code == 1 and lines[0].endswith("BROKEN")

    def on_the_edge(content):
        score = content["references"][0]["score"]
        content["references"][0]["score"] = score * (1 - 1e-5)
        content["thresholds"]["picture"] = {"value": score * (1 - 5e-6), "rule": "given"}

    path = changed(exported, tmp_path / "edge.onnx", on_the_edge)
    code, lines, _ = run(capsys, "verify", path)
    assert code == 1 and "1 flipped verdicts" in lines[0]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["score", "--runtime", "tensorrt"], "--runtime: tensorrt, expected one of onnxruntime"),
        (["score", "--device", "cuda"], "--device: cuda, but"),
        (["score", "--accelerator", "openvino"], "which holds its weights; see --runtime"),
        (["score", "--backbone", "mobilenet_v3_large"], "was fitted with efficientnet_lite0"),
        (["export", "--to", "onnx"], "is an exported model, expected one made by fit or meld"),
    ],
)
def test_what_an_exported_model_cannot_do_is_one_line(
    words, line, pictures, exported, tmp_path, capsys
):
    more = {
        "score": [pictures, "--out", tmp_path / "out"],
        "export": ["--out", tmp_path / "out.onnx"],
    }[words[0]]
    assert line in refused(capsys, words[0], "--model", exported, *words[1:], *more)
    assert not list(tmp_path.iterdir())


def test_bad_input_of_verify_is_one_line(pictures, model, exported, tmp_path, capsys):
    where = ["--data", pictures]
    other = tmp_path / "other.safetensors"
    other.write_bytes(model.read_bytes() + b" ")
    for words, line in (
        ([exported, "--model", model], "--model: needs pictures"),
        ([exported, *where, "--model", other], "is not the model that"),
        ([model], "not an exported model"),
        ([exported, *where, "--model", model, "--crops", 3, "--crop-px", 9, 8], "--crop-px"),
        ([exported, "--crops", 3], "--crops: needs pictures"),
        ([exported, *where, "--crops", 3, "--seed", -1], "--seed: -1"),
    ):
        assert line in refused(capsys, "verify", *words)


def test_a_runtime_belongs_to_an_exported_model(pictures, model, tmp_path, capsys):
    words = ["score", "--model", model, pictures, "--out", tmp_path / "out"]
    error = refused(capsys, *words, "--runtime", "onnxruntime")
    assert "is no file of `stainless export`" in error
