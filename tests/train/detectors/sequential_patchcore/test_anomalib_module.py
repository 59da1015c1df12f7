"""Sequential PatchCore through anomalib's Engine: train, test, checkpoint, reload, export."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from stainless.dataset import load_image
from stainless.errors import InputError
from train.detectors.model_file import Model

SIZE = (96, 112)


def brushed(seed):
    rng = np.random.default_rng(seed)
    grooves = 120 + 25 * rng.standard_normal((SIZE[0], 1)) + 4 * rng.standard_normal(SIZE)
    return grooves.clip(0, 255).astype(np.uint8)


def write(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), pixels)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    for number in range(4):
        write(folder / f"train/good/{number}.png", brushed(number))
    for number in range(2):
        write(folder / f"test/good/{number}.png", brushed(100 + number))
        picture, mask = brushed(200 + number), np.zeros(SIZE, np.uint8)
        for image in (picture, mask):
            cv2.line(image, (20, 30 + 20 * number), (90, 50 + 20 * number), 255, 4)
        write(folder / f"test/scratch/{number}.png", picture)
        write(folder / f"ground_truth/scratch/{number}.png", mask)
    return folder


@pytest.fixture(scope="module")
def trained(root, tmp_path_factory):
    """A trained module with its engine and data."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    from anomalib.data import Folder
    from anomalib.engine import Engine

    from train.detectors.sequential_patchcore.anomalib_module import SequentialPatchcore

    data = Folder(
        "plates",
        root=root,
        normal_dir="train/good",
        normal_test_dir="test/good",
        abnormal_dir="test/scratch",
        mask_dir="ground_truth/scratch",
        val_split_mode="same_as_test",
        train_batch_size=2,
        eval_batch_size=2,
        num_workers=0,
        seed=0,
    )
    module = SequentialPatchcore(coreset_size=150, epochs=6, visualizer=False)
    engine = Engine(
        default_root_dir=tmp_path_factory.mktemp("runs"), accelerator="cpu", logger=False
    )
    engine.fit(model=module, datamodule=data)
    yield module, engine, data
    torch.set_num_threads(before)


def predicted(module, data, folder):
    """Return the anomaly map of every test image by its path, as distances."""
    from anomalib.engine import Engine

    kept, module.post_processor = module.post_processor, None
    # An engine keeps the callbacks of its first run, the post-processor among them.
    engine = Engine(default_root_dir=folder, accelerator="cpu", logger=False)
    batches = engine.predict(model=module, dataloaders=data.test_dataloader())
    module.post_processor = kept
    return {
        path: scores.squeeze().numpy()
        for batch in batches
        for path, scores in zip(batch.image_path, batch.anomaly_map, strict=True)
    }


def test_training_takes_epochs_and_the_coreset_is_full(trained):
    module, _, _ = trained
    epochs = [event for event in module.coreset.history if event["event"] == "epoch"]
    assert 1 <= len(epochs) <= 6 and epochs[0]["patches"] == 4 * 12 * 14
    assert len(module.coreset) == 150
    assert torch.equal(module.model.members.cpu(), module.coreset.members)
    assert module.coreset.origin(0).image.startswith("train/good/")


def test_it_finds_the_scratches(trained):
    module, engine, data = trained
    (metrics,) = engine.test(model=module, datamodule=data)
    assert metrics["image_AUROC"] == 1.0
    assert metrics["pixel_F1Score"] > 0.4


def test_the_scores_are_those_of_the_commands(trained, tmp_path):
    module, _, data = trained
    path = tmp_path / "model.safetensors"
    module.coreset.save(path)
    model = Model.load(path)
    detector = model.detector
    maps = predicted(module, data, tmp_path)
    assert len(maps) == 4
    for image, scores in maps.items():
        expected = detector.score([load_image(Path(image))])[0].map
        assert scores.shape == SIZE  # nothing was resized
        np.testing.assert_allclose(scores, expected, rtol=1e-4, atol=1e-3)

    from train.detectors.sequential_patchcore.anomalib_module import SequentialPatchcore

    model.save(path)
    again = SequentialPatchcore.from_model(path, visualizer=False)
    for image, scores in predicted(again, data, tmp_path).items():
        np.testing.assert_allclose(scores, maps[image], rtol=1e-5, atol=1e-5)


