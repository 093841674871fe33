"""Trials handed to MLflow: against a real server where the extra is installed, and the line where it is not."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import cli
from reporting.errors import ReportingError
from reporting.trials import mlflow_export
from reporting.trials.mlflow_export import export
from tests.fixtures.study import example_events, write_study
from tuning.records.study_record import StudyRecord, read_study

INSTALLED = importlib.util.find_spec("mlflow") is not None


@pytest.fixture
def record(tmp_path: Path) -> StudyRecord:
    study = write_study(tmp_path / "results" / "food10" / "example", example_events())
    winner = study / "winners" / "fine_tuned"
    winner.mkdir(parents=True)
    (winner / "configuration.json").write_text(json.dumps({"trial": "fine_tuned-0102"}))
    (winner / "model.keras").write_bytes(b"a model")
    return read_study(study)


def test_without_the_extra_it_is_one_line(tmp_path: Path, record: StudyRecord, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mlflow_export.importlib.util, "find_spec", lambda name: None)
    arguments = ["runs", "food10", "--results", str(tmp_path / "results"), "--mlflow", "http://127.0.0.1:1"]

    result = CliRunner().invoke(cli.cli, arguments)

    assert result.exit_code == 2
    assert result.stderr == (
        "Error: --mlflow needs the package mlflow, which is not installed; run `make setup EXTRAS=mlflow`\n"
    )


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real tracking server with a database and a folder of artefacts of its own."""
    folder = tmp_path_factory.mktemp("mlflow")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", f"sqlite:///{folder}/m.db", "--artifacts-destination", str(folder / "artefacts")]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=folder, stdout=log, stderr=log, env={**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true"}
        )
    try:
        deadline = time.monotonic() + 240
        while socket.socket().connect_ex(("127.0.0.1", port)) != 0:
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline, (folder / "log").read_text()
            time.sleep(0.5)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


@pytest.mark.slow
@pytest.mark.skipif(not INSTALLED, reason="needs make setup EXTRAS=mlflow")
def test_a_study_on_a_real_server(server: str, record: StudyRecord, tmp_path: Path) -> None:
    told = export(record, list(record.trials), server)
    assert re.findall(r"\b\d+ \w+", told)[:2] == ["16 runs", "0 were"]
    assert server in told

    import mlflow  # type: ignore[import-not-found]

    client: Any = mlflow.MlflowClient(tracking_uri=server)
    experiment = client.get_experiment_by_name("food10/example")
    runs = {run.info.run_name: run for run in client.search_runs([experiment.experiment_id])}
    assert set(runs) == set(record.trials)
    run = runs["fine_tuned-0102"]
    assert run.data.params["optimizer"] == "sgd"
    assert run.data.params["seed"] == "203"
    assert run.data.metrics["test_accuracy"] == pytest.approx(0.90)
    assert run.data.tags["podium.arm"] == "fine_tuned"
    assert run.data.tags["podium.winner"] == "true"
    history = client.get_metric_history(run.info.run_id, "val_accuracy")
    assert [(point.step, point.value) for point in sorted(history, key=lambda point: point.step)] == [
        (epoch.epoch, epoch.metrics["val_accuracy"]) for epoch in record.trials["fine_tuned-0102"].epochs
    ]
    assert {item.path for item in client.list_artifacts(run.info.run_id, "model")} == {
        "model/configuration.json",
        "model/model.keras",
    }
    fetched = client.download_artifacts(run.info.run_id, "model/model.keras", str(tmp_path))
    assert Path(fetched).read_bytes() == b"a model"
    failed = runs["fine_tuned-0004"]
    assert (failed.info.status, failed.data.tags["podium.reason"]) == ("FAILED", "the worker ran out of memory")

    # Again: nothing doubles; half a run is replaced; a trial that still runs waits.
    client.set_tag(run.info.run_id, "podium.whole", "2 epochs")
    record.trials["fine_tuned-0000"].ended_time = None
    told = export(record, list(record.trials), server)
    assert re.findall(r"\b\d+ \w+", told)[:3] == ["1 runs", "14 were", "1 still"]
    assert len(client.search_runs([experiment.experiment_id])) == 16


@pytest.mark.slow
@pytest.mark.skipif(not INSTALLED, reason="needs make setup EXTRAS=mlflow")
def test_where_no_server_is_it_is_one_line(record: StudyRecord) -> None:
    with pytest.raises(ReportingError, match="`mlflow server`"):
        export(record, list(record.trials), "http://127.0.0.1:9")
    with pytest.raises(ReportingError, match="unsupported URI"):
        export(record, list(record.trials), "foo://bar")
