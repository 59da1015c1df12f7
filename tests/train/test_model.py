"""The detector: anomaly map, fitting in epochs, resuming, verdicts, the model file."""

import tracemalloc
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from stainless.dataset import Sample
from stainless.errors import InputError
from train.augment import Ranges
from train.detectors.sequential_patchcore import fitting
from train.detectors.sequential_patchcore.anomaly_map import anomaly_map, smoothing_matrix
from train.detectors.sequential_patchcore.coreset import Coreset
from train.detectors.sequential_patchcore.fitting import Settings, Trainset, fit
from train.detectors.sequential_patchcore.model import Detector
from train.features import FeatureExtractor
from train.patch_grid import GRID_WIDTH


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Small images on several threads wait for each other more than they compute."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def extractor():
    return FeatureExtractor()


@pytest.fixture(scope="module")
def plates(tmp_path_factory):
    """Five brushed plates, 96 x 112 pixels."""
    folder = tmp_path_factory.mktemp("plates")
    return Trainset("plates", [_sample(folder / f"{n}.png", brushed(n)) for n in range(5)])


def brushed(seed, height=96, width=112):
    rng = np.random.default_rng(seed)
    grooves = 120 + 25 * rng.standard_normal((height, 1)) + 4 * rng.standard_normal((height, width))
    return np.repeat(grooves.clip(0, 255).astype(np.uint8)[..., None], 3, axis=2)


def _sample(path, pixels):
    cv2.imwrite(str(path), pixels)
    return Sample(path, "good", None, path.stem, f"train/good/{path.stem}")


def fresh(extractor, size=64):
    return Detector(extractor, Coreset(size, identity=extractor.identity()))


# the anomaly map


def test_without_blur_the_matrix_is_torchs_bilinear_upsampling():
    grid = torch.rand(1, 1, 13, 9)
    expected = F.interpolate(grid, (107, 64), mode="bilinear")[0, 0]
    down = smoothing_matrix(107, 13, (107 / 13 - 1) / 2, 107 / 13, kernel_px=1)
    across = smoothing_matrix(64, 9, (64 / 9 - 1) / 2, 64 / 9, kernel_px=1)
    found = torch.from_numpy(down) @ grid[0, 0] @ torch.from_numpy(across).T
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)


def test_an_odd_kernel_is_upsampling_followed_by_opencvs_blur():
    grid = np.random.default_rng(0).random((12, 15)).astype(np.float32)
    plain = [smoothing_matrix(n * 8, n, 3.5, 8, kernel_px=1) for n in grid.shape]
    both = [smoothing_matrix(n * 8, n, 3.5, 8, 2.0, 15) for n in grid.shape]
    expected = cv2.GaussianBlur(
        plain[0] @ grid @ plain[1].T, (15, 15), 2.0, borderType=cv2.BORDER_REPLICATE
    )
    np.testing.assert_allclose(both[0] @ grid @ both[1].T, expected, atol=1e-5)


def test_the_papers_even_kernel_does_not_shift_the_map():
    """A symmetric bump stays symmetric about its own pixel."""
    bump = torch.zeros(11, 11)
    bump[5, 5] = 1
    found = anomaly_map(bump, 81, 81, 0.0, 8)
    assert divmod(int(found.argmax()), 81) == (40, 40)
    torch.testing.assert_close(found, found.flip(0, 1), rtol=0, atol=1e-6)


@pytest.mark.parametrize(("cells", "pixels"), [(1, 5), (2, 16), (257, 2050)])
def test_rows_of_the_matrix_are_weights(cells, pixels):
    matrix = smoothing_matrix(pixels, cells, 3.5, 8)
    assert matrix.shape == (pixels, cells) and (matrix >= 0).all()
    np.testing.assert_allclose(matrix.sum(axis=1), 1, atol=1e-6)


# fitting


def test_nominal_patches_score_below_a_scratch_and_the_scratch_is_found(extractor, plates):
    detector = fresh(extractor, size=128)
    lines = []
    assert fit(detector, [plates], Settings(epochs=3), report=lines.append)
    assert len(lines) == 3 and lines[0].startswith("epoch 1: 840 patches, 128 members")
    good = brushed(77)
    bad = good.copy()
    cv2.line(bad, (30, 60), (60, 30), (255, 255, 255), 3)
    nominal, scratched = detector.score(good), detector.score(bad)
    assert nominal.anomaly_map.shape == (96, 112) and nominal.anomaly_map.dtype == np.float32
    assert scratched.score > 1.3 * nominal.score
    x, y = detector.regions(scratched, 1.2 * nominal.score)[0]["peak"]
    assert 20 <= x <= 70 and 20 <= y <= 70


def test_a_verdict_names_the_nominal_patch_it_was_compared_with(extractor, plates):
    detector = fresh(extractor, size=1000)
    fit(detector, [plates], Settings(epochs=1), report=lambda line: None)
    picture = brushed(2)
    scored = detector.score(picture)
    assert scored.distances.max() < 1e-2  # every patch of the five plates is a member
    region = detector.regions(replace(scored, anomaly_map=scored.anomaly_map + 1), 0.5)[0]
    nearest = region["nearest"]
    assert nearest["dataset"] == "plates" and nearest["image"] == "train/good/2"
    x, y, width, height = nearest["box"]
    peak = region["peak"]
    assert x <= peak[0] < x + width and y <= peak[1] < y + height
    assert detector.regions(scored, 1e9) == []


