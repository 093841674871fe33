"""Latency of backbones for one image on this machine, remembered because measuring all takes minutes."""

from __future__ import annotations

import json
import statistics
import time
from pathlib import Path

from atomic_file import write_atomically
from machine import usable_cores
from trainables import devices

FILE_NAME = "latency.json"
PROCESSOR = "processor"
RUNS = 20  # single images; the median counts


def read(folder: Path) -> dict[str, dict[str, float]]:
    """Milliseconds by device, then by backbone, as measured earlier on a machine with this processor and as many cores.

    Devices: PROCESSOR, or a GPU's kind.
    """
    return {
        key.removeprefix(_machine()): measured for key, measured in _known(folder).items() if key.startswith(_machine())
    }


def remember(folder: Path, name: str, device: str, milliseconds: float) -> None:
    """Add the latency of one backbone on one device to the file.

    Args:
        folder: of the file; it is made.
        name: of the backbone.
        device: PROCESSOR, or a GPU's kind.
        milliseconds: for one image.
    """
    known = _known(folder)
    known.setdefault(_machine() + device, {})[name] = milliseconds
    write_atomically(folder / FILE_NAME, json.dumps(known, indent=1) + "\n", synced=False)


def measure(name: str) -> tuple[str, float]:
    """Device, and median milliseconds for one image of the size the backbone was trained at: all cores, or first GPU.

    With random weights: the time does not depend on them. Raises Fatal for an unknown name.
    """
    import numpy as np
    import tensorflow as tf

    from trainables.models.backbones import builder

    backbone = builder.find(name)
    side = backbone.image_size
    model = builder.build(backbone, (side, side, 3), weights="random")
    signature = [tf.TensorSpec((1, side, side, 3), tf.uint8)]
    predict = tf.function(lambda images: model(images, training=False), autograph=False, input_signature=signature)
    image = np.zeros((1, side, side, 3), np.uint8)
    times = []
    for run in range(RUNS + 3):  # the first calls trace and prepare
        start = time.perf_counter()
        predict(image).numpy()
        if run >= 3:
            times.append(time.perf_counter() - start)
    return devices.gpu() or PROCESSOR, round(statistics.median(times) * 1000, 2)


def _known(folder: Path) -> dict[str, dict[str, float]]:
    try:
        known = json.loads((folder / FILE_NAME).read_text())
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _machine() -> str:
    """Return the prefix of the device in the file's keys."""
    return f"{devices.processor()}, {usable_cores()} cores: "
