"""The ensemble of scores: what members say is calibrated, then joined."""

import numpy as np
import pytest
from support.check_detector import brushed, one_line, samples, small_context
from support.threads import one_thread  # noqa: F401

from train.calibration import Calibration, fit_all
from train.detectors import options
from train.detectors.detector import Trainset
from train.detectors.fitting import fit_file
from train.detectors.model_file import Model
from train.detectors.score_ensemble.settings import Settings

PICTURES = Trainset("metal", samples(range(4)))
MEMBERS = ("sequential_patchcore size=64 epochs=1", "sequential_patchcore size=32 epochs=1")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with two models, 0.safetensors and 1.safetensors, that carry calibrations."""
    folder = tmp_path_factory.mktemp("members")
    rng = np.random.default_rng(0)
    for number, word in enumerate(MEMBERS):
        name, *pairs = word.split()
        chosen = options.settings(name, [pair.split("=") for pair in pairs])
        path = folder / f"{number}.safetensors"
        fit_file(path, name, chosen, [PICTURES], small_context())
        model = Model.load(path, small_context())
        model.save(folder / f"bare_{number}.safetensors")
        scores = np.concatenate([rng.normal(20 + number, 3, 20), rng.normal(26, 3, 20)])
        curves = fit_all(scores, np.repeat([False, True], 20))
        model.calibration = Calibration("platt", curves, {}).record()
        model.save(path)
    return folder


def fitted(path, members, **changed):
    settings = Settings(members=tuple(str(member) for member in members), **changed)
    assert fit_file(path, "score_ensemble", settings, [PICTURES], small_context())
    return Model.load(path, small_context()).detector


@pytest.mark.parametrize("join", ["mean", "maximum"])
def test_probabilities_of_the_carried_calibrations_are_joined(folder, tmp_path, join):
    files = [folder / "0.safetensors", folder / "1.safetensors"]
    detector = fitted(tmp_path / "m.safetensors", files, join=join)
    picture = brushed(50)
    values, maps = [], []
    for file in files:
        model = Model.load(file, small_context())
        (score,) = model.detector.score([picture])
        curve = Calibration.from_record(model.calibration)
        values.append(curve.probability(score.value))
        maps.append(curve.probability(score.map))
    joined = {"mean": np.mean, "maximum": np.max}[join]
    (found,) = detector.score([picture])
    assert 0 < found.value < 1 and found.value == pytest.approx(joined(values))
    np.testing.assert_allclose(found.map, joined(maps, axis=0), rtol=1e-5)


def test_deviations_from_the_training_pictures_are_joined(folder, tmp_path):
    detector = fitted(
        tmp_path / "m.safetensors", [folder / "bare_0.safetensors"], calibration="nominal"
    )
    scores = detector.score([sample.pixels for sample in PICTURES.samples])
    values = np.array([score.value for score in scores])
    pixels = np.stack([score.map for score in scores])
    for found in (values, pixels):
        assert found.mean() == pytest.approx(0, abs=1e-3)
        assert found.std() == pytest.approx(1, rel=1e-3)


def test_a_member_without_what_is_needed_is_one_line(folder, tmp_path):
    path = tmp_path / "m.safetensors"
    line = one_line(lambda: fitted(path, [folder / "0.safetensors", folder / "bare_1.safetensors"]))
    assert "bare_1.safetensors carries no calibration, expected" in line
    assert "score_ensemble.calibration nominal" in line and not path.exists()
    line = one_line(lambda: fitted(path, MEMBERS[:1]))
    assert f"{MEMBERS[0]} carries no calibration" in line and not path.exists()
    line = one_line(lambda: fitted(path, ["ganomaly"], calibration="nominal"))
    assert "ganomaly gives no anomaly maps" in line and not path.exists()
    assert not list(tmp_path.iterdir()), "something was fitted before it was refused"


def test_ensembles_can_be_members(folder, tmp_path):
    inner = tmp_path / "inner.safetensors"
    fitted(inner, [folder / "bare_0.safetensors"], calibration="nominal")
    both = [inner, folder / "bare_1.safetensors"]
    detector = fitted(tmp_path / "outer.safetensors", both, calibration="nominal")
    assert [member.name for member in detector.members] == ["score_ensemble", MEMBERS[0].split()[0]]
    (score,) = detector.score([brushed(50)])
    assert np.isfinite(score.value) and score.map.shape == (96, 112)
