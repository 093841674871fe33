"""Predictions that a study stored when it opened its test split: read again, never made again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inspection.winner import InspectionError
from tuning.records.study_paths import ModelPaths


@dataclass(frozen=True, kw_only=True)
class Stored:
    """Of one model, an entry a test image."""

    probabilities: NDArray[np.float32]  # [N, outputs]
    labels: NDArray[np.int64]  # [N]
    names: NDArray[np.str_]  # [N], of the images


def read(folder: Path) -> Stored:
    """The predictions in a winner's or a confirmed trial's folder. Raises InspectionError (one line)."""
    path = ModelPaths(folder).test_predictions
    try:
        with np.load(path, allow_pickle=False) as file:
            return Stored(probabilities=file["probabilities"], labels=file["labels"], names=file["names"])
    except Exception as error:  # np.load raises OSError, ValueError, KeyError, EOFError or zipfile.BadZipFile
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise InspectionError(f"{path} holds no test predictions ({reason}); run the study again") from None
