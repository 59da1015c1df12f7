"""What members are, in words and pictures; weighed, forgotten, and as if they had never been."""

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from support.command_lines import HEIGHT, WIDTH, brushed, refused, run, write

from stainless import Detector, cli
from stainless.errors import InputError
from train.detectors.model_file import Model, read
from train.detectors.sequential_patchcore.fitting import extract

SMALL = ("--size", 60, "--epochs", 2, "--pool-stride", 2)


def stained(seed):
    """Return a picture with a dark disc, and its class map."""
    picture, classes = brushed(seed), np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.circle(classes, (30 + 9 * seed, 50), 14, 3, -1)
    picture[classes > 0] //= 2
    return picture, classes


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    """A dataset that says of itself that it is rendered, with a stain on each plate."""
    root = tmp_path_factory.mktemp("rendered")
    for number in range(4):
        picture, classes = stained(number)
        split = "test" if number == 3 else "train"
        name = f"stained/{split}/good/{number:03}"
        write(root / f"{name}.png", picture)
        write(root / f"annotations/{name}_class.png", classes)
        write(root / f"annotations/{name}_instance.png", (classes > 0).astype(np.uint16))
    names = [{"index": 3, "name": "water_stain", "kind": "impurity"}]
    (root / "annotations/classes.json").write_text(json.dumps({"classes": names}))
    (root / "manifest.jsonl").touch()
    (root / "scene.yaml").write_text("part: plate\nsamples: 4\n")
    return root


@pytest.fixture(scope="module")
def fitted(rendered, one_thread, tmp_path_factory):
    path = tmp_path_factory.mktemp("fitted") / "a.safetensors"
    words = ["fit", "--data", rendered, "--category", "stained", "--out", path, *SMALL]
    assert cli.main([*map(str, words)]) == 0
    return path


def rows(lines):
    return {line.split()[0]: line.split() for line in lines[1:]}


def test_members_are_listed_with_what_lay_there(fitted, capsys):
    code, lines, told = run(capsys, "members", "--model", fitted)
    assert code == 0 and not told
    found = rows(lines)
    assert set(found) == {"bare", "water_stain"}
    assert sum(int(row[2]) for row in found.values()) == 60
    assert found["water_stain"][1] == "rendered" and int(found["water_stain"][2]) > 5


def test_a_verdict_says_what_it_is_nearest_to_and_shows_both(rendered, fitted, tmp_path, capsys):
    picture = rendered / "stained/test/good/003.png"
    words = ("score", "--model", fitted, picture, "--threshold", 0, "--out", tmp_path)
    code, lines, _ = run(capsys, *words, "--explain")
    assert code == 0
    nearest = json.loads(lines[0])["regions"][0]["nearest"]
    number = int(nearest["image"][-3:])
    assert nearest["part"] == f"plate {number}" and nearest["made"] == "rendered"
    name = nearest["class"].replace("_", " ")
    assert nearest["words"] == f"{name}, rendered, plate {number}"
    shown = cv2.imread(str(tmp_path / "003_why.png"))
    assert shown.shape[0] > 190 and shown.std() > 20
    # The model alone shows its member as it lay in the dataset, WebP's losses aside.
    detector = Model.load(fitted).detector
    grid, coreset = detector.extractor.grid, detector.coreset
    position = coreset.origin(nearest["member"]).position
    source = cv2.imread(str(rendered / "stained" / f"{nearest['image']}.png"))
    side = 48
    top, left = (
        round(grid.first + cell * grid.pitch - (side - 1) / 2) for cell in divmod(position, 1 << 16)
    )
    kept = detector.crop(nearest["member"]).astype(float)
    rows_, columns = (np.arange(side) + at for at in (top, left))
    wanted = source[rows_.clip(0, HEIGHT - 1)[:, None], columns.clip(0, WIDTH - 1)]
    assert kept.shape == (side, side, 3) and np.abs(kept - wanted).mean() < 12
    run(capsys, *words)
    assert not (tmp_path / "003_why.png").exists()


def test_classes_of_members_are_those_of_their_pixels(rendered, fitted):
    detector = Model.load(fitted).detector
    coreset, grid = detector.coreset, detector.extractor.grid
    for member in range(len(coreset)):
        origin = coreset.origin(member)
        path = rendered / f"annotations/stained/{origin.image}_class.png"
        classes = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        x, y, width, height = grid.box(*divmod(origin.position, 1 << 16))
        expected = classes[y : y + height, x : x + width].any()
        assert (coreset.notes.class_at(member).name == "water_stain") == expected


def test_forgetting_says_how_exact_it_is_and_with_the_data_it_is_exact(
    rendered, fitted, tmp_path, capsys
):
    less, anew, never = (tmp_path / f"{name}.safetensors" for name in ("less", "anew", "never"))
    words = ("forget", "--class", "water_stain", "--model", fitted)
    code, lines, _ = run(capsys, *words, "--out", less)
    assert code == 0 and "not exact" in lines[0] and "decisions rested on them" in lines[0]
    left = Model.load(less).detector.coreset
    assert {left.notes.class_at(k).name for k in range(len(left))} == {"bare"}
    assert len(left) == left.size < 60
    data = ("--data", rendered)
    code, lines, _ = run(capsys, *words, "--out", anew, *data)
    assert code == 0 and "exactly" in lines[-1]
    fit = ("fit", *data, "--category", "stained", *SMALL, "--without", "water_stain")
    assert run(capsys, *fit, "--out", never)[0] == 0
    assert anew.read_bytes() == never.read_bytes()
    found = Model.load(anew).detector.coreset.notes
    assert "water_stain" not in {entry.name for entry in found.classes.entries[1:2]}
    line = refused(capsys, "fit", *data, "--category", "stained", "--out", less, *SMALL)
    assert "is of another fit" in line


