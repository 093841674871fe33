"""Trials as MLflow runs: parameters, metrics an epoch, tags, and the winners' model folders as artefacts."""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
from collections.abc import Iterator, Sequence
from typing import Any

from errors import arg
from reporting.errors import ReportingError
from tuning.records.study_record import StudyRecord, TrialRecord

BATCH = 900  # values in one call; MLflow takes 1000, of which 100 parameters
_SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",  # no usage data leave the machine
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",  # seven, its default, wait for two minutes where no server is
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",  # two lines a run
    "MLFLOW_ALLOW_FILE_STORE": "true",  # whoever names a folder wants one
}
_ENDS = {"completed": "FINISHED", "stopped": "FINISHED", "infeasible": "FAILED", "failed": "FAILED"}
_PREFIX = "podium."


def export(record: StudyRecord, trials: Sequence[str], uri: str) -> str:
    """Write those trials that have ended; returns what was done, in one line.

    uri: of a tracking server (http://...), a database (sqlite:///...) or a folder. The experiment is <task>/<study>, a
    run is a trial. Writing again adds what is missing: a run that is whole is left as it is, half a run is replaced.
    Raises ReportingError: mlflow is not installed, nothing answers there, or the server refuses.
    """
    if importlib.util.find_spec("mlflow") is None:
        raise ReportingError(
            f"{arg.uri} needs the package mlflow, which is not installed; run `make setup EXTRAS=mlflow`"
        )
    for name, value in _SETTINGS.items():  # before the import reads them
        os.environ.setdefault(name, value)
    mlflow: Any = importlib.import_module("mlflow")
    try:
        return _export(mlflow.MlflowClient(tracking_uri=uri), record, trials, uri)
    except mlflow.exceptions.MlflowException as error:
        first = str(error).strip().splitlines()[0]
        if "Max retries exceeded" in first:
            raise ReportingError(f"{arg.uri} {uri}: no server answers there; `mlflow server` starts one") from None
        raise ReportingError(f"{arg.uri} {uri}: {first}") from None


def _export(client: Any, record: StudyRecord, trials: Sequence[str], uri: str) -> str:
    experiment = _experiment(client, f"{record.task}/{record.name}", record)
    there = _runs_there(client, experiment)
    winners = _winners(record)
    written = 0
    waiting = 0
    for name in trials:
        trial = record.trials[name]
        if trial.ended_time is None:
            waiting += 1
            continue
        run = there.get(name)
        if run is not None and _is_whole(run, trial, name in winners):
            continue
        if run is not None:
            client.delete_run(run.info.run_id)
        _write(client, experiment, record, trial, winners.get(name))
        written += 1
    already = len(trials) - written - waiting
    rest = f", {waiting} still run" if waiting else ""
    return (
        f"mlflow: {written} runs written to experiment {record.task}/{record.name}, {already} were there{rest} ({uri})"
    )


def _experiment(client: Any, name: str, record: StudyRecord) -> str:
    found = client.get_experiment_by_name(name)
    if found is not None and found.lifecycle_stage == "active":
        return str(found.experiment_id)
    if found is not None:
        client.restore_experiment(found.experiment_id)
        return str(found.experiment_id)
    tags = {"task": record.task, "study": record.name, "command": record.header.command}
    return str(client.create_experiment(name, tags={f"{_PREFIX}{key}": value for key, value in tags.items()}))


def _runs_there(client: Any, experiment: str) -> dict[str, Any]:
    """Runs of the experiment by their trial."""
    found: dict[str, Any] = {}
    token: str | None = None
    while True:
        page = client.search_runs([experiment], max_results=1000, page_token=token)
        found |= {run.data.tags[f"{_PREFIX}trial"]: run for run in page if f"{_PREFIX}trial" in run.data.tags}
        token = page.token
        if not token:
            return found


def _is_whole(run: Any, trial: TrialRecord, winner: bool) -> bool:
    """Whether it holds what would be written now: it was finished, and with the test's numbers and the model."""
    tags = run.data.tags
    return str(tags.get(f"{_PREFIX}whole")) == _state(trial, winner)


def _state(trial: TrialRecord, winner: bool) -> str:
    return f"{len(trial.epochs)} epochs" + (", tested" if trial.test else "") + (", winner" if winner else "")


def _winners(record: StudyRecord) -> dict[str, str]:
    """Folders of the winners that the study kept, by their trial."""
    found: dict[str, str] = {}
    for arm in record.arms:
        model = record.paths.best_model(arm.name) if record.paths else None
        if model is not None and model.description.is_file():
            found[json.loads(model.description.read_text())["trial"]] = str(model.folder)
    return found


def _write(client: Any, experiment: str, record: StudyRecord, trial: TrialRecord, winner: str | None) -> None:
    entities: Any = importlib.import_module("mlflow.entities")
    started = trial.started_time or trial.asked_time
    run = client.create_run(
        experiment, start_time=round(1000 * started), run_name=trial.trial, tags=dict(_tags(record, trial, winner))
    )
    identity = run.info.run_id
    parameters = {**trial.config, "seed": trial.seed, "max_epochs": trial.max_epochs}
    params = [entities.Param(name, str(value)) for name, value in parameters.items()]
    metrics = [entities.Metric(*metric) for metric in _metrics(trial)]
    if winner is not None:
        client.log_artifacts(identity, winner, "model")
    for start in range(BATCH, len(metrics), BATCH):
        client.log_batch(identity, metrics=metrics[start : start + BATCH])
    # Last, in one call with what every run has: half a run does not say that it is whole.
    whole = entities.RunTag(f"{_PREFIX}whole", _state(trial, winner is not None))
    client.log_batch(identity, params=params, metrics=metrics[:BATCH], tags=[whole])
    client.set_terminated(identity, _ENDS.get(trial.status, "FAILED"), end_time=round(1000 * (trial.ended_time or 0)))


def _tags(record: StudyRecord, trial: TrialRecord, winner: str | None) -> Iterator[tuple[str, str]]:
    for name in ("trial", "arm", "role", "status", "reason"):
        if getattr(trial, name):
            yield f"{_PREFIX}{name}", str(getattr(trial, name))
    yield f"{_PREFIX}study", f"{record.task}/{record.name}"
    yield f"{_PREFIX}sample", str(record.header.sample).lower()
    yield f"{_PREFIX}winner", str(winner is not None).lower()
    if record.header.git_commit:
        yield "mlflow.source.git.commit", record.header.git_commit
    yield "mlflow.source.name", record.header.command or "python cli.py tune"


def _metrics(trial: TrialRecord) -> Iterator[tuple[str, float, int, int]]:
    """Name, value, milliseconds since the epoch, step: of every epoch, then of the test split at the best one."""
    for epoch in trial.epochs:
        for name, value in epoch.metrics.items():
            if value is not None:
                yield name, float(value), round(1000 * epoch.time), epoch.epoch
    if trial.best is not None and trial.best_epoch is not None:
        ended = round(1000 * (trial.ended_time or 0))
        yield "best", trial.best, ended, trial.best_epoch
        for name, value in {**trial.test, **trial.facts}.items():
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                yield name, float(value), ended, trial.best_epoch
