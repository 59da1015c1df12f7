"""What the conformance suite cannot know of anomalib's methods."""

import numpy as np
import pytest
import torch
from small_networks import fitted, maps, new, planted
from support.check_detector import brushed, one_line, samples, small_context

from stainless.errors import InputError
from train.detectors.detector import Trainset, method
from train.detectors.model_file import Model

ON_OUR_BACKBONE = ("mh_patchcore", "padim", "patchcore", "supersimplenet")

#: Settings; rows 10, 35 and 60 of the map at columns 10, 43 and 76; its largest value: as the
#: baselines of the first edition had them for six pictures and seed 3.
FIRST_EDITION = {
    "patchcore": (
        {"members": 64},
        (15.458178, 18.016354, 17.962027),
        (13.807588, 17.191357, 17.653831),
        (17.422821, 16.566673, 14.077408),
        22.173525,
    ),
    "padim": (
        {"features": 20},
        (64.931244, 65.060173, 68.916626),
        (70.967102, 82.70195, 68.641647),
        (54.106533, 66.380478, 72.68132),
        102.390747,
    ),
    "supersimplenet": (
        {"steps": 20, "batch": 4, "window": 72, "picture_head": False},
        (0.472455, 0.437815, 0.37202),
        (0.339565, 0.325404, 0.355454),
        (0.40694, 0.545704, 0.248296),
        0.589901,
    ),
}


@pytest.mark.parametrize("name", FIRST_EDITION)
def test_maps_are_those_of_the_first_edition(name):
    settings, *rows, largest = FIRST_EDITION[name]
    detector = new(name, small_context(seed=3), side=None, **settings)
    detector.fit([Trainset("metal", samples(range(6), (72, 88)))])
    (found,) = maps(detector, [brushed(50, (72, 88))])
    np.testing.assert_allclose(found[10::25, 10::33], rows, rtol=2e-3)
    assert found.max() == pytest.approx(largest, rel=2e-3)


@pytest.mark.parametrize("name", ON_OUR_BACKBONE)
def test_a_planted_defect_scores_above_everything_else(name):
    enough = {"steps": 40, "batch": 4, "picture_head": False} if name == "supersimplenet" else {}
    grooves = samples([7] * 8)
    rng = np.random.default_rng(0)
    for sample in grooves:
        noise = rng.integers(-4, 5, sample.pixels.shape[:2])[..., None]
        sample.pixels[:] = (sample.pixels + noise).clip(0, 255)
    detector = new(name, **enough)
    detector.fit([Trainset("metal", grooves)])
    picture, defect = planted()
    clean = brushed(7)
    bad = clean.copy()
    bad[defect] = picture[defect]
    found, good = maps(detector, [bad, clean])
    inside = np.median(found[40:56, 48:64])
    found[16:80, 24:88] = np.nan  # the defect and what patches that overlap it may say
    assert inside > max(np.nanmax(found), good.max())


@pytest.mark.parametrize("name", ["patchcore", "padim", "supersimplenet", "ganomaly", "draem"])
def test_only_the_seed_decides_what_is_drawn(name):
    values = []
    for seed, disturbance in [(3, 1), (3, 2), (4, 1)]:
        torch.manual_seed(disturbance)
        np.random.seed(disturbance)  # noqa: NPY002
        before = torch.random.get_rng_state(), np.random.get_state()[1]  # noqa: NPY002
        detector = fitted(name, context=small_context(seed=seed))
        values.append(detector.score([brushed(50)])[0].value)
        assert torch.equal(torch.random.get_rng_state(), before[0])
        assert np.array_equal(np.random.get_state()[1], before[1])  # noqa: NPY002
    assert values[0] == values[1] != values[2]


@pytest.mark.parametrize("name", ["patchcore", "draem"])
def test_pictures_may_be_varied_and_shuffled(name):
    from train.augment import Ranges

    arrays = [
        fitted(name, context=small_context(**more)).state()[0]
        for more in ({}, {"augmentation": Ranges()}, {"shuffle": True})
    ]
    key = "memory_bank" if name == "patchcore" else next(iter(arrays[0]))
    assert not np.array_equal(arrays[0][key], arrays[1][key])
    assert not np.array_equal(arrays[0][key], arrays[2][key])


