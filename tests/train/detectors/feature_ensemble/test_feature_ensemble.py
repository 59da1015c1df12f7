"""The ensemble of features: members are fitted once, what cannot be combined is one line."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from support.check_detector import brushed, one_line, samples, small_context
from support.threads import one_thread  # noqa: F401

from train.detectors import options
from train.detectors.detector import Featured, Trainset, method, named
from train.detectors.feature_ensemble.head import auroc
from train.detectors.feature_ensemble.settings import Settings
from train.detectors.fitting import fit_file
from train.detectors.model_file import Model
from train.detectors.sequential_patchcore.detector import SequentialPatchcore
from train.detectors.simplenet.detector import SimpleNet

PICTURES = Trainset("metal", samples(range(4)))
WORDS = {"simplenet": "epochs=2 batch=2", "sequential_patchcore": "size=64 epochs=1"}
LEARNS = {"epochs": 3, "batch": 2, "patches": 64}


def fit(path, name, settings, trainset=PICTURES, **context):
    assert fit_file(path, name, settings, [trainset], small_context(**context))
    return Model.load(path, small_context())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a model of each of two methods."""
    folder = tmp_path_factory.mktemp("members")
    for name, keys in WORDS.items():
        chosen = options.settings(name, [pair.split("=") for pair in keys.split()])
        fit(folder / f"{name}.safetensors", name, chosen)
    return folder


def ensemble(folder, *names, **more):
    members = tuple(str(folder / f"{name}.safetensors") for name in names or WORDS)
    return Settings(members=members, **{**LEARNS, **more})


def test_a_second_ensemble_costs_only_its_head(folder, tmp_path, monkeypatch):
    on_the_spot = Settings(members=tuple(f"{n} {keys}" for n, keys in WORDS.items()), **LEARNS)
    spot = fit(tmp_path / "spot.safetensors", "feature_ensemble", on_the_spot)
    for kind in (SimpleNet, SequentialPatchcore):
        monkeypatch.setattr(kind, "fit", lambda *_: pytest.fail("a member is fitted again"))
    one = fit(tmp_path / "one.safetensors", "feature_ensemble", ensemble(folder))
    two = fit(tmp_path / "two.safetensors", "feature_ensemble", ensemble(folder, block="global"))
    assert [weights["name"] for weights in one.metadata["weights"]] == ["efficientnet_lite0"]
    states = [model.detector.state()[0] for model in (spot, one, two)]
    members = [name for name in states[1] if name.startswith("member_")]
    assert {name.split(".")[0] for name in members} == {"member_0", "member_1"}
    for name in members:
        for state in states:
            np.testing.assert_array_equal(state[name], states[1][name])
    for name, array in states[0].items():
        np.testing.assert_array_equal(array, states[1][name])
    assert states[1]["head.transformation.axes_0"].shape == (152, 76)
    assert states[2]["head.transformation.axes_0"].shape == (152, 152)


def test_its_file_needs_no_member_any_more(folder, tmp_path):
    copies = tmp_path / "copies"
    copies.mkdir()
    for name in WORDS:
        (copies / f"{name}.safetensors").write_bytes((folder / f"{name}.safetensors").read_bytes())
    path = tmp_path / "ensemble.safetensors"
    model = fit(path, "feature_ensemble", ensemble(copies))
    (before,) = model.detector.score([brushed(50)])
    for name in WORDS:
        (copies / f"{name}.safetensors").unlink()
    (after,) = Model.load(path, small_context()).detector.score([brushed(50)])
    np.testing.assert_array_equal(after.map, before.map)


def test_an_ensemble_of_one_member_finds_what_is_not_nominal(folder, tmp_path):
    settings = ensemble(folder, "simplenet", epochs=30, discriminator_rate=2e-3)
    model = fit(tmp_path / "m.safetensors", "feature_ensemble", settings)
    bad = brushed(51)
    bad[40:52, 60:72] = 255
    good, found = model.detector.score([brushed(50), bad])
    assert found.value > good.value
    row, column = np.unravel_index(found.map.argmax(), found.map.shape)
    assert 30 <= row < 62 and 50 <= column < 82
    (account,) = model.detector.accounts
    assert (account["maps"], account["width"], account["weight"]) == (152, 152, 1.0)


def test_only_what_is_not_adapted_yet_has_a_projection(folder, tmp_path):
    model = fit(tmp_path / "m.safetensors", "feature_ensemble", ensemble(folder))
    arrays, state = model.detector.state()
    layers = [name for name in arrays if "projections" in name and name.endswith("weight")]
    assert layers == ["head.transformation.projections.1.weight"]
    moved = np.abs(arrays[layers[0]] - np.eye(152))
    assert 0 < moved.max() < 0.01
    history = named(method("feature_ensemble").history)(state)
    assert list(history.quantities) == ["loss", "auroc", "nominal", "noisy"]
    assert len(history.passes) == 3


def test_all_that_give_features_can_join_whatever_their_grids(folder, tmp_path):
    words = ("patchcore members=64 side=80", "padim features=20 side=null")
    files = ensemble(folder).members
    path = tmp_path / "m.safetensors"
    model = fit(path, "feature_ensemble", Settings(members=(*words, *files), **LEARNS))
    accounts = model.detector.accounts
    assert [account["maps"] for account in accounts] == [44, 20, 44, 44]
    assert [account["member"] for account in accounts] == ["patchcore", "padim", *WORDS]
    (score,) = model.detector.score([brushed(50)])
    assert score.map.shape == (96, 112) and np.isfinite(score.map).all()


