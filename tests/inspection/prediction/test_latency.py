"""Latencies are remembered for the machine and the device they were measured on, and for no other."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inspection.prediction import latency
from trainables import devices
from trainables.learner import Fatal


def test_what_was_measured_is_read_again_by_device(tmp_path: Path) -> None:
    assert latency.read(tmp_path / "none yet") == {}
    latency.remember(tmp_path / "new", "VGG16", latency.PROCESSOR, 80.5)
    latency.remember(tmp_path / "new", "VGG16", "NVIDIA H200", 1.5)
    latency.remember(tmp_path / "new", "VGG19", latency.PROCESSOR, 99.0)
    latency.remember(tmp_path / "new", "VGG16", latency.PROCESSOR, 81.0)  # measured again
    assert latency.read(tmp_path / "new") == {
        "processor": {"VGG16": 81.0, "VGG19": 99.0},
        "NVIDIA H200": {"VGG16": 1.5},
    }
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["latency.json"]


@pytest.mark.parametrize(("cores", "processor"), [(2, "another"), (20, "this one")])
def test_another_machine_that_shares_the_folder_has_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cores: int, processor: str
) -> None:
    def machine(processor: str, cores: int) -> None:
        monkeypatch.setattr(devices, "processor", lambda: processor)
        monkeypatch.setattr(latency, "usable_cores", lambda: cores)

    machine("this one", 2)
    latency.remember(tmp_path, "VGG16", latency.PROCESSOR, 80.5)
    machine(processor, cores)
    assert latency.read(tmp_path) == {}
    latency.remember(tmp_path, "VGG16", latency.PROCESSOR, 7.0)
    machine("this one", 2)
    assert latency.read(tmp_path) == {"processor": {"VGG16": 80.5}}


@pytest.mark.parametrize("content", ["", "{", "[1]", '"text"'])
def test_a_damaged_file_is_as_none_and_written_anew(tmp_path: Path, content: str) -> None:
    (tmp_path / latency.FILE_NAME).write_text(content)
    assert latency.read(tmp_path) == {}
    latency.remember(tmp_path, "VGG16", latency.PROCESSOR, 80.5)
    assert latency.read(tmp_path) == {"processor": {"VGG16": 80.5}}


@pytest.mark.slow
def test_the_median_of_single_images_on_the_device_that_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    import keras
    import tensorflow as tf

    from trainables.models.backbones import builder

    seen: list[Any] = []

    class Slow(keras.layers.Layer):
        """A network that takes 20 milliseconds, and once in five runs 200."""

        def call(self, images: Any) -> Any:
            def wait(batch: Any) -> np.ndarray:
                seen.append(batch.numpy())
                time.sleep(0.2 if len(seen) % 5 == 0 else 0.02)
                return np.zeros((1, 1), np.float32)

            return tf.py_function(wait, [images], tf.float32)

    def build(backbone: Any, shape: tuple[int, int, int], *, weights: str) -> Any:
        assert weights == "random"
        return Slow()

    monkeypatch.setattr(builder, "build", build)
    device, milliseconds = latency.measure("NASNetLarge")
    assert device == (devices.gpu() or "processor")
    assert 20 <= milliseconds < 100
    assert {(image.shape, image.dtype) for image in seen} == {((1, 331, 331, 3), np.dtype(np.uint8))}
    monkeypatch.setattr(devices, "gpu", lambda: "NVIDIA H200")
    assert latency.measure("NASNetLarge")[0] == "NVIDIA H200"


@pytest.mark.slow
def test_a_real_backbone_and_an_unknown_one() -> None:
    _, milliseconds = latency.measure("EfficientNetLite0")
    assert 0 < milliseconds < 10_000
    with pytest.raises(Fatal, match="did you mean VGG19"):
        latency.measure("VGG18")
