"""A network as its calls, on one small enough to follow by hand:

images ── a ──┬── b ──┬── c ── d ──┬── f ── pool ── logits ── softmax
              ├───────┘            │
              └────────── e ───────┘
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.slow  # imports TensorFlow

IMAGES = np.random.default_rng(0).normal(size=(5, 4, 4, 2)).astype(np.float32)


@pytest.fixture(scope="module")
def model() -> Any:
    import keras

    keras.utils.set_random_seed(0)
    images = keras.Input((4, 4, 2), name="images")
    a = keras.layers.Conv2D(3, 1, name="a")(images)
    b = keras.layers.Conv2D(3, 3, padding="same", activation="relu", name="b")(a)
    c = keras.layers.Add(name="c")([a, b])
    d = keras.layers.Conv2D(2, 1, name="d")(c)
    e = keras.layers.Conv2D(2, 1, name="e")(a)
    f = keras.layers.Add(name="f")([d, e])
    logits = keras.layers.Dense(3, name="logits")(keras.layers.GlobalAveragePooling2D(name="pool")(f))
    return keras.Model(images, keras.layers.Softmax(name="softmax")(logits))


def output(model: Any, name: str) -> Any:
    return model.get_layer(name).output


def names(tensors: Sequence[Any]) -> list[str]:
    return [tensor._keras_history.operation.name for tensor in tensors]


def layers(part: Any) -> list[str]:
    return [layer.name for layer in part.layers]


def as_it_is(layer: Any, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    return layer(*arguments, **keywords)


@pytest.mark.parametrize(
    ("end", "before", "after", "crossing"),
    [
        ("a", "a", "b c d e f pool logits softmax", "a"),
        ("b", "a b", "c d e f pool logits softmax", "a b"),
        ("c", "a b c", "d e f pool logits softmax", "a c"),
        ("d", "a b c d", "e f pool logits softmax", "a d"),
        ("f", "a b c d e f", "pool logits softmax", "f"),
        ("softmax", "a b c d e f pool logits softmax", "", ""),
    ],
)
def test_a_cut_divides_the_calls_and_names_what_crosses_it(
    model: Any, end: str, before: str, after: str, crossing: str
) -> None:
    from trainables.models.parts.model_graph import Graph

    graph = Graph(model)
    prefix, tail = graph.before([output(model, end)]), graph.after(output(model, end), graph.output)
    assert sorted(layers(prefix)) == sorted(before.split())
    assert sorted(layers(tail)) == sorted(after.split())
    assert sorted(names(tail.inputs)) == crossing.split()
    assert names(prefix.inputs) == ["images"]
    assert names(prefix.outputs) == [end]


def test_without_a_cut_everything_comes_after(model: Any) -> None:
    from trainables.models.parts.model_graph import Graph

    graph = Graph(model)
    tail = graph.after(None, graph.output)
    assert names(tail.inputs) == ["images"]
    assert layers(tail) == layers(graph.before([graph.output]))
    assert len(tail.calls) == len(model.layers) - 1  # the input is no call
    np.testing.assert_array_equal(tail.run([IMAGES], as_it_is)[0], model(IMAGES))


@pytest.mark.parametrize("end", ["a", "b", "c", "d", "f", "logits"])
def test_the_prefix_and_then_the_tail_are_the_model(model: Any, end: str) -> None:
    from trainables.models.parts.model_graph import Graph

    graph = Graph(model)
    tail = graph.after(output(model, end), graph.output)
    crossing = graph.before(tail.inputs).run([IMAGES], as_it_is)
    assert [tuple(value.shape[1:]) for value in crossing] == [tensor.shape[1:] for tensor in tail.inputs]
    (probabilities,) = tail.run(crossing, as_it_is)
    np.testing.assert_array_equal(probabilities, model(IMAGES))


def test_one_pass_serves_several_cuts(model: Any) -> None:
    import keras

    from trainables.models.parts.model_graph import Graph

    ends = [output(model, name) for name in ("a", "d", "b")]
    part = Graph(model).before(ends)
    assert sorted(layers(part)) == ["a", "b", "c", "d"]  # each once
    for value, end in zip(part.run([IMAGES], as_it_is), ends, strict=True):
        np.testing.assert_array_equal(value, keras.Model(model.input, end)(IMAGES))


def test_a_branch_from_the_images_takes_them_across_the_cut() -> None:
    import keras

    from trainables.models.parts.model_graph import Graph

    images = keras.Input((4, 4, 2), name="images")
    main = keras.layers.Conv2D(2, 1, name="main")(images)
    side = keras.layers.Conv2D(2, 1, name="side")(images)
    graph = Graph(keras.Model(images, keras.layers.Add(name="sum")([main, side])))
    tail = graph.after(main, graph.output)
    assert sorted(names(tail.inputs)) == ["images", "main"]
    crossing = graph.before(tail.inputs).run([IMAGES], as_it_is)
    np.testing.assert_array_equal(crossing[names(tail.inputs).index("images")], IMAGES)


def test_every_layer_is_called_as_asked(model: Any) -> None:
    from trainables.models.parts.model_graph import Graph

    called: list[str] = []

    def call(layer: Any, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        called.append(layer.name)
        return layer(*arguments, **keywords)

    graph = Graph(model)
    graph.after(output(model, "c"), graph.logits).run([IMAGES[..., :1].repeat(3, axis=-1)] * 2, call)
    assert sorted(called) == ["d", "e", "f", "logits", "pool"]


def test_logits_are_what_goes_into_the_softmax(model: Any) -> None:
    import keras

    from trainables.models.parts.model_graph import Graph

    assert names([Graph(model).logits]) == ["logits"]
    plain = keras.Model(model.input, output(model, "logits"))
    assert Graph(plain).logits is plain.outputs[0]


def test_layers_before_counts_the_input_and_no_layer_twice(model: Any) -> None:
    from trainables.models.parts.model_graph import Graph

    graph = Graph(model)
    expected = {"images": 1, "a": 2, "b": 3, "c": 4, "d": 5, "e": 3, "f": 7, "softmax": 10}
    assert {name: graph.layers_before(output(model, name)) for name in expected} == expected


def test_multiply_adds_by_hand(model: Any) -> None:
    from trainables.models.parts.model_graph import Graph, multiply_adds

    graph = Graph(model)
    places = 4 * 4
    a, b, d, e, dense = places * 2 * 3, places * 9 * 3 * 3, places * 3 * 2, places * 3 * 2, 2 * 3
    assert multiply_adds(graph.before([output(model, "c")])) == a + b
    assert multiply_adds(graph.after(output(model, "c"), graph.output)) == d + e + dense
    assert multiply_adds(graph.before([graph.output])) == a + b + d + e + dense


def test_multiply_adds_of_strides_and_of_convolutions_by_channel() -> None:
    import keras

    from trainables.models.parts.model_graph import Graph, multiply_adds

    images = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(4, 3, strides=2, padding="same")(images)  # 4 x 4 places
    x = keras.layers.DepthwiseConv2D(3, padding="same")(x)
    x = keras.layers.SeparableConv2D(5, 3, strides=2, padding="same")(x)  # 2 x 2 places
    shared = keras.layers.Dense(6)
    x = keras.layers.Add()(
        [shared(keras.layers.GlobalAveragePooling2D()(x)), shared(keras.layers.GlobalMaxPooling2D()(x))]
    )
    graph = Graph(keras.Model(images, x))
    expected = 16 * 9 * 3 * 4 + 16 * 9 * 4 + 4 * (9 * 4 + 4 * 5) + 2 * 5 * 6
    part = graph.before([graph.output])
    assert multiply_adds(part) == expected
    assert part.layers.count(shared) == 1