def test_patchcore_keeps_the_members_it_is_told():
    assert fitted("patchcore", 2, members=37).model.memory_bank.shape == (37, 152)
    few = fitted("patchcore", 1, members=5000)
    assert len(few.model.memory_bank) == 96 // 8 * 112 // 8
    assert fitted("patchcore", 2, members=None, ratio=0.1).learned["members"] == 33
    assert fitted("patchcore", 4, every=3).learned["pictures"] == 2


def test_patchcore_chooses_what_anomalib_chooses():
    from anomalib.models.components import KCenterGreedy

    import train.detectors.anomalib.methods  # noqa: F401
    from train.detectors.anomalib.detector import Limit
    from train.detectors.anomalib.methods.patchcore import select

    patches = torch.from_numpy(np.random.default_rng(0).standard_normal((300, 20), np.float32))
    chosen = []
    with torch.random.fork_rng():
        for how in (KCenterGreedy.select_coreset_idxs, lambda s: select(s, Limit(None))):
            torch.manual_seed(0)
            np.random.seed(0)  # noqa: NPY002
            chosen.append(how(KCenterGreedy(patches, 0.2)))
    assert chosen[0] == chosen[1] and len(chosen[0]) == 60


def test_padim_names_the_picture_of_another_size_and_the_others_take_it():
    pictures = [*samples(range(2)), *samples([2], (92, 112))]
    with pytest.raises(InputError, match=r"good/002: is 112x92 pixels, expected 112x96: PaDiM"):
        new("padim").fit([Trainset("metal", pictures)])
    with pytest.raises(InputError, match="picture is 112x92 pixels, expected 112x96: PaDiM"):
        fitted("padim").score([brushed(5, (92, 112))])
    with pytest.raises(InputError, match="learns from 1 picture, expected 2 or more"):
        fitted("padim", 1)
    with pytest.raises(InputError, match=r"--padim\.features"):
        fitted("padim", features=153)
    for name in ("patchcore", "supersimplenet", "draem"):
        detector = new(name)
        detector.fit([Trainset("metal", pictures)])
        assert maps(detector, [brushed(5, (92, 112))])[0].shape == (92, 112)


def test_what_cannot_be_used_is_one_line():
    with pytest.raises(InputError, match="patchcore: no nominal picture to learn from"):
        new("patchcore").fit([Trainset("metal", [])])
    with pytest.raises(InputError, match="patchcore: has learned nothing yet"):
        new("patchcore").score([brushed(0)])
    with pytest.raises(InputError, match="--accelerator: openvino, but padim computes"):
        new("padim", small_context(accelerator="openvino"))
    for name, options, line in [
        ("patchcore", {"ratio": 1.5}, "patchcore.ratio: 1.5, expected at most 1"),
        ("draem", {"blend": (0.5, 0.2)}, r"draem.blend: \[0.5, 0.2\], expected two shares"),
        ("ganomaly", {"side": 100}, "ganomaly.side: 100, expected a power of two"),
        ("dinomaly", {"encoder": "resnet18"}, "--dinomaly.encoder: resnet18, expected a DINOv2"),
        ("reverse_distillation", {"backbone": "vgg11"}, "vgg11, expected a ResNet"),
    ]:
        with pytest.raises(InputError, match=line):
            new(name, **options)


def test_a_damaged_state_is_one_line():
    known = method("patchcore")
    detector = fitted("patchcore")
    arrays, metadata = detector.state()
    for wrong in (
        {k: v for k, v in arrays.items() if k != "memory_bank"},
        {**arrays, "more": np.zeros(2)},
    ):
        line = one_line(
            lambda wrong=wrong: known.load().from_state(
                detector.settings, wrong, metadata, small_context()
            )
        )
        assert "the model is damaged" in line


def test_importing_the_settings_imports_neither_torch_nor_anomalib():
    import subprocess
    import sys

    code = (
        "import sys, train.detectors.anomalib.settings as s; assert len(s.METHODS) == 12; "
        "assert not {'torch', 'timm', 'anomalib'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_model_of_a_file_scores_as_before(tmp_path):
    detector = fitted("padim")
    model = Model("padim", detector.settings, detector, {})
    model.save(tmp_path / "m.safetensors")
    again = Model.load(tmp_path / "m.safetensors", small_context())
    (before,), (after,) = detector.score([brushed(9)]), again.detector.score([brushed(9)])
    assert np.array_equal(before.map, after.map) and before.value == after.value
