from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from trainables import devices
from trainables.learner import Fatal

ROOT = Path(__file__).parents[2]


def run(code: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("total", "fraction", "expected"),
    [(24_576, 1.0, 23_976), (24_576, 0.5, 11_688), (24_576, 0.25, 5_544), (81_559, 1 / 3, 26_586)],
)
def test_memory_limit_is_the_share_less_the_context(total: int, fraction: float, expected: int) -> None:
    assert devices.memory_limit(total, fraction) == expected


@pytest.mark.parametrize("sharers", [1, 2, 3, 4, 7])
def test_all_sharers_fit_with_their_contexts(sharers: int) -> None:
    each = devices.memory_limit(24_576, 1 / sharers) + devices.CONTEXT_MEBIBYTES
    assert each * sharers <= 24_576


def test_a_share_too_small_to_use_is_one_line() -> None:
    with pytest.raises(Fatal, match="gpus_per_trial") as raised:
        devices.memory_limit(8_192, 0.1)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("visible", "expected"),
    [(None, None), ("", None), ("1", "1"), ("2,3", "2"), ("GPU-5d1a,GPU-77", "GPU-5d1a"), (" 0 , 1", "0")],
)
def test_visible_device(visible: str | None, expected: str | None) -> None:
    assert devices.visible_device(visible) == expected


def test_total_memory_asks_for_the_visible_device(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def answer(command: list[str], **_: Any) -> Any:
        asked.append(command)
        return subprocess.CompletedProcess(command, 0, stdout="24576\n")

    monkeypatch.setattr(subprocess, "run", answer)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    assert devices.total_memory() == 24_576
    assert "--id=3" in asked[0]


def test_without_nvidia_smi_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(Fatal, match="nvidia-smi does not tell"):
        devices.total_memory()


@pytest.mark.parametrize("fraction", [0.0, -0.5, 1.5])
def test_impossible_fraction(fraction: float) -> None:
    with pytest.raises(ValueError, match="must be above 0 and at most 1"):
        devices.limit_gpu(fraction)


def test_impossible_threads() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        devices.limit_cpu(0)


def test_limit_cpu_imports_no_tensorflow() -> None:
    code = (
        "import sys; from trainables import devices; devices.limit_cpu(1); devices.limit_cpu(1);"
        "print('tensorflow' in sys.modules, devices.threads())"
    )
    assert run(code) == "False 1"


@pytest.mark.slow
def test_limiting_again_is_harmless_and_a_gpu_that_is_not_there_is_one_line() -> None:
    code = """
from trainables import devices
devices.limit_cpu(1)
import tensorflow as tf
tf.linalg.matmul(tf.ones((512, 512)), tf.ones((512, 512)))
devices.limit_cpu(1)
devices.limit_cpu(2)
try:
    devices.limit_gpu(0.5)
except devices.Fatal as error:
    print(error)
"""
    (refusal,) = run(code, CUDA_VISIBLE_DEVICES="-1").splitlines()
    assert refusal.startswith("a GPU is lent to this trial (CUDA_VISIBLE_DEVICES=-1), but ")
    assert refusal.endswith(": run make setup EXTRAS=gpu, or leave gpus out")
