"""The training loop: the same weights however often it is interrupted, and every way to end."""

import random
import tempfile
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.threads import one_thread  # noqa: F401
from train_line import Line

from stainless.errors import InputError
from train.training.loop import train
from train.training.settings import Training

ITEMS = 8


def run(task, settings, folder=None, seed=0, **more):
    return train(task, ITEMS, settings, seed, folder=folder, report=lambda line: None, **more)


def assert_same_weights(found, expected):
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        assert torch.equal(found[name], tensor), name


@given(
    stops=st.lists(st.integers(1, 12), max_size=3),
    schedule=st.sampled_from(["none", "cosine", "cosine_restarts", "step"]),
    optimisers=st.sampled_from([1, 2]),
    seconds=st.sampled_from([0.0, 1e9]),
    with_figure=st.booleans(),
)
@settings(max_examples=15, deadline=None)
def test_an_interrupted_training_ends_with_the_same_weights(
    stops, schedule, optimisers, seconds, with_figure
):
    plan = Training(epochs=4, batch=3, schedule=schedule, schedule_epochs=1)

    def figure(task):
        if not with_figure:
            return None
        # Neither better nor worse with time, so that an epoch in the midst is the best.
        return lambda: abs(float(task.modules["net"][0].weight[0].detach()) * 1e3 % 1 - 0.5)

    through = Line(optimisers)
    expected = run(through, plan, figure=figure(through))
    # Hundreds of checkpoints, none of which must survive a power cut.
    with tempfile.TemporaryDirectory() as folder, mock.patch("os.fsync"):
        for stop in stops:
            task = Line(optimisers, stop_at=stop)
            with pytest.raises(KeyboardInterrupt):
                run(task, plan, Path(folder), figure=figure(task), checkpoint_seconds=seconds)
                raise KeyboardInterrupt  # what was left were fewer steps
        task = Line(optimisers)
        result = run(task, plan, Path(folder), figure=figure(task), checkpoint_seconds=seconds)
        assert not list(Path(folder).glob(".*"))
    assert_same_weights(task.weights(), through.weights())
    assert (result.steps, result.means, result.figures, result.best) == (
        expected.steps,
        expected.means,
        expected.figures,
        expected.best,
    )


def test_each_epoch_shows_every_picture_once_in_an_order_of_the_seed():
    def shown(seed):
        task = Line()
        run(task, Training(epochs=3, batch=3), seed=seed)
        return task.shown

    first = shown(0)
    assert [epoch for epoch, _ in first] == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    orders = [[i for e, items in first if e == epoch for i in items] for epoch in range(3)]
    assert all(sorted(order) == list(range(ITEMS)) for order in orders)
    assert len({tuple(order) for order in orders}) == 3
    assert shown(0) == first and shown(1) != first


def test_no_global_random_number_changes():
    def states():
        numpy = np.random.get_state()  # noqa: NPY002
        return torch.random.get_rng_state().tolist(), numpy[1].tolist(), random.getstate()

    before = states()
    run(Line(), Training(epochs=1))
    assert states() == before
    weights = []
    for number in range(2):
        torch.manual_seed(number)
        task = Line()
        run(task, Training(epochs=2))
        weights.append(task.weights())
    assert_same_weights(*weights)


