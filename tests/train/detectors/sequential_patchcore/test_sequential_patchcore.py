"""Sequential PatchCore as a detector: fitting in epochs, resuming, scores, explanations."""

import tracemalloc
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from support.check_detector import small_context

from stainless.dataset import Sample
from stainless.errors import InputError
from train.augment import Ranges
from train.detectors.detector import Score, Trainset
from train.detectors.sequential_patchcore.coreset import Coreset
from train.detectors.sequential_patchcore.detector import SequentialPatchcore
from train.detectors.sequential_patchcore.settings import Settings
from train.features import FeatureExtractor
from train.patch_grid import GRID_WIDTH
from train.regions import explained_regions


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


def detector_of(extractor, size=64, epochs=3, coreset=None, **context):
    """Return a detector that has learned nothing, or what a coreset has."""
    settings = Settings(size=size, epochs=epochs)
    return SequentialPatchcore(settings, small_context(**context), coreset, extractor)


def epochs_of(detector):
    return [event for event in detector.coreset.history if event["event"] == "epoch"]


def test_nominal_patches_score_below_a_scratch_and_the_scratch_is_found(extractor, plates):
    lines = []
    detector = detector_of(extractor, size=128, report=lines.append)
    detector.fit([plates])
    assert len(lines) == 3 and lines[0].startswith("epoch 1: 840 patches, 128 members")
    good = brushed(77)
    bad = good.copy()
    cv2.line(bad, (30, 60), (60, 30), (255, 255, 255), 3)
    nominal, scratched = detector.score([good, bad])
    assert nominal.map.shape == (96, 112) and nominal.map.dtype == np.float32
    assert nominal.value == nominal.map.max()
    assert scratched.value > 1.3 * nominal.value
    x, y = explained_regions(detector, scratched, 1.2 * nominal.value)[0]["peak"]
    assert 20 <= x <= 70 and 20 <= y <= 70


def test_a_region_names_the_nominal_patch_it_was_compared_with(extractor, plates):
    detector = detector_of(extractor, size=1000, epochs=1)
    detector.fit([plates])
    (score,) = detector.score([brushed(2)])
    # Every patch of the five plates is a member.
    assert score.detail["distances"].max() < 1e-2
    raised = Score(score.value, score.map + 1, score.detail)
    region = explained_regions(detector, raised, 0.5)[0]
    nearest = region["nearest"]
    assert nearest["dataset"] == "plates" and nearest["image"] == "train/good/2"
    x, y, width, height = nearest["box"]
    peak = region["peak"]
    assert x <= peak[0] < x + width and y <= peak[1] < y + height
    assert explained_regions(detector, score, 1e9) == []


def test_resuming_after_any_epoch_gives_the_same_members(extractor, plates, tmp_path):
    path, varied = tmp_path / "coreset.safetensors", {"augmentation": Ranges(), "seed": 3}
    whole = detector_of(extractor, epochs=4, **varied)
    whole.fit([plates])
    for stop in (1, 2, 3):
        first = detector_of(extractor, epochs=stop, **varied)
        first.fit([plates])
        first.coreset.save(path)
        again = detector_of(extractor, epochs=4, coreset=Coreset.load(path), **varied)
        again.fit([plates])
        assert len(epochs_of(again)) == 4
        assert torch.equal(again.coreset.members, whole.coreset.members)
        assert np.array_equal(again.coreset.provenance, whole.coreset.provenance)


def test_a_finished_fit_has_nothing_to_do_and_another_one_is_told_apart(extractor, plates):
    # Room for every patch: the second epoch changes nothing.
    detector = detector_of(extractor, size=1000, epochs=9)
    detector.fit([plates])
    assert len(epochs_of(detector)) == 2
    detector.fit([plates])
    assert len(epochs_of(detector)) == 2
    detector.fit([Trainset("plates", plates.samples[:4])])
    assert len(epochs_of(detector)) == 3
    other_seed = detector_of(extractor, 1000, 9, detector.coreset, seed=1)
    other_seed.fit([plates])
    assert len(epochs_of(detector)) == 4


def test_features_that_are_kept_are_used_unless_pictures_are_varied(extractor, plates):
    asked = []

    def kept(sample):
        asked.append(sample.name)
        picture = torch.from_numpy(sample.load()).permute(2, 0, 1)[None]
        return extractor(picture)[0]

    plain, given = detector_of(extractor), detector_of(extractor, features=kept)
    for detector in (plain, given):
        detector.fit([plates])
    assert asked == [sample.name for sample in plates.samples] * len(epochs_of(given))
    assert torch.equal(given.coreset.members, plain.coreset.members)
    asked.clear()
    varied = detector_of(extractor, epochs=1, features=kept, augmentation=Ranges())
    varied.fit([plates])
    assert asked == []


def test_flipped_patches_keep_the_place_they_come_from(extractor, plates):
    flipping = Ranges(1.0, (0, 0), (1, 1), 0.0, (0, 0), (0, 0), (0, 0), (0, 0))
    detector = detector_of(extractor, size=1000, epochs=1, augmentation=flipping)
    detector.fit([Trainset("plates", plates.samples[:1])])
    (score,) = detector.score([brushed(0)[::-1, ::-1]])
    nearest = score.detail["nearest"]
    rows, columns = nearest.shape
    found = detector.coreset.provenance[nearest.ravel(), 2]
    row, column = np.divmod(found, GRID_WIDTH)
    expected = np.arange(rows)[::-1].repeat(columns)
    assert np.median(np.abs(row - expected)) == 0
    assert (column.reshape(rows, columns)[:, 0] >= columns - 2).all()


def test_memory_of_fitting_does_not_grow_with_the_number_of_images(extractor, plates):
    def peak(samples) -> int:
        detector = detector_of(extractor, epochs=1)
        tracemalloc.start()
        detector.fit([Trainset("p", samples)])
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    few, many = list(plates.samples[:2]), list(plates.samples) * 4
    many = [replace(s, name=f"{n}") for n, s in enumerate(many)]
    peak(few)
    assert peak(many) < peak(few) + 200_000


def test_random_weights_are_refused(plates):
    with pytest.raises(InputError, match="random weights only serve to measure speed"):
        detector_of(FeatureExtractor(weights="random")).fit([plates])


def test_a_small_image_is_named(extractor, plates, tmp_path):
    small = _sample(tmp_path / "small.png", brushed(1, 40, 40))
    with pytest.raises(InputError, match=r"small\.png: image of 40x40 pixels is too small"):
        detector_of(extractor).fit([Trainset("p", [*plates.samples, small])])


def test_a_coreset_of_other_features_is_refused(extractor, plates):
    detector = detector_of(extractor, epochs=1)
    detector.fit([plates])
    arrays, state = detector.state()

    def opened(settings, **context):
        return SequentialPatchcore.from_state(settings, arrays, state, small_context(**context))

    assert torch.equal(opened(detector.settings).coreset.members, detector.coreset.members)
    for changed, line in (
        ({"backbone": "mobilenet_v3_large"}, 'backbone is "mobilenet_v3_large", the coreset has'),
        ({"pool_stride": 2}, "pool_stride is 2, the coreset has 1"),
        ({"size": 65}, "has 64 members, not 65; meld changes the size"),
    ):
        with pytest.raises(InputError, match=line):
            opened(replace(detector.settings, **changed))
    with pytest.raises(InputError, match="fitted with other weights of efficientnet_lite0"):
        opened(detector.settings, weights="random")
    # Melding needs no weights.
    assert len(opened(detector.settings, weights="random", scores=False).coreset) == 64
