"""A winner in another program's format, kept only if it answers as the winner does."""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import re
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atomic_file import atomic_path
from errors import arg
from inspection.loading.best_model import InspectionError, Winner
from inspection.loading.load_model import classifier, load_network
from inspection.loading.silence_tensorflow import suppress_stderr
from inspection.prediction import exports
from tuning.records.study_paths import ModelPaths

TOLERANCE = 1e-4  # of a probability: float32 in another order of sums is off by 1e-6, another preprocessing by 1e-2
CHECKED = 64  # validation images that both are asked about
BATCH = 16


@dataclass(frozen=True, kw_only=True)
class Exported:
    """What was written, and how it was checked."""

    path: Path
    images: int
    difference: float  # the largest of any probability of any of these images


def export(winner: Winner, form: str, out: Path | None) -> Exported:
    """Write the winner to `out`, or to exports/ of its study, in place of an earlier export there.

    It takes uint8 images [B, S, S, 3] as the winner does, and is run on validation images beside it first.
    Raises InspectionError (one line): no network, packages that are missing, `out` exists, the format cannot hold the
    network, answers further than TOLERANCE apart; nothing is left behind then.
    """
    if not winner.is_keras:
        raise InspectionError(
            f"{winner.title} is no Keras network, and only those can be exported; "
            f"what it is lies in {winner.folder} as arrays"
        )
    if out is not None and out.exists():
        raise InspectionError(f"{out} exists; remove it or name another {arg.out}")
    missing = [name for name in getattr(_format(form), "PACKAGES", ()) if find_spec(name) is None]
    if missing:
        raise InspectionError(f"{form} needs {', '.join(missing)}: run `make setup EXTRAS={form}`")
    suffix = _format(form).SUFFIX
    images = _validation_images(winner)
    network = load_network(ModelPaths(winner.folder).keras)
    expected = classifier(network)([images])
    target = out or winner.study / "exports" / f"{winner.arm}{suffix or f'_{form}'}"
    target.parent.mkdir(parents=True, exist_ok=True)
    suffixed = target.with_name(f".{os.getpid()}.{target.stem}{suffix}")  # readers go by the suffix
    with atomic_path(target, partial=suffixed) as partial:
        _written(form, network, winner, partial)
        answers = _answers(form, partial, images, winner)
        difference = float(np.abs(answers - expected).max()) if answers.shape == expected.shape else float("inf")
        if not difference <= TOLERANCE:  # nor NaN
            raise InspectionError(
                f"exported to {form}, {winner.title} answers otherwise: probabilities differ by up to {difference:.2g} "
                f"on {len(images)} validation images, at most {TOLERANCE:g} are allowed; nothing was kept"
            )
    return Exported(path=target, images=len(images), difference=difference)


def _format(name: str) -> Any:
    """Import the module of a format that `exports.export_formats` names."""
    return importlib.import_module(f"{exports.__name__}.{name}")


def _validation_images(winner: Winner) -> NDArray[np.uint8]:
    """CHECKED at most, the same each time, drawn from all: uint8 [N, S, S, 3]."""
    images = winner.images("val")
    drawn = np.random.default_rng(0).permutation(len(images))[:CHECKED]
    return next(iter(images.batches(len(drawn), np.sort(drawn))))


def _answers(form: str, path: Path, images: NDArray[np.uint8], winner: Winner) -> NDArray[np.float32]:
    """What the exported file says of the images. Raises InspectionError where it cannot be run."""
    try:
        with suppress_stderr():
            run = _format(form).run(path)
            return np.concatenate([run(images[start : start + BATCH]) for start in range(0, len(images), BATCH)])
    except InspectionError:
        raise
    except Exception as error:  # of whichever library runs it
        raise InspectionError(f"{winner.title} as {form} cannot be run: {_reason(error)}; nothing was kept") from None


def _reason(error: Exception) -> str:
    # TensorFlow Lite's converter writes a page of MLIR in which the operations that it lacks have names.
    lacking = set(re.findall(r'fused\["(\w+):"', str(error))) - {"StatefulPartitionedCall"}
    if lacking:
        return f"it has no {', '.join(sorted(lacking))}; choose another format"
    return " ".join(str(error).split())[:200] or type(error).__name__


def _written(form: str, network: Any, winner: Winner, path: Path) -> None:
    """Raises InspectionError where the format cannot hold the network."""
    noise = io.StringIO()  # converters print pages
    try:
        with suppress_stderr(), contextlib.redirect_stdout(noise), contextlib.redirect_stderr(noise):
            _format(form).write(network, ModelPaths(winner.folder).keras, path)
    except Exception as error:  # converters raise whatever their libraries do
        raise InspectionError(f"{winner.title} cannot be exported to {form}: {_reason(error)}") from None