@pytest.mark.parametrize("limit", [{"steps": 5}, {"epochs": 2}, {"steps": 100, "epochs": 1}])
def test_steps_and_epochs_end_it(limit):
    result = run(Line(), Training(**{"batch": 2, "epochs": 50, **limit}))
    steps = min(limit.get("steps", 200), 4 * limit.get("epochs", 50))
    assert (result.ended, result.steps, result.epochs) == ("finished", steps, -(-steps // 4))


def test_time_ends_it_and_more_time_continues_it(tmp_path):
    def limited(minutes):
        task = Line()
        return run(task, Training(epochs=3, batch=2, minutes=minutes), tmp_path), task

    short, _ = limited(1e-9)
    assert (short.ended, short.steps) == ("time", 1)
    assert limited(1e-9)[0].steps == 1, "there is no time left"
    long, continued = limited(60)
    through = Line()
    run(through, Training(epochs=3, batch=2))
    assert (long.ended, long.steps) == ("finished", 12) and long.seconds > short.seconds
    assert_same_weights(continued.weights(), through.weights())


def test_it_ends_early_and_keeps_the_best_epoch():
    task, figures, seen = Line(), iter([3.0, 1.0, float("nan"), 2.0, 1.0, 0.0]), []

    def figure():
        seen.append(task.weights())
        return next(figures)

    result = run(task, Training(epochs=50), figure=figure, patience=3)
    assert (result.ended, result.epochs, result.best) == ("early", 5, 1)
    assert_same_weights(task.weights(), seen[1])


@pytest.mark.parametrize("with_figure", [False, True])
def test_what_diverges_keeps_what_was_good(with_figure, tmp_path):
    settings, lines = Training(epochs=9, batch=4), []
    good = Line()
    run(good, Training(epochs=2, batch=4))
    task = Line(explode_at=6)
    figure = (lambda: -len(task.shown)) if with_figure else None
    result = train(task, ITEMS, settings, 0, folder=tmp_path, figure=figure, report=lines.append)
    assert (result.ended, result.steps, result.best) == ("diverged", 5, 1)
    assert lines == [
        "learning diverged at step 6: the loss is nan; the weights after epoch 2 are kept"
    ]
    assert_same_weights(task.weights(), good.weights())
    again = Line()
    assert run(again, settings, tmp_path, figure=figure).ended == "diverged"
    assert_same_weights(again.weights(), good.weights())


def test_what_diverges_at_once_is_one_line():
    with pytest.raises(InputError, match="learning diverged at step 1: the loss is nan"):
        run(Line(explode_at=1), Training())
    with pytest.raises(InputError, match="no pictures to learn from"):
        train(Line(), 0, Training(), 0)


def test_schedules_are_those_of_torch():
    def rates(**settings):
        task, found = Line(rate=0.1), []
        step = task.step

        def watched(items, epoch, update):
            found.append(task.optimisers["net"].param_groups[0]["lr"])
            return step(items, epoch, update)

        task.step = watched
        run(task, Training(epochs=4, batch=4, **settings))
        return np.array(found)

    numbers = np.arange(8)
    np.testing.assert_allclose(rates(), 0.1)
    np.testing.assert_allclose(rates(schedule="cosine"), 0.05 * (1 + np.cos(np.pi * numbers / 8)))
    restarts = rates(schedule="cosine_restarts", schedule_epochs=2)
    np.testing.assert_allclose(restarts, 0.05 * (1 + np.cos(np.pi * (numbers % 4) / 4)))
    steps = rates(schedule="step", schedule_epochs=1, schedule_factor=0.5)
    np.testing.assert_allclose(steps, 0.1 * 0.5 ** (numbers // 2))


def test_a_gradient_is_clipped_to_its_norm():
    task, norms = Line(), []
    optimiser = task.optimisers["net"]
    optimiser.register_step_pre_hook(
        lambda *_: norms.append(
            torch.stack([p.grad.norm() for g in optimiser.param_groups for p in g["params"]]).norm()
        )
    )
    run(task, Training(steps=4, clip=1e-3))
    assert all(float(norm) == pytest.approx(1e-3, rel=1e-3) for norm in norms) and len(norms) == 4


def test_a_checkpoint_of_another_training_is_not_used(tmp_path):
    plan = Training(epochs=2)
    run(Line(), plan, tmp_path)
    for other in ({"seed": 1}, {"identity": {"pictures": "others"}}):
        task = Line()
        run(task, plan, tmp_path, **other)
        assert task.shown, "it took the other's weights"
    (tmp_path / "training.pt").write_bytes(b"no checkpoint")
    task = Line()
    run(task, plan, tmp_path)
    assert len(task.shown) == 2
    again = Line()
    run(again, plan, tmp_path)
    assert not again.shown, "it is finished"
    assert_same_weights(again.weights(), task.weights())


def test_scalars_go_to_tensorboard_if_asked(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    result = run(Line(), Training(epochs=2, batch=4), log=tmp_path, figure=lambda: 1.0)
    events = EventAccumulator(str(tmp_path)).Reload()
    assert {"step/loss", "rate/net.0", "rate/net.1", "epoch/figure"} <= set(
        events.Tags()["scalars"]
    )
    losses = [event.value for event in events.Scalars("step/loss")]
    assert len(losses) == 4
    assert np.mean(losses[2:]) == pytest.approx(result.means[1]["loss"], rel=1e-5)
    assert [event.step for event in events.Scalars("epoch/figure")] == [2, 4]


@pytest.mark.parametrize(
    ("key", "value"),
    [("epochs", 0), ("steps", -1), ("batch", 0), ("minutes", 0.0), ("clip", float("nan"))],
)
def test_a_setting_out_of_its_range_names_its_key(key, value):
    with pytest.raises(InputError, match=f"simplenet.{key}: {value}, expected"):
        Training(**{key: value}).validate("simplenet")