def test_resuming_after_any_epoch_gives_the_same_members(extractor, plates, tmp_path):
    settings = Settings(epochs=4, augment=Ranges(), seed=3)
    whole, path = fresh(extractor), tmp_path / "model.safetensors"
    fit(whole, [plates], settings, report=lambda line: None)
    for stop in (1, 2, 3):
        first = fresh(extractor)
        fit(first, [plates], replace(settings, epochs=stop), path, lambda line: None)
        again = Detector(extractor, Coreset.load(path))
        assert fitting.is_same_fit(again.coreset, [plates], settings)
        assert fit(again, [plates], settings, path, lambda line: None)
        assert torch.equal(again.coreset.members, whole.coreset.members)
        assert np.array_equal(again.coreset.provenance, whole.coreset.provenance)


def test_an_interrupted_epoch_is_run_again(extractor, plates, tmp_path, monkeypatch):
    path = tmp_path / "model.safetensors"
    whole = fresh(extractor)
    fit(whole, [plates], Settings(epochs=3), report=lambda line: None)
    calls = []

    def load_image(file: Path) -> np.ndarray:
        calls.append(file)
        if len(calls) == 8:  # in the midst of the second epoch
            raise KeyboardInterrupt
        return cv2.imread(str(file))[..., ::-1]

    monkeypatch.setattr(fitting, "load_image", load_image)
    with pytest.raises(KeyboardInterrupt):
        fit(fresh(extractor), [plates], Settings(epochs=3), path, lambda line: None)
    again = Detector(extractor, Coreset.load(path))
    fit(again, [plates], Settings(epochs=3), path, lambda line: None)
    assert torch.equal(again.coreset.members, whole.coreset.members)


def test_a_finished_fit_has_nothing_to_do_and_another_one_is_told_apart(extractor, plates):
    detector = fresh(extractor, size=1000)  # room for every patch: the second epoch changes nothing
    settings = Settings(epochs=9)
    assert fit(detector, [plates], settings, report=lambda line: None)
    epochs = [event for event in detector.coreset.history if event["event"] == "epoch"]
    assert len(epochs) == 2
    assert not fit(detector, [plates], settings, report=lambda line: None)
    fewer = Trainset("plates", plates.samples[:4])
    assert not fitting.is_same_fit(detector.coreset, [fewer], settings)
    assert not fitting.is_same_fit(detector.coreset, [plates], Settings(seed=1))


def test_flipped_patches_keep_the_place_they_come_from(extractor, plates):
    flipping = Ranges(1.0, (0, 0), (1, 1), 0.0, (0, 0), (0, 0), (0, 0), (0, 0))
    one = Trainset("plates", plates.samples[:1])
    detector = fresh(extractor, size=1000)
    fit(detector, [one], Settings(epochs=1, augment=flipping), report=lambda line: None)
    scored = detector.score(brushed(0)[::-1, ::-1])
    rows, columns = scored.nearest.shape
    found = detector.coreset.provenance[scored.nearest.ravel(), 2]
    row, column = np.divmod(found, GRID_WIDTH)
    expected = np.arange(rows)[::-1].repeat(columns)
    assert np.median(np.abs(row - expected)) == 0
    assert (column.reshape(rows, columns)[:, 0] >= columns - 2).all()


def test_memory_of_fitting_does_not_grow_with_the_number_of_images(extractor, plates):
    def peak(samples) -> int:
        detector = fresh(extractor)
        tracemalloc.start()
        fit(detector, [Trainset("p", samples)], Settings(epochs=1), report=lambda line: None)
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    few, many = list(plates.samples[:2]), list(plates.samples) * 4
    many = [replace(s, name=f"{n}") for n, s in enumerate(many)]
    peak(few)
    assert peak(many) < peak(few) + 200_000


def test_random_weights_are_refused(plates):
    with pytest.raises(InputError, match="random weights only serve to measure speed"):
        fit(fresh(FeatureExtractor(weights="random")), [plates], Settings())


def test_a_small_image_is_named(extractor, plates, tmp_path):
    small = _sample(tmp_path / "small.png", brushed(1, 40, 40))
    with pytest.raises(InputError, match=r"small\.png: image of 40x40 pixels is too small"):
        fit(fresh(extractor), [Trainset("p", [*plates.samples, small])], Settings())


# the model file


def test_a_threshold_holds_until_the_members_change(extractor, plates, tmp_path):
    detector = fresh(extractor)
    fit(detector, [plates], Settings(epochs=1), report=lambda line: None)
    assert detector.threshold is None
    detector.set_threshold(2.5, f1=0.5)
    path = tmp_path / "model.safetensors"
    detector.coreset.save(path)
    loaded = Detector.load(path)
    assert loaded.threshold == 2.5
    np.testing.assert_allclose(
        loaded.score(brushed(9)).anomaly_map, detector.score(brushed(9)).anomaly_map, rtol=1e-5
    )
    fit(loaded, [plates], Settings(epochs=2), report=lambda line: None)
    assert loaded.threshold is None


def test_a_model_of_other_features_is_refused(extractor, plates, tmp_path):
    detector = fresh(extractor)
    fit(detector, [plates], Settings(epochs=1), report=lambda line: None)
    path = tmp_path / "model.safetensors"
    detector.coreset.save(path)
    with pytest.raises(InputError, match="fitted with efficientnet_lite0, not with mobilenet"):
        Detector.load(path, backbone="mobilenet_v3_large")
    with pytest.raises(InputError, match="other weights"):
        Detector.load(path, weights="random")
    with pytest.raises(InputError, match="pool_stride is 2"):
        Detector(FeatureExtractor(pool_stride=2), detector.coreset)
    Coreset(4, identity={"made": "elsewhere"}).save(path)
    with pytest.raises(InputError, match="does not say its 'backbone'"):
        Detector.load(path)
