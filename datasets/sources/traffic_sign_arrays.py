"""Traffic signs as arrays: the balanced pickles of the traffic-signs report and their safe conversion.

The files are data2.pickle (x_train, y_train, x_validation, y_validation, x_test, y_test; images float32 [N, 3, 32, 32],
divided by 255, less a mean image) and mean_image_rgb.pickle (mean_image_rgb, [3, 32, 32], of images divided by 255).
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

from atomic_file import atomic_path
from datasets.dataset import SPLITS, DataError, SourceImage, Split
from datasets.readers import pickled_arrays
from datasets.readers.array_image import array_images
from errors import arg

MEAN_FILE, MEAN = "mean_image_rgb.pickle", "mean_image_rgb"
NAMES: Mapping[Split, str] = {"train": "train", "val": "validation", "test": "test"}
SIDE = 32
ROUNDING = 0.01  # what restored pixels may lie beyond 0 and 1


def convert(source: Path, target: Path) -> int:
    """Write the images of a pickle as uint8 arrays to a .npz; no code of the pickle runs.

    Args:
        source: data2.pickle; mean_image_rgb.pickle must be beside it.
        target: The .npz.

    Returns:
        Number of images.

    Raises:
        DataError: The target is no .npz, a pickle is missing or another one, or shapes or values do not fit.
    """
    if target.suffix != ".npz":
        raise DataError(f"the target is {target}, but must end in .npz: {source.stem}.npz")
    arrays = _restored(source, trusted=False)
    try:
        with atomic_path(target) as partial, partial.open("wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]
    except OSError as error:
        raise DataError(f"{target} cannot be written ({error.strerror or error})") from None
    return sum(len(array) for name, array in arrays.items() if name.startswith("x_"))


def images(path: Path, classes: int, allow_pickle: bool) -> list[SourceImage]:
    """Return every image of a .npz that `convert` wrote, or of a trusted pickle.

    Args:
        path: The file.
        classes: Number of classes.
        allow_pickle: Whether the user trusts the pickle.

    Raises:
        DataError: The file is an untrusted pickle, missing, or holds other arrays.
    """
    if path.suffix == ".npz":
        arrays = _read_npz(path)
    elif allow_pickle:
        arrays = _restored(path, trusted=True)
    else:
        raise DataError(
            f"{path} is a pickle, which runs whatever code it holds: convert it first with `python cli.py datasets "
            f"convert {path.name} signs.npz`, which reads arrays alone, or trust it with {arg.allow_pickle}"
        )
    found: list[SourceImage] = []
    for split in SPLITS:
        pixels, labels = arrays[f"x_{NAMES[split]}"], arrays[f"y_{NAMES[split]}"]
        if len(labels) and not 0 <= labels.min() <= labels.max() < classes:
            raise DataError(
                f"labels of {path} run from {labels.min()} to {labels.max()}, but must lie from 0 to {classes - 1}; "
                "fetch data2.pickle and convert that"
            )
        found += array_images(pixels, labels, f"{split}/", digits=6, split=split)
    return found


def _read_npz(path: Path) -> dict[str, NDArray[Any]]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except Exception as error:  # np.load raises OSError, ValueError, EOFError or zipfile.BadZipFile
        raise DataError(f"{path} cannot be read ({' '.join(str(error).split())[:120]}); convert it again") from None
    for split in NAMES.values():
        if not _are_images(arrays, split, (SIDE, SIDE, 3), "u") or arrays[f"x_{split}"].dtype != np.uint8:
            raise DataError(
                f"{path} must hold x_{split} [N, 32, 32, 3] of uint8 and y_{split} [N] of integers; convert it again"
            )
    return arrays


def _restored(source: Path, trusted: bool) -> dict[str, NDArray[Any]]:
    """Pixels 0 to 255 of what was divided by 255 and less the mean image."""
    data = _unpickled(source, trusted)
    mean_file = source.with_name(MEAN_FILE)
    mean: Any = _unpickled(mean_file, trusted).get(MEAN)
    if not _is_array(mean, "fiu") or mean.shape != (3, SIDE, SIDE):
        raise DataError(f"{mean_file} must hold {MEAN} [3, 32, 32] of numbers; fetch it from the same place")
    arrays: dict[str, NDArray[Any]] = {}
    for split in NAMES.values():
        if not _are_images(data, split, (3, SIDE, SIDE), "fiu"):
            raise DataError(
                f"{source} must hold x_{split} [N, 3, 32, 32] of numbers and y_{split} [N] of integers, as "
                "data2.pickle does; fetch that"
            )
        pixels, labels = data[f"x_{split}"], data[f"y_{split}"]
        restored = np.empty((len(pixels), SIDE, SIDE, 3), np.uint8)
        for start in range(0, len(pixels), 4096):  # a gigabyte of floats is enough once
            part = pixels[start : start + 4096].astype(np.float32) + mean.astype(np.float32)
            if not (part.min() >= -ROUNDING and part.max() <= 1 + ROUNDING):  # nor NaN
                raise DataError(
                    f"x_{split} of {source} plus {mean_file.name} runs from {part.min():.2f} to {part.max():.2f}, but "
                    "pixels lie within 0 and 1; give data2.pickle (not data0, 1 or 3) with its own mean image"
                )
            restored[start : start + 4096] = np.rint(part * 255).clip(0, 255).transpose(0, 2, 3, 1)
        arrays |= {f"x_{split}": restored, f"y_{split}": labels.astype(np.int64)}
    return arrays


def _are_images(arrays: Mapping[str, Any], split: str, shape: tuple[int, ...], kinds: str) -> bool:
    """Whether a split has N images of that shape and those kinds of numbers, and as many integers."""
    pixels, labels = arrays.get(f"x_{split}"), arrays.get(f"y_{split}")
    if not (_is_array(pixels, kinds) and _is_array(labels, "iu")):
        return False
    return bool(pixels.shape[1:] == shape and labels.shape == pixels.shape[:1])


def _is_array(value: Any, kinds: str) -> TypeGuard[NDArray[Any]]:
    return isinstance(value, np.ndarray) and value.dtype.kind in kinds


def _unpickled(path: Path, trusted: bool) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            # latin1: written by Python 2.
            content = pickle.load(file, encoding="latin1") if trusted else pickled_arrays.load(file)
    except FileNotFoundError:
        raise DataError(f"{path} is not there; data2.pickle and {MEAN_FILE} must lie side by side") from None
    except Exception as error:  # a pickle can fail in any way
        reason = " ".join(str(error).split())[:160] or type(error).__name__
        raise DataError(f"{path} cannot be read as arrays ({reason}); fetch it again") from None
    if not isinstance(content, dict):
        raise DataError(f"{path} holds a {type(content).__name__}, but must hold named arrays; fetch data2.pickle")
    return content
