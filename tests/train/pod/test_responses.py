"""Each flaw of a plate is responses alone, by its own pixels."""

import numpy as np
from support.datasets import write_image

from stainless.dataset import Sample
from train.detectors.detector import Score
from train.detectors.model_file import Model
from train.pod.batches import Plate
from train.pod.design import Trial
from train.pod.responses import Response, Scores, dilated, nearest_flaw, score_batch
from train.pod.settings import Settings, Zones


class Brightest:
    """Scores a pixel by how much brighter it is than the darkest, and remembers pictures."""

    def __init__(self):
        self.seen = []

    def score(self, images):
        self.seen += images
        found = [image[..., 0].astype(np.float32) - image.min() for image in images]
        return [Score(float(scored.max()), scored) for scored in found]


def sample(path, pixels):
    return Sample(write_image(path, pixels), "good", None, "", path.stem)


def trial(cell):
    return Trial(0, cell, (0.0, 0.0), 1.0, 0)


def responses(tmp_path, monkeypatch, stained=True):
    bare = np.full((40, 60), 100, np.uint8)
    instances = np.zeros(bare.shape, np.uint16)
    instances[10:13, 10:13], instances[20:23, 45:48] = 1, 2
    flawed = bare.copy()
    flawed[instances == 1], flawed[instances == 2] = 180, 150
    impure = np.zeros(bare.shape, bool)
    impure[24:30, 40:50] = True
    dark, dark_flawed = bare.copy(), flawed.copy()
    dark[impure], dark_flawed[impure] = 60, 60
    pairs = {
        name: sample(tmp_path / f"{name}.png", pixels)
        for name, pixels in (("a", bare), ("b", flawed), ("c", dark), ("d", dark_flawed))
    }
    plate = Plate(
        0,
        (pairs["a"], pairs["b"]),
        (pairs["c"], pairs["d"]) if stained else None,
        instances,
        impure,
    )
    monkeypatch.setattr("train.pod.responses.plates", lambda root: [plate])
    detector = Brightest()
    model = Model("none", None, detector)
    chosen = Settings(size="length_mm", reach_px=2, near_px=4)
    return score_batch(model, chosen, 3, [trial(0), trial(1), trial(2)], tmp_path), detector.seen


def test_a_flaw_s_score_is_of_its_own_pixels_on_a_plate_without_the_others(tmp_path, monkeypatch):
    (first, second), seen = responses(tmp_path, monkeypatch)
    assert first.clean == Scores(80.0, 0.0) and second.clean == Scores(50.0, 0.0)
    # One flaw at a time, the twin with impurities where one is near.
    tops = sorted(int(picture.max()) for picture in seen)
    assert tops == [100, 100, 150, 150, 180]
    assert first.impure is None
    assert second.impure == Scores(90.0, 40.0)


def test_the_light_is_that_of_the_clean_plate(tmp_path, monkeypatch):
    (first, _), _ = responses(tmp_path, monkeypatch)
    assert first.grey == 100.0 and first.zone(Zones()) == "transition"
    assert first.zone(Zones(transition=101, bright=120)) == "dark field"
    assert first.zone(Zones(bright=100)) == "bright field"
    assert first.zone(Zones(bright=90, overexposed=95)) == "over-exposed"


def test_without_impurities_there_is_nothing_to_compare(tmp_path, monkeypatch):
    found, seen = responses(tmp_path, monkeypatch, stained=False)
    assert [known.impure for known in found] == [None, None] and len(seen) == 3


def test_it_survives_json(tmp_path, monkeypatch):
    for known in responses(tmp_path, monkeypatch)[0]:
        assert Response.from_json(known.to_json()) == known


def test_a_place_that_is_flagged_without_a_flaw_tells_nothing():
    assert Scores(2.0, 0.0).hit(1.0) is True
    assert Scores(1.0, 0.5).hit(1.0) is True
    assert Scores(0.9, 0.5).hit(1.0) is False
    assert Scores(2.0, 1.0).hit(1.0) is None


def test_the_nearest_flaw_is_that_of_brute_force():
    rng = np.random.default_rng(4)
    instances = np.zeros((30, 40), np.uint16)
    for number in range(1, 6):
        row, column = rng.integers(2, 27), rng.integers(2, 37)
        instances[row : row + 2, column : column + 3] = number
    found = nearest_flaw(instances)
    rows, columns = np.nonzero(instances)
    for row, column in rng.integers(0, (30, 40), (200, 2)):
        apart = np.hypot(rows - row, columns - column)
        own = apart[instances[rows, columns] == found[row, column]].min()
        # OpenCV's mask of five pixels is off by some hundredths.
        assert own <= apart.min() * 1.05 + 1e-6
    assert not nearest_flaw(np.zeros((4, 5), np.uint16)).any()


def test_a_mask_is_dilated_by_a_disc():
    mask = np.zeros((11, 11), bool)
    mask[5, 5] = True
    assert dilated(mask, 0).sum() == 1
    reached = np.argwhere(dilated(mask, 3))
    assert np.abs(reached - 5).max() == 3 and np.hypot(*(reached - 5).T).max() < 3.7
