"""Limits of a worker on its machine: threads, and a share of one GPU's memory."""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import subprocess
import sys
from pathlib import Path
from types import ModuleType

from errors import arg
from machine import usable_cores
from trainables.learner import Fatal

# What a CUDA context and cuDNN's and cuBLAS's own handles take beside TensorFlow's allocator, for every process: a
# process whose allocator may have all of its share exceeds it by this much. A rule of thumb from nvidia-smi.
CONTEXT_MEBIBYTES = 600
_NVIDIA_SMI_TIMEOUT = 30.0  # seconds; the first call without persistence mode initialises the driver, which takes a few

_granted_threads: int | None = None


def threads() -> int:
    """Return this worker's number of threads; before limit_cpu, the cores this process may use."""
    return _granted_threads or usable_cores()


def limit_cpu(count: int) -> None:
    """Limit this process to `count` threads in TensorFlow, BLAS, OpenMP and OpenCV.

    TensorFlow reads its limits once, when it first does anything; a later call (a reused worker, whose next trial has
    the same share) leaves TensorFlow as it is.

    Raises:
        ValueError: The count is below 1.
    """
    global _granted_threads
    if count < 1:
        raise ValueError(f"threads is {count}, but must be at least 1")
    _granted_threads = count
    # The environment first: libraries not loaded yet read it when they are, TensorFlow among them.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"):
        os.environ[name] = str(count)
    # One: a network is a chain of operations, each of which is spread over the intra-op threads. With more, two
    # operations would run beside each other on twice the threads.
    os.environ["TF_NUM_INTEROP_THREADS"] = "1"
    # TensorFlow turns oneDNN on by itself only on the newest processors. Where it is off by default (AVX2), it makes
    # a training step of ResNet50 2.2 times as fast, of NASNetMobile 1.15 times, of EfficientNetB0 0.95 times (96 px,
    # batch 16, one thread).
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    import threadpoolctl  # type: ignore[import-untyped]

    threadpoolctl.threadpool_limits(count)  # BLAS and OpenMP that NumPy and SciPy have loaded already
    opencv = sys.modules.get("cv2")
    if opencv is not None:
        opencv.setNumThreads(count)
    tensorflow = sys.modules.get("tensorflow")
    if tensorflow is not None:
        with contextlib.suppress(RuntimeError):  # "cannot be modified after initialization": a reused worker
            tensorflow.config.threading.set_intra_op_parallelism_threads(count)
            tensorflow.config.threading.set_inter_op_parallelism_threads(1)


def resident_bytes() -> int:
    """Memory this process holds just now and nobody else: pages of mapped files, such as images, can go at any time."""
    _, resident, shared, *_ = map(int, Path("/proc/self/statm").read_text().split())
    return (resident - shared) * os.sysconf("SC_PAGE_SIZE")


def give_memory_back() -> None:
    """Return freed memory to the system, where the C library is one that keeps it."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)


def name() -> str:
    """Return what last digits may depend on: the GPU's model, or the processor's and its threads."""
    return gpu() or f"{processor()}, {threads()} threads, oneDNN {os.environ.get('TF_ENABLE_ONEDNN_OPTS', '')}"


def gpu() -> str | None:
    """Return the model of the first GPU that the imported TensorFlow sees, or None."""
    tensorflow = sys.modules["tensorflow"]
    for found in tensorflow.config.list_physical_devices("GPU"):
        return str(tensorflow.config.experimental.get_device_details(found).get("device_name", "GPU"))
    return None


def processor() -> str:
    """Return the processor's model name, if it is known."""
    with contextlib.suppress(OSError, StopIteration):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return platform.processor() or platform.machine()


def limit_gpu(fraction: float) -> None:
    """Limit this process to a share of the memory of the one GPU it sees.

    Call it before TensorFlow does anything; in a reused worker another call does nothing. Memory is taken as it is
    needed up to the limit. Ray counts shares but does not enforce them.

    Raises:
        Fatal: No GPU can be seen.
        ValueError: The share is not above 0 and at most 1.
    """
    if not 0 < fraction <= 1:
        raise ValueError(f"fraction of a GPU is {fraction:g}, but must be above 0 and at most 1")
    # Growth by the environment: tf.config.experimental.set_memory_growth refuses a device with a logical configuration.
    os.environ["TF_FORCE_GPU_ALLOW_GROWTH"] = "true"
    import tensorflow as tf

    devices = tf.config.list_physical_devices("GPU")
    if not devices:
        raise Fatal(_no_gpu_message(tf))
    if tf.config.get_logical_device_configuration(devices[0]):
        return  # a reused worker: the first trial's limit holds, and Ray gives every trial of a worker the same share
    limit = memory_limit(total_memory(), fraction)
    with contextlib.suppress(RuntimeError):  # "cannot be modified after being initialized": a reused worker
        tf.config.set_logical_device_configuration(
            devices[0], [tf.config.LogicalDeviceConfiguration(memory_limit=limit)]
        )


def memory_limit(total_mebibytes: int, fraction: float) -> int:
    """Return the MiB for TensorFlow's allocator in a process with a share of a GPU.

    CUDA's own memory in every process is subtracted, so that 1 / fraction processes fit side by side.

    Args:
        total_mebibytes: Memory of the GPU.
        fraction: The share.

    Raises:
        Fatal: Nothing useful would be left.
    """
    limit = int(total_mebibytes * fraction) - CONTEXT_MEBIBYTES
    if limit < CONTEXT_MEBIBYTES:
        raise Fatal(
            f"a share of {fraction:g} of a GPU with {total_mebibytes} MiB leaves {max(limit, 0)} MiB for a network: "
            f"give every trial more with {arg.gpus_per_trial}"
        )
    return limit


def total_memory() -> int:
    """Return the MiB of the first GPU in CUDA_VISIBLE_DEVICES, by nvidia-smi.

    Raises:
        Fatal: nvidia-smi does not answer.
    """
    command = ["nvidia-smi", "--query-gpu=memory.total", "--format=csv,noheader,nounits"]
    device = visible_device(os.environ.get("CUDA_VISIBLE_DEVICES"))
    if device is not None:
        command.append(f"--id={device}")
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=_NVIDIA_SMI_TIMEOUT, check=True).stdout
        return int(answer.split()[0])
    except (OSError, subprocess.SubprocessError, ValueError, IndexError) as error:
        raise Fatal(
            f"nvidia-smi does not tell the memory of GPU {device or 0} ({type(error).__name__}): "
            f"see that `nvidia-smi` works in this shell, or run without {arg.gpus}"
        ) from None


def visible_device(visible: str | None) -> str | None:
    """Return nvidia-smi's name of the first device in CUDA_VISIBLE_DEVICES, or None if it names none.

    The name is an index, a GPU's UUID or a MIG slice's UUID; Ray sets an index.
    """
    first = (visible or "").split(",")[0].strip()
    return first or None


def _no_gpu_message(tensorflow: ModuleType) -> str:
    if not tensorflow.test.is_built_with_cuda():
        reason = "this TensorFlow is built without CUDA"
    else:
        reason = "TensorFlow finds none, most often because the CUDA libraries are missing"
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    named = f" (CUDA_VISIBLE_DEVICES={visible})" if visible is not None else ""
    return f"a GPU is lent to this trial{named}, but {reason}: run make setup EXTRAS=gpu, or leave {arg.gpus} out"
