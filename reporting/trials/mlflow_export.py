"""Export of trials as MLflow runs: parameters, metrics per epoch, tags, and the winners' model folders as artifacts."""

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

BATCH = 900  # metrics in one call; MLflow accepts 1000 values, 100 of them parameters
_SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",  # MLflow would send usage data
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",  # the default, 7, waits for two minutes without a server
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",  # MLflow would print two lines per run
    "MLFLOW_ALLOW_FILE_STORE": "true",  # a folder as `uri` needs it
}
_ENDS = {"completed": "FINISHED", "stopped": "FINISHED", "infeasible": "FAILED", "failed": "FAILED"}
_PREFIX = "podium."


def export(record: StudyRecord, trials: Sequence[str], uri: str) -> str:
    """Write those trials that have ended to MLflow.

    The experiment is <task>/<study>, and a run is a trial. A repeated export adds what is missing: complete runs stay,
    and incomplete ones are replaced.

    Args:
        record: The study.
        trials: Names of the trials.
        uri: Address of a tracking server (http://...), a database (sqlite:///...) or a folder.

    Returns:
        The numbers of written and of existing runs, in one line.

    Raises:
        ReportingError: When mlflow is not installed, the server does not answer, or it refuses.
    """
    if importlib.util.find_spec("mlflow") is None:
        raise ReportingError(
            f"{arg.uri} needs the package mlflow, which is not installed; run `make setup EXTRAS=mlflow`"
        )
    for name, value in _SETTINGS.items():  # the import of mlflow reads them
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
        # A run with the same state has the same epochs, test metrics and model.
        if run is not None and run.data.tags.get(f"{_PREFIX}whole") == _state(trial, name in winners):
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
    if found is None:
        tags = {"task": record.task, "study": record.name, "command": record.header.command}
        return str(client.create_experiment(name, tags={f"{_PREFIX}{key}": value for key, value in tags.items()}))
    if found.lifecycle_stage != "active":
        client.restore_experiment(found.experiment_id)
    return str(found.experiment_id)


def _runs_there(client: Any, experiment: str) -> dict[str, Any]:
    """Return the runs of the experiment by their trial."""
    found: dict[str, Any] = {}
    token: str | None = None
    while True:
        page = client.search_runs([experiment], max_results=1000, page_token=token)
        found |= {run.data.tags[f"{_PREFIX}trial"]: run for run in page if f"{_PREFIX}trial" in run.data.tags}
        token = page.token
        if not token:
            return found


def _state(trial: TrialRecord, winner: bool) -> str:
    return f"{len(trial.epochs)} epochs" + (", tested" if trial.test else "") + (", winner" if winner else "")


def _winners(record: StudyRecord) -> dict[str, str]:
    """Return the folders of the study's stored winners by their trial."""
    models = [record.paths.best_model(arm.name) for arm in record.arms] if record.paths else []
    kept = [model for model in models if model.description.is_file()]
    return {json.loads(model.description.read_text())["trial"]: str(model.folder) for model in kept}


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
    # The tag comes with the last call, so that an incomplete run lacks it.
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
    """Yield name, value, milliseconds since 1970 and step for every epoch, then for the test at the best epoch."""
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