def test_a_member_that_changed_makes_another_ensemble(folder, tmp_path):
    path, member = tmp_path / "m.safetensors", tmp_path / "simplenet.safetensors"
    member.write_bytes((folder / "simplenet.safetensors").read_bytes())
    settings = ensemble(tmp_path, "simplenet")
    fit(path, "feature_ensemble", settings)
    context = small_context()
    assert not fit_file(path, "feature_ensemble", settings, [PICTURES], context)
    other = options.settings("simplenet", [("epochs", "1")])
    member.unlink()
    fit(member, "simplenet", other)
    line = one_line(lambda: fit_file(path, "feature_ensemble", settings, [PICTURES], context))
    assert "is of another fit" in line


def refusal(settings, tmp_path, trainset=PICTURES):
    path = tmp_path / "refused.safetensors"
    line = one_line(
        lambda: fit_file(path, "feature_ensemble", settings, [trainset], small_context())
    )
    assert not path.exists()
    return line


def test_what_cannot_be_combined_is_one_line(folder, tmp_path):
    other = Trainset("wood", samples(range(10, 13)))
    line = refusal(ensemble(folder), tmp_path, other)
    assert "was fitted to metal, expected wood, which the ensemble learns from" in line
    assert "no such file" in refusal(ensemble(folder, "none"), tmp_path)
    (tmp_path / "text.safetensors").write_text("no model")
    assert "not a model file" in refusal(ensemble(tmp_path, "text"), tmp_path)
    line = refusal(Settings(members=("simplenet", "draem")), tmp_path)
    assert "draem gives no features of patches, expected a method that does" in line
    (tmp_path / "text.safetensors").unlink()
    assert not list(tmp_path.iterdir()), "something was fitted before it was refused"


def test_a_member_that_knows_other_pictures_is_told(folder, tmp_path):
    lines = []
    few = Trainset("metal", PICTURES.samples[:3])
    settings = ensemble(folder, "simplenet", epochs=1)
    fit(tmp_path / "m.safetensors", "feature_ensemble", settings, few, warn=lines.append)
    assert "other pictures of metal (4) than the ensemble learns from (3)" in lines[0]


def test_a_member_of_one_size_refuses_another(tmp_path):
    words = ("padim features=10 side=null",)
    sizes = [*samples(range(2)), *samples([2], (96, 120))]
    line = refusal(Settings(members=words), tmp_path, Trainset("metal", sizes))
    assert "PaDiM needs pictures of one size" in line and "train/good/002" in line


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"members": ()}, "feature_ensemble.members: [], expected one or more"),
        ({"members": ("none",)}, "feature_ensemble.members: none, expected one of"),
        ({"members": ("simplenet 3",)}, "expected FILE.safetensors or METHOD [KEY=VALUE ...]"),
        (
            {"members": ("simplenet steps=x",)},
            "feature_ensemble.members: simplenet steps=x: steps: 'x', expected",
        ),
        ({"maps": 0}, "feature_ensemble.maps: 0, expected at least 1"),
        ({"noise": 0.0}, "feature_ensemble.noise: 0.0, expected a number above 0"),
        ({"blur_px": -1.0}, "feature_ensemble.blur_px: -1.0, expected at least 0"),
    ],
)
def test_settings_that_cannot_be_are_one_line(changed, message):
    assert message in one_line(lambda: replace(Settings(), **changed).validate())


def test_members_are_given_as_words_of_an_option():
    text = "a.safetensors, simplenet steps=3"
    chosen = options.settings("feature_ensemble", [("members", text)])
    assert chosen.members == ("a.safetensors", "simplenet steps=3")


def test_the_auroc_is_a_share_of_pairs():
    higher, lower = torch.tensor([1.0, 2.0, 2.0]), torch.tensor([2.0, 0.0])
    pairs = [(float(a > b) + float(a >= b)) / 2 for a in higher for b in lower]
    assert auroc(higher, lower) == pytest.approx(np.mean(pairs))


@pytest.mark.parametrize(
    "word", ["sequential_patchcore size=64", "patchcore members=64 side=80", "padim features=20"]
)
def test_the_length_of_a_difference_is_the_score_of_its_patch(word, tmp_path):
    name, *pairs = word.split()
    settings = options.settings(name, [pair.split("=") for pair in pairs])
    detector = fit(tmp_path / "m.safetensors", name, settings).detector
    assert isinstance(detector, Featured) and not detector.adapted
    picture = brushed(50)
    vectors = detector.patch_features(picture)
    assert vectors.dtype == np.float32 and (vectors >= 0).all()
    places = detector.patch_places(picture.shape[:2], vectors.shape[:2])
    for axis in (0, 1):
        last = places.first[axis] + (vectors.shape[axis] - 1) * places.pitch[axis]
        assert -1 < places.first[axis] < places.pitch[axis]
        assert picture.shape[axis] - places.pitch[axis] <= last < picture.shape[axis] + 8
    lengths = np.linalg.norm(vectors, axis=2)
    (score,) = detector.score([picture])
    if "distances" in score.detail:
        np.testing.assert_allclose(lengths, score.detail["distances"], rtol=1e-4)
        return
    model, prepared = detector.model, detector.preparation.resized(picture, "cpu")
    with torch.inference_mode():
        patches = detector.patches(model, prepared)
        if name == "patchcore":
            rows = model.reshape_embedding(patches)
            expected, _ = model.nearest_neighbors(embedding=rows, n_neighbors=1)
        else:
            stats = [model.gaussian.mean, model.gaussian.inv_covariance]
            expected = model.anomaly_map_generator.compute_distance(patches, stats)
    # Where a difference is next to nothing, products of matrices leave noise.
    np.testing.assert_allclose(lengths.ravel(), expected.numpy().ravel(), rtol=2e-3, atol=2e-2)
