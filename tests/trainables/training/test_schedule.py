from __future__ import annotations

import itertools
import math
import types

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search_spaces.known_names import SCHEDULES
from trainables.training import schedule as by_name
from trainables.training.progress import Progress
from trainables.training.schedule import learning_rate


def at(
    epoch: int, *, max_epochs: int = 40, step: int = 0, steps_per_epoch: int = 10, losses: tuple[float, ...] = ()
) -> Progress:
    return Progress(epoch=epoch, max_epochs=max_epochs, step=step, steps_per_epoch=steps_per_epoch, train_losses=losses)


@pytest.mark.parametrize(
    ("schedule", "progress", "expected"),
    [
        ("constant", at(39), 0.01),
        # deep-learning report, MiniVGGNet on CIFAR-10, variant b: .01 * .25 ** floor((1 + e) / 5).
        ("step_decay_0.25", at(3), 0.01),
        ("step_decay_0.25", at(4), 0.0025),
        ("step_decay_0.25", at(9), 0.000625),
        ("step_decay_0.5", at(9), 0.0025),
        # deep-learning report, MiniGoogLeNet: lr0 * (1 - e / 70) ** p.
        ("polynomial_decay_1", at(35, max_epochs=70), 0.005),
        ("polynomial_decay_2", at(35, max_epochs=70), 0.0025),
        # Variant a: decay .01 / 40; the 1,000th iteration of 100 a epoch is epoch 10's first.
        ("inverse_time_decay", at(0), 0.01),
        ("inverse_time_decay", at(10, steps_per_epoch=100), 0.01 / 1.25),
        ("inverse_time_decay", at(10, steps_per_epoch=100, step=40), 0.01 / (1 + 0.00025 * 1040)),
        # deep-learning report, ResNet on CIFAR-10, 100 epochs: version 3 falls tenfold at 70 and at 90; version 4, at a
        # hundredth of the report's rate here, is .1 - 9 e / 7000 up to epoch 70, then (100 - e) / 3000.
        ("piecewise_constant", at(69, max_epochs=100), 0.01),
        ("piecewise_constant", at(70, max_epochs=100), 0.001),
        ("piecewise_constant", at(89, max_epochs=100), 0.001),
        ("piecewise_constant", at(90, max_epochs=100), 0.0001),
        ("piecewise_linear", at(35, max_epochs=100), (0.1 - 9 * 35 / 7000) / 10),
        ("piecewise_linear", at(70, max_epochs=100), 0.001),
        ("piecewise_linear", at(85, max_epochs=100), (100 - 85) / 30000),
        ("piecewise_linear", at(100, max_epochs=100), 0.0),
        ("cosine", at(0), 0.01),
        ("cosine", at(20), 0.005),
        ("cosine", at(10), 0.01 * (1 + math.sqrt(0.5)) / 2),
        # The first loss counts as an improvement; ten more without one halve the rate.
        ("reduce_on_plateau", at(10, losses=(1.0,) * 10), 0.01),
        ("reduce_on_plateau", at(11, losses=(1.0,) * 11), 0.005),
        ("reduce_on_plateau", at(21, losses=(1.0,) * 21), 0.0025),
        # 1e-4 is not enough, a little more is.
        ("reduce_on_plateau", at(11, losses=(1.0,) * 10 + (0.99995,)), 0.005),
        ("reduce_on_plateau", at(11, losses=(1.0,) * 10 + (0.9998,)), 0.01),
    ],
)
def test_worked_by_hand(schedule: str, progress: Progress, expected: float) -> None:
    assert learning_rate(schedule, 0.01, progress) == pytest.approx(expected, rel=1e-12)


losses = st.lists(st.floats(0, 10, allow_nan=False), max_size=80)


@given(
    schedule=st.sampled_from(SCHEDULES),
    base=st.floats(1e-8, 10),
    epoch=st.integers(0, 500),
    max_epochs=st.integers(1, 400),
    step=st.integers(0, 1000),
    steps_per_epoch=st.integers(1, 1000),
    history=losses,
)
def test_never_negative_never_above_base(
    schedule: str, base: float, epoch: int, max_epochs: int, step: int, steps_per_epoch: int, history: list[float]
) -> None:
    progress = at(epoch, max_epochs=max_epochs, step=step, steps_per_epoch=steps_per_epoch, losses=tuple(history))
    assert 0 <= learning_rate(schedule, base, progress) <= base


@given(schedule=st.sampled_from(SCHEDULES), base=st.floats(1e-8, 10), history=losses)
def test_falls_and_never_rises(schedule: str, base: float, history: list[float]) -> None:
    rates = [
        learning_rate(schedule, base, at(epoch, max_epochs=len(history) + 1, losses=tuple(history[:epoch])))
        for epoch in range(len(history) + 1)
    ]
    assert all(later <= earlier for earlier, later in itertools.pairwise(rates))


@pytest.mark.slow
@settings(deadline=None)  # the first example imports TensorFlow
@given(history=st.lists(st.sampled_from([1.0, 1.0, 1.0, 0.99995, 0.9998, 0.9, 1.1, 0.5]), max_size=120))
def test_plateau_is_keras_own(history: list[float]) -> None:
    import keras

    callback = keras.callbacks.ReduceLROnPlateau(monitor="loss", factor=0.5, patience=10)
    optimizer = keras.optimizers.SGD(0.5)  # a power of two: halving it in float32 is exact
    callback.set_model(types.SimpleNamespace(optimizer=optimizer))
    callback.on_train_begin()
    for epoch, loss in enumerate(history):
        callback.on_epoch_end(epoch, {"loss": loss})
        ours = learning_rate("reduce_on_plateau", 0.5, at(epoch + 1, losses=tuple(history[: epoch + 1])))
        assert ours == float(optimizer.learning_rate.numpy())


def test_unknown_schedule_names_the_nearest() -> None:
    with pytest.raises(ValueError, match="did you mean cosine") as raised:
        learning_rate("cosin", 0.1, at(0))
    assert "\n" not in str(raised.value)


def test_impossible_progress_is_refused() -> None:
    with pytest.raises(ValueError, match="count from 0"):
        learning_rate("constant", 0.1, at(-1))


def test_only_inverse_time_decay_changes_within_an_epoch() -> None:
    for schedule in SCHEDULES:
        first, later = (learning_rate(schedule, 0.1, at(3, step=step)) for step in (0, 9))
        assert (first != later) == by_name.varies_within_epoch(schedule)
