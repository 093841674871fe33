"""`events.jsonl`: what happened in a study, in order, one JSON object a line. The only truth; everything else derives.

Event kinds and their fields beside "event" and "time" (seconds since the epoch, UTC):

study_started   task, title, study, source, sample, target, settings, arms [{name, label, note, learner, model, view,
                trials, trains, max_epochs, grace_epochs, axes, constants, pretraining}], goes_on, confirm_seeds,
                early_stopping, reduction_factor, objective, share, data {title, fingerprint, store (the file's path),
                max_side (pixels, see Dataset), classes, counts, notices}, versions, machine, command, git_commit
                pretraining {data, view, epochs, config, seed, weights, from_an_earlier_study}: what the arm's backbone
                learns first; only of arms that have it
                goes_on {from ("cifar10/first/resnet-0003@70"), epoch, history [{epoch, metrics}]}: only with --from
trial_asked     trial ("from_scratch-0003"), arm, role ("search", "confirm", or "pretrain": what the arm's backbone
                learns first, on other images), number, config, seed, max_epochs
trial_started   trial
trial_prepared  trial, facts {frozen_layers, backbone_layers, frozen_blocks, features {kept, why, ...}, class_weights
                (a number a class, where they differ)}
trial_restarted trial, reason; its worker died before the first epoch, it is asked for once more
epoch           trial, epoch (from 1), metrics {train_loss, train_accuracy, val_..., learning_rate}, best, best_epoch,
                seconds {import, build, features, trace, reset, train, validate, save}
trial_ended     trial, status ("completed", "stopped", "infeasible", "failed"), reason
test_opened     arm, trials [...], reason; written before the test split is opened
test_measured   arm, trial, metrics {test_loss, test_accuracy, ..., final_train_accuracy, ...}, facts {parameters,
                size_bytes, note, latency_ms, threads, gpus}
ensemble_measured  arm, role ("confirm": the arm's confirmed seeds; "search": the best of its search), name (of the
                row), members [trials], metrics {test_loss, test_accuracy, ...} of their averaged answers
test_failed     arm, reason
study_ended     status ("completed", "interrupted", "fatal"), reason
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

Event = dict[str, Any]
FILE_NAME = "events.jsonl"


class EventLog:
    """Appends events, each synced to disk before anything acts on it, and tells listeners."""

    def __init__(self, path: Path) -> None:
        """A last line without its end, of a process that was killed, is cut off: see read_events."""
        self._file = path.open("a+b")
        self._file.seek(0)
        self._file.truncate(sum(len(line) for line in self._file if line.endswith(b"\n")))
        self._listeners: list[Callable[[Event], None]] = []

    def listen(self, listener: Callable[[Event], None]) -> None:
        self._listeners.append(listener)

    def append(self, kind: str, **fields: Any) -> Event:
        event: Event = {"event": kind, "time": round(time.time(), 3), **_finite(fields)}
        try:
            self._file.write(json.dumps(event, allow_nan=False, default=_plain).encode() + b"\n")
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise OSError(error.errno, error.strerror, self._file.name) from error
        for listener in self._listeners:
            listener(event)
        return event

    def close(self) -> None:
        self._file.close()


def read_events(path: Path) -> Iterator[Event]:
    """Every whole line. A last line without its end was being written when the driver died: it did not happen."""
    decode = json.JSONDecoder().decode  # json.loads would ask of each line what encoding it has
    with path.open("rb") as file:
        for line in file:
            if not line.endswith(b"\n"):
                return
            yield decode(line.decode())


def _plain(value: Any) -> Any:
    """NumPy scalars and paths as JSON has them."""
    if hasattr(value, "item"):
        return value.item()
    return str(value)


def _finite(value: Any) -> Any:
    """JSON has no NaN and no infinity: they become null."""
    if isinstance(value, dict):
        return {str(key): _finite(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(entry) for entry in value]
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
