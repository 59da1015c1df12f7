"""Models that are handed on without provenance, and certificates of what they cover."""

import json

import cv2
import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.command_lines import refused, run

from train.detectors.detector import Context
from train.detectors.model_file import Model, read
from train.detectors.sequential_patchcore.coreset import Coreset
from train.detectors.sequential_patchcore.detector import SequentialPatchcore
from train.detectors.sequential_patchcore.melding import meld
from train.detectors.sequential_patchcore.member_class import MemberClass
from train.detectors.sequential_patchcore.reach import reach
from train.detectors.sequential_patchcore.settings import Settings
from train.detectors.sequential_patchcore.stripping import stripped
from train.detectors.strippable import strip

#: Beginning of all names, which nothing else in a file begins with.
MARK = "q7-"

NAMES = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs",), exclude_characters='"\\'), max_size=12
).map(lambda text: MARK + text)


def named_model(names, seed):
    """Return a model that knows names of every kind, some through melding."""
    rng = np.random.default_rng(seed)
    dataset, picture, part, kind, hashed = names
    detectors = []
    for number in range(2):
        coreset = Coreset(4, identity={"backbone": "none"})
        source = coreset.sources.add(dataset, [f"{picture}/{number}"], {0: part})
        classes = [coreset.notes.classes.number(MemberClass(kind, "rendered"))] * 6
        origin = np.array([[source, 0, k] for k in range(6)], np.int32)
        crops = [rng.integers(0, 255, (8, 8, 3)).astype(np.uint8) for _ in range(6)]
        request = {"datasets": [dataset], "listing": hashed}
        coreset.history.append({"event": "fit", "request": request})
        coreset.start_epoch()
        patches = torch.from_numpy(rng.normal(size=(6, 3)).astype(np.float32))
        coreset.update(patches, origin, np.array(classes, np.int16), crops)
        coreset.end_epoch()
        coreset.history.append({"event": "forget", "classes": [kind], "members": 0, "hinged": 0})
        detectors.append(
            SequentialPatchcore(Settings(size=4, without=(kind,)), Context(scores=False), coreset)
        )
    first, other = detectors
    first.context.report = lambda line: None
    entry = {"dataset": dataset, "split": picture, "fingerprints": [hashed], "images": 3}
    return Model(
        "sequential_patchcore",
        first.settings,
        first.meld([other], first.settings),
        {"melded": [{"fits": [request]}], "weights": [{"name": "none", "file": hashed}]},
        {"pixel": {"value": 1.5, "rule": "pixel-f1", **entry}},
        {"chosen": "platt", "curves": {}, **entry},
    )


@settings(deadline=None, max_examples=15)
@given(st.tuples(*[NAMES] * 5), st.integers(0, 9))
def test_the_bytes_of_a_stripped_file_have_no_names(tmp_path_factory, names, seed):
    path = tmp_path_factory.mktemp("stripped") / "a.safetensors"
    model = named_model(names, seed)
    model.save(path)
    whole = path.read_bytes()
    assert MARK.encode() in whole and b"WEBP" in whole
    strip(model).save(path)
    assert MARK.encode() not in path.read_bytes() and b"WEBP" not in path.read_bytes()
    stored = read(path)
    assert stored.thresholds == {"pixel": {"value": 1.5, "rule": "pixel-f1"}}
    assert (stored.arrays["provenance"] == -1).all()
    kept = Coreset.from_state(stored.arrays, stored.state)
    assert torch.equal(kept.members, model.detector.coreset.members)
    # The given one knows what it knew.
    assert model.detector.coreset.origin(0) is not None


