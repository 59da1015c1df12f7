"""The benchmark measures the right thing: its rivals select what they claim to."""

import json

import numpy as np
import pytest
import torch

from train.detectors.sequential_patchcore import benchmark, benchmark_quality
from train.detectors.sequential_patchcore.coreset import Coreset
from train.detectors.sequential_patchcore.covering import covering_radius
from train.detectors.sequential_patchcore.rivals import exact_greedy, naive_decisions


def cloud(count, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=(count, 6)).astype(np.float32))


@pytest.fixture
def on_disk(tmp_path):
    features = cloud(300).reshape(3, 100, 6)
    features.numpy().tofile(tmp_path / "features.f32")
    return benchmark.Patches(tmp_path / "features.f32", (3, 100, 6))


def test_exact_greedy_takes_the_farthest_patch_each_time():
    patches = cloud(200)
    distances = torch.cdist(patches.double(), patches.double())
    chosen = [0]
    while len(chosen) < 30:
        chosen.append(int(distances[:, chosen].amin(1).argmax()))
    assert torch.equal(exact_greedy(patches, 30), patches[chosen])


def test_naive_decisions_are_those_of_the_coreset():
    coreset = Coreset(20, identity={})
    coreset.fit(lambda: [(cloud(300), None)], 40)
    members, limit = coreset.members.numpy(), coreset.separation
    assert naive_decisions(members, cloud(300).numpy(), limit) == 0
    far = members + 100
    assert naive_decisions(members, far, limit) == len(far)


def test_patches_come_back_from_disk_image_by_image(on_disk):
    images = list(on_disk)
    assert [image.shape for image in images] == [(100, 6)] * 3
    assert torch.equal(torch.cat(images), on_disk.whole())
    assert torch.equal(on_disk.whole(), cloud(300))


@pytest.mark.parametrize("method", ["sequential", "converged", "greedy"])
def test_a_row_of_the_table_says_what_was_selected(on_disk, method):
    threads = torch.get_num_threads()
    result = benchmark.select(method, on_disk, 20, 2, threads)
    if method == "greedy":
        members = exact_greedy(on_disk.whole(), 20)
    else:
        coreset = Coreset(20, identity={})
        passes = 50 if method == "converged" else 2
        done = coreset.fit(lambda: ((image, None) for image in on_disk), passes)
        members = coreset.members
        assert result.remark.startswith(f"{len(done)} epochs")
        assert done[-1].converged == (method == "converged")
    wanted = torch.cdist(on_disk.whole().double(), members.double()).amin(1).max()
    assert result.radius == pytest.approx(float(wanted), rel=1e-6)
    assert result.seconds > 0
    row = benchmark.table({method: result}, on_disk).splitlines()[-1]
    assert benchmark.METHODS[method] in row and f"{result.radius:.3f}" in row


def test_covering_radius_counts_all_batches():
    coreset = Coreset(5, identity={})
    coreset.update(cloud(5))
    near, far = coreset.members + 0.5, coreset.members + 3
    batches = [near, far, near]
    wanted = torch.cdist(torch.cat(batches).double(), coreset.members.double()).amin(1).max()
    assert covering_radius(coreset, batches) == pytest.approx(float(wanted), rel=1e-6)


@pytest.mark.parametrize("method", ["sequential", "greedy", "random"])
def test_each_selection_is_a_coreset_on_disk(method, tmp_path):
    features, path = tmp_path / "features.f32", tmp_path / "coreset.safetensors"
    cloud(300).numpy().tofile(features)
    shape = {"counts": [120, 180], "dimension": 6}
    features.with_suffix(".json").write_text(json.dumps(shape))
    assert [len(patches) for patches in benchmark_quality.read_features(features)] == [120, 180]
    benchmark_quality.select(method, features, path, 20, 2, 0, {"backbone": "none"})
    coreset = Coreset.load(path)
    assert len(coreset) == 20 and coreset.identity == {"backbone": "none"}
    assert coreset.history[-1]["method"] == method and coreset.history[-1]["seconds"] > 0
    known = {tuple(row) for row in cloud(300).numpy().tolist()}
    assert {tuple(row) for row in coreset.members.numpy().tolist()} <= known
