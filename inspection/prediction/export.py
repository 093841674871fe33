"""A winner in another program's format, kept only if it answers as the winner does."""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from atomic_file import atomic_path
from errors import arg
from inspection.loading.best_model import InspectionError, Winner
from inspection.loading.load_model import classifier, load_network
from inspection.loading.silence_tensorflow import suppress_stderr
from inspection.prediction import exports

TOLERANCE = 1e-4  # of a probability: float32 in another order of sums is off by 1e-6, another preprocessing by 1e-2
CHECKED = 64  # validation images that both are asked about
BATCH = 16


def export(winner: Winner, form: str, out: Path | None) -> tuple[Path, str]:
    """Export the winner in place of an earlier export, and check it on validation images.

    The export takes uint8 images [B, S, S, 3] as the winner does.

    Args:
        winner: The model.
        form: Name of the format, a module of `exports`.
        out: Target; None writes below exports/ of the study.

    Returns:
        The path, and one line about the check.

    Raises:
        InspectionError: The winner is no network, a package is missing, `out` exists, the format cannot hold the
            network, or outputs differ by more than TOLERANCE. No file is left then.
    """
    if not winner.is_keras:
        raise InspectionError(
            f"{winner.title} is no Keras network, and only those can be exported; "
            f"what it is lies in {winner.paths.folder} as arrays"
        )
    if out is not None and out.exists():
        raise InspectionError(f"{out} exists; remove it or name another {arg.out}")
    module = importlib.import_module(f"{exports.__name__}.{form}")
    missing = [name for name in getattr(module, "PACKAGES", ()) if find_spec(name) is None]
    if missing:
        raise InspectionError(f"{form} needs {', '.join(missing)}: run `make setup EXTRAS={form}`")
    images = _validation_images(winner)
    network = load_network(winner.paths.keras)
    expected = classifier(network)([images])
    target = out or winner.study / "exports" / f"{winner.arm}{module.SUFFIX or f'_{form}'}"
    target.parent.mkdir(parents=True, exist_ok=True)
    suffixed = target.with_name(f".{os.getpid()}.{target.stem}{module.SUFFIX}")  # readers go by the suffix
    with atomic_path(target, partial=suffixed) as partial:
        with _one_line(f"{winner.title} cannot be exported to {form}"):
            module.write(network, winner.paths.keras, partial)
        with _one_line(f"{winner.title} as {form} cannot be run", "; nothing was kept"):
            run = module.run(partial)
            pieces = [run(images[start : start + BATCH]) for start in range(0, len(images), BATCH)]
            answers = np.concatenate(pieces).astype(np.float32)
        difference = float(np.abs(answers - expected).max()) if answers.shape == expected.shape else float("inf")
        if not difference <= TOLERANCE:  # nor NaN
            raise InspectionError(
                f"exported to {form}, {winner.title} answers otherwise: probabilities differ by up to {difference:.2g} "
                f"on {len(images)} validation images, at most {TOLERANCE:g} are allowed; nothing was kept"
            )
    checked = f"on {len(images)} validation images no probability differs by more than {difference:.1e}"
    return target, f"{winner.title}, as {form}: {checked}"


def _validation_images(winner: Winner) -> NDArray[np.uint8]:
    """Return at most CHECKED validation images, always the same ones, uint8 [N, S, S, 3]."""
    images = winner.images("val")
    drawn = np.random.default_rng(0).permutation(len(images))[:CHECKED]
    return next(iter(images.batches(len(drawn), np.sort(drawn))))


def _reason(error: Exception) -> str:
    # TensorFlow Lite's converter writes a page of MLIR in which the operations that it lacks have names.
    lacking = set(re.findall(r'fused\["(\w+):"', str(error))) - {"StatefulPartitionedCall"}
    if lacking:
        return f"it has no {', '.join(sorted(lacking))}; choose another format"
    return " ".join(str(error).split())[:200] or type(error).__name__


@contextlib.contextmanager
def _one_line(failed: str, outcome: str = "") -> Iterator[None]:
    """Silence the libraries of a format; raise InspectionError (one line) in place of whatever error is theirs."""
    noise = io.StringIO()  # converters print pages
    try:
        with suppress_stderr(), contextlib.redirect_stdout(noise), contextlib.redirect_stderr(noise):
            yield
    except InspectionError:
        raise
    except Exception as error:
        raise InspectionError(f"{failed}: {_reason(error)}{outcome}") from None
