"""The Python interface: what docs/api.md says runs, and agrees with the commands."""

import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from support.check_detector import brushed

import stainless
from stainless import Detector, cli
from stainless.dataset import load_image
from stainless.errors import InputError

PAGE = Path(__file__).parents[2] / "docs" / "api.md"


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    (folder / "plate/train/good").mkdir(parents=True)
    for number in range(3):
        cv2.imwrite(str(folder / f"plate/train/good/{number}.png"), brushed(number))
    return folder


def scratched(seed):
    picture = brushed(seed)
    cv2.line(picture, (20, 30), (90, 50), (255, 255, 255), 4)
    return picture


def test_the_page_runs(root, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = {
        "nominal": [brushed(seed) for seed in range(4)],
        "held_out": [brushed(seed)[..., 0] for seed in range(10, 15)],
        "more": [brushed(seed) for seed in range(30, 32)],
        "picture": scratched(20),
        "root": root,
    }
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 5
    exec("".join(blocks[:2]), names)
    result = names["result"]
    assert result.value == result.map.max() and result.map.shape == names["picture"].shape[:2]
    assert result.regions is None and result.verdict is None
    exec(blocks[2], names)
    assert names["result"].verdict == "anomalous"
    verdicts = [names["detector"].score(image).verdict for image in names["held_out"]]
    assert verdicts.count("nominal") == 4
    (first, *_) = names["result"].regions
    x, y, width, height = first["box"]
    truth = np.zeros(names["picture"].shape[:2], np.uint8)
    cv2.line(truth, (20, 30), (90, 50), 255, 4)
    assert truth[y : y + height, x : x + width].any()
    assert first["nearest"]["dataset"] == "images"
    assert re.fullmatch(r"image \d", first["nearest"]["image"])
    exec("".join(blocks[3:]), names)
    assert capsys.readouterr().out.endswith("sequential_patchcore 256 None\n")


def test_a_dataset_gives_the_model_that_the_command_gives(root, tmp_path):
    path = tmp_path / "m.safetensors"
    words = ["fit", "--data", root, "--category", "plate", "--out", path, "--size", 64]
    assert cli.main([*map(str, words), "--epochs", "2"]) == 0
    ours = Detector(size=64, epochs=2).fit(data=root, category="plate")
    theirs = Detector.load(path)
    picture = root / "plate/train/good/0.png"
    assert ours.score(picture).value == pytest.approx(theirs.score(picture).value, rel=1e-5)
    ours.save(tmp_path / "ours.safetensors")
    assert (tmp_path / "ours.safetensors").read_bytes() == path.read_bytes()


def test_files_and_arrays_are_learned_alike(root):
    files = sorted((root / "plate/train/good").iterdir())
    read = Detector(size=64, epochs=1).fit(files)
    held = Detector(size=64, epochs=1).fit([brushed(number) for number in range(3)])
    assert read.score(scratched(9)).value == held.score(scratched(9)).value


def test_a_fit_that_fails_leaves_the_detector_as_it_was():
    small, good = brushed(5, (20, 30)), [brushed(number) for number in range(2)]
    detector, fresh = Detector(size=64, epochs=1), Detector(size=64, epochs=1).fit(good)
    with pytest.raises(InputError):
        detector.fit([*good, small])
    detector.fit(good)
    assert detector.score(scratched(9)).value == fresh.score(scratched(9)).value
    detector.threshold = 3
    with pytest.raises(InputError):
        detector.fit([brushed(7), small])
    assert detector.threshold == 3
    expected = pytest.approx(fresh.score(scratched(9)).value, rel=1e-5)
    assert detector.score(scratched(9)).value == expected


def test_thresholds_by_hand():
    detector = Detector(size=64, epochs=1).fit([brushed(0)])
    value = detector.score(scratched(9)).value
    assert detector.threshold is detector.picture_threshold is None
    detector.threshold = value
    assert detector.score(scratched(9)).verdict == "anomalous"
    detector.picture_threshold = value * 1.01
    result = detector.score(scratched(9))
    assert result.verdict == "nominal" and len(result.regions) == 1


def test_a_camera_of_twelve_bits(tmp_path):
    for number in range(3):
        deep = (brushed(number)[..., 0].astype(np.uint32) * 4095 // 255).astype(np.uint16)
        cv2.imwrite(str(tmp_path / f"{number}.png"), deep)
    files = sorted(tmp_path.iterdir())
    deep = Detector(size=64, epochs=1).fit(files, white_level=4095)
    flat = Detector(size=64, epochs=1).fit([load_image(path, 4095) for path in files])
    # The model's file says what white is.
    deep.save(tmp_path / "m.safetensors")
    again = Detector.load(tmp_path / "m.safetensors")
    expected = flat.score(load_image(files[0], 4095)).value
    assert again.score(files[0]).value == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("action", "line"),
    [
        (lambda: Detector("padme"), "--method: padme, expected one of "),
        (lambda: Detector(sise=3), "settings: sequential_patchcore.sise: unknown key, did you "),
        (lambda: Detector(size=1), "sequential_patchcore.size: 1, expected at least 2"),
        (lambda: Detector().fit(), "fit: expected either images, or data and category"),
        (lambda: Detector().fit([]), "fit: no images"),
        (
            lambda: Detector().fit([brushed(0) / 255]),
            "image 0: float64 array of shape (96, 112, 3)",
        ),
        (lambda: Detector().fit([brushed(0), brushed(1, (20, 30))]), "image 1: image of 30x20 "),
        (lambda: Detector().fit(["no.png"]), "no.png: no such file"),
        (lambda: Detector().score(brushed(0)), "the detector has learned nothing yet"),
        (lambda: Detector().save("m.safetensors"), "the detector has learned nothing yet"),
    ],
)
def test_what_cannot_be_used_is_one_line(action, line):
    with pytest.raises(InputError) as caught:
        action()
    assert str(caught.value).startswith(line)


def test_importing_stainless_stays_light():
    code = (
        "import sys, stainless\n"
        "assert not {'torch', 'cv2', 'train', 'numpy'} & set(sys.modules)\n"
        "assert not hasattr(stainless, 'Impostor')\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert stainless.Detector is Detector
