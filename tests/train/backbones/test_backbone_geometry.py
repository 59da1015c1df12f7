"""Where cells lie and what they see, by brute force; folded networks equal the unfolded ones."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.threads import one_thread  # noqa: F401
from torch import nn

from train.backbones import Stages
from train.backbones.folding import fold_batch_norm
from train.backbones.geometry import trace

#: A family each: residual, patches and layer norm, separable with gates, concatenated.
NAMES = [
    "timm:resnet18",
    "timm:convnext_atto",
    "timm:efficientnet_b0",
    "timm:tf_efficientnet_b0",
    "timm:mobilenetv3_small_050",
    "timm:densenet121",
]


class Listed(nn.Module):
    """A network with one stage."""

    def __init__(self, *layers):
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, images):
        return [self.layers(images)]


@given(
    layers=st.lists(
        st.tuples(st.integers(1, 5), st.integers(1, 2), st.integers(0, 2), st.integers(1, 2)),
        min_size=1,
        max_size=3,
    ),
    pooled=st.booleans(),
)
@settings(max_examples=25, deadline=None)
def test_the_reach_of_a_cell_is_what_moves_it(layers, pooled):
    """A convolution of ones is moved by every pixel that it sees, and by no other."""
    modules = [nn.Conv2d(3, 1, 1), *([nn.MaxPool2d(3, 2, 1)] if pooled else [])]
    modules += [nn.Conv2d(1, 1, *numbers) for numbers in layers]
    network = Listed(*modules)
    for parameter in network.parameters():
        nn.init.ones_(parameter)
    (reaches,) = trace(network).stages
    image = torch.rand(1, 3, 256, 256)
    cell = 6
    low, high = (edge + cell * reaches[0].pitch for edge in (reaches[0].low, reaches[0].high))

    def moved(row, column):
        changed = image.clone()
        changed[0, :, row, column] += 10  # the largest of any pooled window
        before, after = network(image)[0], network(changed)[0]
        return bool(before[0, 0, cell, cell] != after[0, 0, cell, cell])

    middle = (low + high) // 2
    dense = all(dilation == 1 and stride <= kernel for kernel, stride, _, dilation in layers)
    for row, seen in ((low, True), (high, True), (low - 1, False), (high + 1, False)):
        if row >= 0 and (dense or not seen):
            assert moved(row, middle) == moved(middle, row) == seen


def test_the_two_of_today_see_what_they_saw():
    lite, mobile = (
        Stages(name, (3, 4), "random") for name in ("efficientnet_lite0", "mobilenet_v3_large")
    )
    assert (lite.receptive_field, lite.first_centre) == (67, 3.5)
    assert (mobile.receptive_field, mobile.first_centre) == (99, 0.0)


@pytest.mark.parametrize(
    ("name", "side", "centre"),
    [
        ("timm:resnet18", 99, 0.0),  # 7, +4, four of +8, +8, three of +16
        ("timm:convnext_atto", 152, 3.5),  # 4, two of 24, +4, two of 48
        ("timm:tf_efficientnet_b0", 67, 3.5),
    ],
)
def test_known_reaches(name, side, centre):
    stages = Stages(name, (3, 4), "random")
    assert (stages.receptive_field, stages.first_centre) == (side, centre)


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_moved_by_a_pitch_moves_its_cells_by_one(name):
    stages = Stages(name, (3,), "random")
    # A gate sees the whole picture; for a periodic one it is nearly the same after every shift.
    tile = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    picture = tile.repeat(1, 1, 20, 20)
    with torch.inference_mode():
        still, moved = stages(picture)[0], stages(picture.roll((8, 16), (2, 3)))[0]
    rim = -(-stages.receptive_field // 8) + 1
    inside = still[..., rim:-rim, rim:-rim]
    expected = moved[..., rim + 1 : still.shape[2] - rim + 1, rim + 2 : still.shape[3] - rim + 2]
    assert inside.std() > 0
    assert (expected - inside).abs().mean() < 0.01 * inside.std()


@pytest.mark.parametrize("name", NAMES)
def test_folding_batch_norm_changes_nothing_but_rounding(name):
    import timm

    network = timm.create_model(
        name.removeprefix("timm:"), features_only=True, out_indices=(0, 1, 2)
    ).eval()
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    generator = torch.Generator().manual_seed(0)
    for norm in norms:
        for values in (norm.running_mean, norm.bias.data):
            values.uniform_(-0.5, 0.5, generator=generator)
        for values in (norm.running_var, norm.weight.data):
            values.uniform_(0.5, 1.5, generator=generator)
    image = torch.rand(1, 3, 64, 96, generator=generator)
    pairs = trace(network).pairs
    with torch.inference_mode():
        expected = network(image)
    fold_batch_norm(network, pairs)
    left = sum(isinstance(module, nn.BatchNorm2d) for module in network.modules())
    assert left == len(norms) - len(pairs)
    assert bool(pairs) == bool(norms)
    with torch.inference_mode():
        for found, wanted in zip(network(image), expected, strict=True):
            scale = float(wanted.abs().max())
            torch.testing.assert_close(found, wanted, rtol=1e-3, atol=1e-4 * scale)


def test_what_is_not_alone_behind_a_convolution_is_left_unfolded():
    class Branching(nn.Module):
        def __init__(self, shared):
            super().__init__()
            self.conv, self.other = nn.Conv2d(3, 4, 1), nn.Conv2d(3, 4, 1)
            self.norm, self.shared = nn.BatchNorm2d(4), shared

        def forward(self, images):
            x = self.conv(images)
            if self.shared == "output":
                return [self.norm(x) + x]
            if self.shared == "norm":
                return [self.norm(x) + self.norm(self.other(images))]
            return [self.norm(x) + self.conv(images.flip(1))]

    for shared in ("output", "norm", "weight"):
        network = Branching(shared).eval()
        image = torch.rand(1, 3, 8, 8)
        expected = network(image)[0]
        fold_batch_norm(network, trace(network).pairs)
        assert isinstance(network.norm, nn.BatchNorm2d)
        assert torch.equal(network(image)[0], expected)
