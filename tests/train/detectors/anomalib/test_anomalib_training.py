"""How anomalib's methods learn by gradient: losses, limits, learning rates."""

import numpy as np
import pytest
import torch
from small_networks import fitted, new
from support.check_detector import brushed, one_line, small_context
from torch import nn


def test_the_map_is_trained_and_made_as_by_anomalib_itself():
    from train.detectors.anomalib.methods.supersimplenet import anomaly_map, map_loss

    detector = new("supersimplenet")
    images = detector.preparation.resized(brushed(0), "cpu")[..., :72, :72]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = detector.build().train()
        gradients = []
        for whole in (False, True):
            torch.manual_seed(1)
            model.zero_grad()
            if whole:
                loss = detector.criterion(*model(images, labels=torch.zeros(1)))
            else:
                loss = map_loss(model, detector.criterion, images)
            loss.backward()
            trained = [*model.adaptor.parameters(), *model.segdec.seg_head.parameters()]
            gradients.append([parameter.grad.clone() for parameter in trained])
    for ours, theirs in zip(*gradients, strict=True):
        torch.testing.assert_close(ours, theirs)
    with torch.inference_mode():
        assert torch.equal(anomaly_map(model.eval(), images), model(images).anomaly_map)


def test_windows_too_small_for_the_noise_are_refused():
    line = one_line(lambda: fitted("supersimplenet", window=64))
    assert "windows of 64 pixels, expected more than 64" in line


@pytest.mark.parametrize("options", [{"sspcab": True}, {"textures": True}])
def test_the_options_of_draem(options, natural):
    if "textures" in options:
        line = one_line(lambda: fitted("draem", textures=str(natural / "none")))
        assert line.startswith("--draem.textures: ")
        options = {"textures": str(natural)}
    plain, other = fitted("draem").state()[0], fitted("draem", **options).state()[0]
    assert "textures" not in options or plain.keys() == other.keys()
    key = "discriminative_subnetwork.decoder_segment.fin_out.0.weight"
    assert not np.array_equal(plain[key], other[key])


def test_steps_and_published_steps_are_said():
    lines = []
    context = small_context(report=lines.append)
    detector = fitted("ganomaly", context=context)
    assert lines == ["ganomaly: reached 3 of 100 published steps"]
    assert detector.learned["steps"] == 3 and detector.learned["published_steps"] == 100
    assert detector.learned["ended"] == "finished"


@pytest.mark.parametrize("name", ["ganomaly", "patchcore", "padim", "mh_patchcore"])
def test_a_limit_of_time_is_honoured_and_said(name, monkeypatch):
    monkeypatch.setattr("time.monotonic", iter(range(0, 10**6, 50)).__next__)
    lines = []
    detector = fitted(name, context=small_context(report=lines.append), minutes=2.0)
    if name == "ganomaly":
        assert "2 minutes were over" in lines[-1] and detector.learned["ended"] == "time"
    else:
        assert any("stopped after 2 minutes with" in line for line in lines)
        assert detector.learned["seen"] < 4


def rates(name, count, per_epoch, start=1e-3, **settings):
    detector = new(name, **settings)
    return [detector.rate(start, step, count, per_epoch) for step in range(count)]


def stepped(schedule, optimiser, count):
    found = []
    for _ in range(count):
        found.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        schedule.step()
    return found


def test_learning_rates_run_as_those_of_anomalib(weights, thin):
    from anomalib.models.image.dinomaly.components import WarmCosineScheduler
    from torch.optim.lr_scheduler import MultiStepLR

    import train.detectors.anomalib.methods  # noqa: F401

    def adam():
        return torch.optim.Adam([nn.Parameter(torch.zeros(1))], 1e-3)

    optimiser = adam()
    expected = stepped(MultiStepLR(optimiser, [40, 45], 0.4), optimiser, 50)
    assert rates("supersimplenet", 50, 3) == expected
    optimiser = adam()
    expected = stepped(MultiStepLR(optimiser, [400, 600], 0.1), optimiser, 700)
    assert rates("draem", 700, 1) == pytest.approx(expected)
    optimiser = adam()
    expected = stepped(WarmCosineScheduler(optimiser, 1e-3, 1e-4, 300, 100), optimiser, 300)
    found = rates("dinomaly", 300, 9, weights=str(weights("dinomaly")))
    assert found == pytest.approx(expected)
