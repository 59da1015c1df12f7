import json

import pytest

from stainless.errors import InputError
from train.detectors.detector import Context
from train.detectors.model_file import read
from train.runtimes.detector import open_exported
from train.runtimes.exported_file import FORMAT, is_exported, read_exported
from train.runtimes.onnx_bytes import joined, split


def refused(path):
    with pytest.raises(InputError) as caught:
        read_exported(path)
    line = str(caught.value)
    assert str(path) in line and "\n" not in line
    return line


def test_all_that_a_verdict_needs_is_in_the_file(model, exported):
    stored, file = read(model), read_exported(exported)
    assert (file.method, file.metadata) == (stored.method, stored.metadata)
    assert file.thresholds == stored.thresholds
    assert len(file.thresholds["picture"]["calibration"]) == 22
    assert file.settings["stages"] == [1, 2]
    assert len(file.members) == 600
    detector = stored.open(Context()).detector
    origins = [detector.coreset.origin(row) for row in range(600)]
    assert [member["image"] for member in file.members] == [origin.image for origin in origins]
    assert [entry["name"] for entry in file.weights] == ["efficientnet_lite0"]
    assert {"licence", "licence_class"} <= file.weights[0].keys()
    assert len(file.fitted_on) == len(file.model) == 64
    assert file.report["contract"] == {"absolute": 1e-5, "relative": 1e-4, "flipped_verdicts": 0}
    assert file.report["compared"]["onnxruntime"]["held"]
    assert file.runtime == "onnxruntime" and file.size is None


def test_there_and_back_it_is_the_same(exported, tmp_path):
    file = read_exported(exported)
    file.save(tmp_path / "again.onnx")
    assert (tmp_path / "again.onnx").read_bytes() == exported.read_bytes()


def test_the_ending_does_not_matter(exported, model, tmp_path):
    path = tmp_path / "inspector.bin"
    path.write_bytes(exported.read_bytes())
    assert is_exported(path) and not is_exported(model) and not is_exported(tmp_path / "none")


@pytest.mark.parametrize("place", [0.3, 0.9, 0.999])
def test_a_changed_byte_is_seen(exported, tmp_path, place):
    data = bytearray(exported.read_bytes())
    data[int(place * len(data))] ^= 1
    path = tmp_path / "changed.onnx"
    path.write_bytes(data)
    line = refused(path)
    assert "altered" in line or "not an exported model" in line or "not made by" in line


def test_a_changed_threshold_is_seen(exported, tmp_path):
    network, entries = split(exported.read_bytes())
    content = json.loads(entries[FORMAT])
    content["thresholds"]["picture"]["value"] = 1e9
    path = tmp_path / "changed.onnx"
    path.write_bytes(joined(network, {FORMAT: json.dumps(content, ensure_ascii=False)}))
    assert "checksum does not match" in refused(path)


def test_a_file_of_another_version_is_one_line(exported, tmp_path):
    network, entries = split(exported.read_bytes())
    content = {**json.loads(entries[FORMAT]), "version": 2}
    path = tmp_path / "newer.onnx"
    path.write_bytes(joined(network, {FORMAT: json.dumps(content)}))
    assert "is of version 2 of the exported format" in refused(path)


def test_what_is_no_exported_file_is_one_line(exported, model, tmp_path):
    path = tmp_path / "other.onnx"
    path.write_bytes(exported.read_bytes()[:-100])
    assert "truncated" in refused(path)
    path.write_bytes(split(exported.read_bytes())[0])
    assert "not made by `stainless export`" in refused(path)
    path.write_bytes(model.read_bytes())
    refused(path)


def test_an_exported_model_learns_nothing(exported):
    model = open_exported(exported)
    with pytest.raises(InputError, match="only scores"):
        model.save(exported)
    with pytest.raises(InputError, match="only scores"):
        model.detector.fit([])