def test_free_places_make_forgetting_exact(rendered, tmp_path, capsys):
    whole, less, never = (tmp_path / f"{name}.safetensors" for name in ("whole", "less", "never"))
    fit = ("fit", "--data", rendered, "--category", "stained", *SMALL, "--size", 2000)
    run(capsys, *fit, "--out", whole)
    run(capsys, *fit, "--out", never, "--without", "water_stain")
    code, lines, _ = run(
        capsys, "forget", "--class", "water_stain", "--model", whole, "--out", less
    )
    assert code == 0 and "exactly as if" in lines[0]
    forgotten, expected = read(less).arrays, read(never).arrays
    for name in ("members", "order", "provenance", "crops"):
        assert np.array_equal(forgotten[name], expected[name]), name


def test_weights_of_members(rendered, fitted, tmp_path, capsys):
    weighed, plain = tmp_path / "w.safetensors", Model.load(fitted).detector
    words = ("members", "--model", fitted, "--out", weighed, "--weigh")
    code, lines, _ = run(capsys, *words, "water_stain=0.5", "bare=2")
    assert code == 0 and [rows(lines)[name][3] for name in ("water_stain", "bare")] == ["0.5", "2"]
    image = cv2.imread(str(rendered / "stained/test/good/003.png"))
    detector = Model.load(weighed).detector
    found = detector.score([image])[0].detail
    members, notes = plain.coreset.members.numpy().astype(float), plain.coreset.notes
    features = extract(plain.extractor, image).reshape(-1, members.shape[1]).numpy().astype(float)
    distances = np.sqrt(np.square(features[:, None] - members).sum(-1))
    stains = np.array([notes.class_at(k).name == "water_stain" for k in range(len(members))])
    expected = distances / np.where(stains, 0.5, 2.0)
    assert np.allclose(found["distances"].ravel(), expected.min(1), rtol=1e-4)
    assert np.array_equal(found["nearest"].ravel(), expected.argmin(1))
    # A weight of 1 gives back what there was.
    run(capsys, *words, "water_stain=1")
    assert read(weighed).state == read(fitted).state
    assert "weighs members" in str(plain.differs(detector))


def test_from_python(rendered, fitted):
    detector = Detector.load(fitted)
    image = cv2.imread(str(rendered / "stained/test/good/003.png"))
    detector.threshold = 0.0
    nearest = detector.score(image).regions[0]["nearest"]
    assert nearest["class"] in ("bare", "water_stain")
    assert detector.why(image).dtype == np.uint8
    assert {row["class"] for row in detector.members()} == {"bare", "water_stain"}
    assert "members forgotten" in detector.forget("water_stain")
    assert detector.threshold is None and detector.why(image) is None
    with pytest.raises(InputError, match="every member has a weight of 0"):
        detector.weigh(rendered=0)
    with pytest.raises(InputError, match="has no members"):
        Detector("simplenet", steps=1).forget("bare")


def test_photographs_and_continued_models(data, rendered, fitted, tmp_path, capsys):
    more = tmp_path / "more.safetensors"
    where = ("--data", data, "--category", "plate")
    code, _, _ = run(capsys, "fit", *where, "--from", fitted, "--out", more, "--epochs", 1)
    assert code == 0
    found = {(row["class"], row["made"]) for row in Model.load(more).detector.members()}
    assert found == {("bare", "rendered"), ("water_stain", "rendered"), ("unknown", "photograph")}
    assert "water_stain" in Model.load(more).remembering().settings_without(["water_stain"]).without
    line = refused(
        *(capsys, "forget", "--class", "water_stain", "--model", more),
        *("--out", tmp_path / "x.safetensors", "--data", rendered),
    )
    assert "does not come from one fit alone" in line


def test_bad_input(rendered, fitted, model, data, tmp_path, capsys):
    out = tmp_path / "out.safetensors"
    forget = ("forget", "--model", fitted, "--out", out, "--class")
    assert "expected a class of what was learned from: bare, rendered, water_stain" in refused(
        capsys, *forget, "rust"
    )
    assert "would leave 0 members" in refused(capsys, *forget, "rendered")
    assert "is the model itself" in refused(
        capsys, "forget", "--model", fitted, "--out", fitted, "--class", "bare"
    )
    other = tmp_path / "other"
    shutil.copytree(rendered, other)
    (other / "stained/train/good/000.png").unlink()
    assert "does not have the pictures" in refused(capsys, *forget, "bare", "--data", other)
    weigh = ("members", "--model", fitted, "--out", out, "--weigh")
    assert "expected CLASS=WEIGHT" in refused(capsys, *weigh, "bare")
    assert "expected a weight of 0 or more" in refused(capsys, *weigh, "bare=-1")
    assert "together with --out" in refused(capsys, "members", "--model", fitted, "--weigh", "a=1")
    assert not out.exists()


def test_an_older_model_says_that_its_members_know_nothing(capsys):
    old = Path(__file__).parents[2] / "first_edition/model.safetensors"
    code, lines, told = run(capsys, "members", "--model", old)
    assert code == 0 and len(told) == 1 and "do not know what lay there" in told[0]
    assert "not recorded" in lines[1]