def test_a_stripped_model_scores_melds_and_learns_as_before(data, model, tmp_path, capsys):
    plain, out = tmp_path / "plain.safetensors", tmp_path / "out.safetensors"
    code, lines, _ = run(capsys, "strip", "--model", model, "--out", plain)
    assert code == 0 and "stripped" in lines[0]
    whole, bare = model.read_bytes(), plain.read_bytes()
    stored = read(model)
    told = ["plate", "train/good", stored.metadata["fits"][0]["listing"]]
    told += stored.thresholds["pixel"]["fingerprints"]
    assert all(name.encode() in whole for name in told)
    assert [name for name in [*told, "good/", str(data)] if name.encode() in bare] == []
    pictures = data / "plate/test"
    verdicts = []
    for each in (model, plain):
        code, lines, _ = run(
            capsys, "score", "--model", each, pictures, "--out", tmp_path / each.stem, "--explain"
        )
        assert code == 0
        verdicts.append([json.loads(line) for line in lines])
    for line in (line for lines in verdicts for line in lines):
        for region in line["regions"]:
            region.pop("nearest")
    assert verdicts[0] == verdicts[1]
    code, lines, errors = run(capsys, "members", "--model", plain)
    assert code == 0 and lines[1].split()[:2] == ["unknown", "unknown"] and "stripped" in errors[0]
    words = ["--data", data, "--category", "plate"]
    assert run(capsys, "threshold", "--model", plain, *words)[0] == 0
    assert run(capsys, "meld", plain, model, "--out", out, "--strip-provenance")[0] == 0
    assert b"plate" not in out.read_bytes()
    learned = tmp_path / "learned.safetensors"
    words = ["--data", data, "--category", "turned", "--from", plain, "--epochs", 1]
    assert run(capsys, "fit", *words, "--out", learned)[0] == 0
    assert b"turned" in learned.read_bytes() and b"plate" not in learned.read_bytes()


def test_what_cannot_be_stripped(model, tmp_path, capsys):
    out = tmp_path / "out.safetensors"
    weighed = tmp_path / "weighed.safetensors"
    words = ["--weigh", "photograph=0.5", "--out", weighed]
    assert run(capsys, "members", "--model", model, *words)[0] == 0
    line = refused(capsys, "strip", "--model", weighed, "--out", out)
    assert "photograph" in line and not out.exists()
    assert "itself" in refused(capsys, "strip", "--model", model, "--out", model)


def test_a_certificate_counts_patches_within_the_radius(data, model, tmp_path, capsys):
    words = ["cover", "--model", model, "--data", data, "--category", "plate"]
    out = tmp_path / "certificate"
    code, lines, _ = run(capsys, *words, "--split", "test", "--out", out)
    assert code == 0 and lines[0].startswith("radius ")
    record = json.loads((out / "certificate.json").read_text())
    coreset = Model.load(model).detector.coreset
    assert record["radius"] == coreset.separation and record["accepted"] is None
    detector = Model.load(model).detector
    good = [cv2.imread(str(data / f"plate/test/good/{number}.png")) for number in range(2)]
    distances = np.stack([detector.score([image])[0].detail["distances"] for image in good])
    assert record["patches"]["count"] == distances.size
    assert record["patches"]["covered"] == int((distances <= record["radius"]).sum())
    assert record["farthest"] == record["least_covered"][0]["distance"] == distances.max()
    assert len(record["least_covered"]) == record["pictures"]["count"] == 2
    assert cv2.imread(str(out / "least_covered.png")) is not None
    middle = float(np.median(distances))
    for asked, expected in ((0.4, 0), (0.9, 1)):
        more = ["--split", "test", "--radius", middle, "--at-least", asked, "--out", out]
        assert run(capsys, *words, *more)[0] == expected
        assert json.loads((out / "certificate.json").read_text())["accepted"] is (not expected)


def test_a_melded_coreset_reaches_as_far_as_what_it_is_melded_of():
    rng = np.random.default_rng(4)
    sources = []
    for spread in (1.0, 5.0, 2.0):
        coreset = Coreset(20, identity={"backbone": "none"})
        patches = torch.from_numpy((spread * rng.normal(size=(90, 3))).astype(np.float32))
        coreset.fit(lambda patches=patches: [(patches,)], 3)
        assert reach(coreset).value == coreset.separation
        sources.append(coreset)
    inner = meld(sources[:2], 40)
    outer = meld([stripped(inner), sources[2]], 60)
    assert outer.separation < sources[1].separation
    assert reach(outer).value == reach(inner).value == sources[1].separation
    small = meld(sources, 10)
    assert reach(small).value == small.separation > sources[1].separation


def test_what_cannot_be_certified(data, model, tmp_path, capsys):
    words = ["cover", "--data", data, "--category", "plate", "--out", tmp_path / "none"]
    assert "--at-least" in refused(capsys, *words, "--model", model, "--at-least", 1.5)
    assert "--radius" in refused(capsys, *words, "--model", model, "--radius", "nan")
    other = tmp_path / "other.safetensors"
    fit = ["fit", "--data", data, "--category", "plate", "--method", "padim", "--out", other]
    assert run(capsys, *fit)[0] == 0
    assert "coreset" in refused(capsys, *words, "--model", other)
    assert "coreset" in refused(
        capsys, "strip", "--model", other, "--out", tmp_path / "x.safetensors"
    )
    assert not (tmp_path / "none").exists()
