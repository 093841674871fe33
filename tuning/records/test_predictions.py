"""Predictions on the test split that a study stored: read again, never made again."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CORRECT_IOU = 0.5  # a box this good counts as found, as in trainables/targets.py


class UnreadablePredictions(ValueError):
    """The file is damaged, or holds something else: the message says what."""


@dataclass(frozen=True, kw_only=True)
class ClassPredictions:
    """Class probabilities for each test image."""

    names: tuple[str, ...]  # [N], of the images
    probabilities: NDArray[np.float32]  # [N, outputs]
    labels: NDArray[np.int64]  # [N]

    @property
    def correct(self) -> NDArray[np.bool_]:
        """Return whether the most probable class, the lowest of equals, is the label.

        Returns:
            bool [N].
        """
        correct: NDArray[np.bool_] = self.probabilities.argmax(axis=1) == self.labels
        return correct


@dataclass(frozen=True, kw_only=True)
class BoxPredictions:
    """A box for each test image: x1, y1, x2, y2 as shares of the image's sides."""

    names: tuple[str, ...]  # [N], of the images
    predicted: NDArray[np.float32]  # [N, 4]
    true: NDArray[np.float32]  # [N, 4]
    overlaps: NDArray[np.float32]  # intersection over union [N], from 0 to 1

    @property
    def labels(self) -> NDArray[np.int64]:
        """Return zeros, since boxes have no classes.

        Returns:
            int64 [N].
        """
        import numpy as np

        return np.zeros(len(self.names), np.int64)

    @property
    def correct(self) -> NDArray[np.bool_]:
        """Return whether the overlap with the true box is at least CORRECT_IOU.

        Returns:
            bool [N].
        """
        correct: NDArray[np.bool_] = self.overlaps >= CORRECT_IOU
        return correct


def read_test_predictions(path: Path) -> ClassPredictions | BoxPredictions:
    """Read one model's predictions. The file is read again only after it has changed.

    Raises:
        FileNotFoundError: There is no such file.
        UnreadablePredictions: The file is damaged or its arrays do not fit together.
    """
    stat = path.stat()
    return _read(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=256)
def _read(path: Path, changed: int, size: int) -> ClassPredictions | BoxPredictions:
    import numpy as np

    predictions: ClassPredictions | BoxPredictions
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        names = tuple(map(str, arrays["names"]))
        if "overlaps" in arrays:
            predicted, true, overlaps = arrays["predicted_boxes"], arrays["true_boxes"], arrays["overlaps"]
            fits = overlaps.shape == (len(names),)
            predictions = BoxPredictions(names=names, predicted=predicted, true=true, overlaps=overlaps)
        else:
            probabilities, labels = arrays["probabilities"], arrays["labels"]
            fits = probabilities.ndim == 2 and len(probabilities) == len(names) and labels.shape == (len(names),)
            fits = fits and np.issubdtype(labels.dtype, np.integer)
            predictions = ClassPredictions(names=names, probabilities=probabilities, labels=labels)
        if not (fits and names):
            raise ValueError(", ".join(f"{name} {array.dtype} {array.shape}" for name, array in arrays.items()))
        return predictions
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise UnreadablePredictions(f"{path} holds no test predictions ({reason})") from None