def test_a_checkpoint_reloads_with_members_threshold_and_coreset(trained, tmp_path):
    from train.detectors.sequential_patchcore.anomalib_module import SequentialPatchcore

    module, engine, data = trained
    path = tmp_path / "last.ckpt"
    maps = predicted(module, data, tmp_path)
    engine.trainer.save_checkpoint(path)
    again = SequentialPatchcore.load_from_checkpoint(path)
    assert torch.equal(again.model.members.cpu(), module.model.members.cpu())
    assert torch.equal(again.coreset.members, module.coreset.members)
    assert again.coreset.history == module.coreset.history
    threshold = module.post_processor.pixel_threshold
    assert torch.isfinite(threshold)
    assert torch.equal(again.post_processor.pixel_threshold, threshold)
    again.visualizer = None
    for image, scores in predicted(again, data, tmp_path).items():
        np.testing.assert_allclose(scores, maps[image], rtol=1e-5, atol=1e-5)


def test_the_pixel_threshold_is_that_of_the_highest_f1(trained, tmp_path):
    module, _, data = trained
    maps = predicted(module, data, tmp_path)
    scores, truth = [], []
    for image, found in maps.items():
        scores.append(found.ravel())
        kind, name = Path(image).parts[-2:]
        file = Path(data.root) / "ground_truth" / kind / name
        mask = cv2.imread(str(file), 0) > 0 if file.exists() else np.zeros(SIZE, bool)
        truth.append(mask.ravel())
    scores, truth = np.concatenate(scores), np.concatenate(truth)

    def f1(threshold):
        flagged = scores > threshold
        return 2 * (flagged & truth).sum() / (flagged.sum() + truth.sum())

    found = float(module.post_processor.pixel_threshold)
    best = max(f1(threshold) for threshold in np.quantile(scores, np.linspace(0.5, 1, 400)))
    assert f1(found) >= best - 1e-3


def test_the_exported_model_gives_the_same_scores(trained, tmp_path):
    pytest.importorskip("onnx")
    pytest.importorskip("onnxscript")
    openvino = pytest.importorskip("openvino")
    module, engine, data = trained
    with pytest.raises(InputError, match="input_size"):
        module.to_onnx(tmp_path)
    kept, module.post_processor = module.post_processor, None
    path = engine.export(module, "openvino", export_root=tmp_path, input_size=SIZE)
    module.post_processor = kept
    compiled = openvino.compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    for image, scores in predicted(module, data, tmp_path).items():
        picture = torch.from_numpy(load_image(Path(image))).permute(2, 0, 1)[None] / 255
        found = compiled(picture.numpy())["anomaly_map"]
        np.testing.assert_allclose(found.squeeze(), scores, rtol=1e-3, atol=1e-2)


def test_an_unfitted_model_and_small_images_are_refused():
    from train.detectors.sequential_patchcore.anomalib_module import SequentialPatchcore

    module = SequentialPatchcore(coreset_size=10)
    with pytest.raises(InputError, match="fit it first"):
        module.model(torch.zeros(1, 3, 96, 96))
    module.model.members = torch.zeros(3, 152)
    with pytest.raises(InputError, match="too small"):
        module.model(torch.zeros(1, 3, 40, 96))


def test_the_core_does_not_import_anomalib():
    import subprocess
    import sys

    code = (
        "import sys, train.detectors.sequential_patchcore.detector, train.commands.score\n"
        "assert 'anomalib' not in sys.modules and 'lightning' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
