"""Whole studies through the command line, with real Ray workers. The arm `pixels` keeps TensorFlow out."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from datasets.input_config import InputConfig
from datasets.pipeline.batches import SplitBatches
from datasets.store.image_store import ImageStore
from datasets.synthetic.generated_images import draw, encode
from tasks.task import load_task
from tests.fixtures.archives import food101_archive
from tests.fixtures.study import recorded
from tuning.records.study_record import StudyRecord, read_study

pytestmark = pytest.mark.slow
CHECKOUT = Path(__file__).resolve().parents[3]
FOOD10 = list(load_task("food10").dataset.classes)


def command(*arguments: object) -> list[str]:
    return [sys.executable, "cli.py", *map(str, arguments)]


def run(*arguments: object, timeout: float = 300) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(*arguments), cwd=CHECKOUT, capture_output=True, text=True, timeout=timeout)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[object], Path]:
    """Options that keep a study to a temporary folder, and its results."""
    base = tmp_path_factory.mktemp("studies")
    return ["--results", base / "results", "--data-dir", base / "data"], base / "results"


@pytest.fixture(scope="module")
def study(folders: tuple[list[object], Path]) -> tuple[StudyRecord, Path, str]:
    options, results = folders
    done = run("tune", "food10", "--sample", "--arms", "pixels", "--trials", 6, "--name", "first", *options)
    assert done.returncode == 0, done.stderr
    folder = results / "food10" / "first"
    return read_study(folder), folder, done.stdout


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """A Ray of its own with two GPUs that exist by name only; ended by its process, since `ray stop` ends every Ray."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ("--num-gpus=2", "--num-cpus=2", f"--port={port}", "--include-dashboard=false", "--block")
    process = subprocess.Popen(
        [str(Path(sys.executable).parent / "ray"), "start", "--head", *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 90
    names: list[str] = []
    while "raylet" not in names and time.monotonic() < deadline:
        time.sleep(0.5)
        names = [child.name() for child in psutil.Process(process.pid).children(recursive=True)]
    time.sleep(8)  # from the node's start until it has joined: 2 s on a quiet machine
    yield f"127.0.0.1:{port}"
    process.terminate()
    process.wait(timeout=60)


def test_a_study_ends_in_its_table(study: tuple[StudyRecord, Path, str]) -> None:
    record, folder, printed = study
    assert record.status == "completed"
    assert len(record.of_arm("pixels", "search")) == 6
    accuracy = record.trials["pixels-confirm-0"].test["test_accuracy"]
    assert f"{accuracy:.4f}" in printed
    assert "0.8750" in printed  # the published number beside it
    assert "Traceback" not in printed
    predictions = np.load(folder / "winners" / "pixels" / "test_predictions.npz")
    hits = predictions["probabilities"].argmax(axis=1) == predictions["labels"]
    assert accuracy == pytest.approx(hits.mean())


def test_what_lies_on_disk(study: tuple[StudyRecord, Path, str]) -> None:
    _, folder, _ = study
    for name in ("events.jsonl", "study.json", "trials.csv", "history.csv", "optuna.db", "tables/best_variants.md"):
        assert (folder / name).is_file(), name
    configuration = json.loads((folder / "winners" / "pixels" / "configuration.json").read_text())
    assert configuration["classes"] == FOOD10
    assert not list(folder.rglob("*.partial*"))
    assert not list(folder.rglob("*.pkl"))


def test_the_same_command_gives_the_same_numbers_one_trial_at_a_time(
    cluster: str, folders: tuple[list[object], Path]
) -> None:
    options, results = folders
    tables = []
    for name in ("a", "b"):
        done = run(
            *("tune", "digits", "--sample", "--arms", "pixels", "--trials", 4, "--concurrent", 1, "--seed", 7),
            *("--confirm-seeds", 2, "--address", cluster, "--name", name, *options),
        )
        assert done.returncode == 0, done.stderr
        record = read_study(results / "digits" / name)
        tables.append([(t.config, t.best, t.best_epoch, t.test) for t in record.trials.values()])
    assert tables[0] == tables[1]


def test_tensorboard_shows_curves_and_the_best_value_of_every_trial(study: tuple[StudyRecord, Path, str]) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.plugins.hparams import metadata, plugin_data_pb2

    record, folder, _ = study
    for trial in record.trials.values():
        events = EventAccumulator(str(folder / "tensorboard" / trial.trial))
        events.Reload()
        curve = [(point.step, point.value) for point in events.Scalars("accuracy/val")]
        assert curve == [(e.epoch, pytest.approx(e.metrics["val_accuracy"])) for e in trial.epochs]
        assert events.Scalars("accuracy/train")
        [best] = events.Scalars("best_val_accuracy")
        assert best.value == pytest.approx(trial.best)
        start = events.SummaryMetadata(metadata.SESSION_START_INFO_TAG).plugin_data.content
        chosen = plugin_data_pb2.HParamsPluginData.FromString(start).session_start_info.hparams
        assert chosen["C"].number_value == pytest.approx(trial.config["C"])
        assert chosen["arm"].string_value == "pixels"


def test_a_format_true_archive_goes_all_the_way_to_a_table(cluster: str, tmp_path: Path) -> None:
    archive = food101_archive(tmp_path, classes=FOOD10, per_class=20)
    options: list[object] = ["--results", tmp_path / "results", "--data-dir", tmp_path / "data"]
    prepared = run("datasets", "prepare", "food10", "--from", archive, "--data-dir", tmp_path / "data")
    assert prepared.returncode == 0, prepared.stderr
    described = run(
        *("datasets", "describe", "food10", "--picture", tmp_path / "look.png", "--data-dir", tmp_path / "data")
    )
    assert described.returncode == 0, described.stderr
    assert (tmp_path / "look.png").stat().st_size > 10_000
    done = run(
        *("tune", "food10", "--arms", "pixels", "--trials", 3, "--image-size", 64, "--address", cluster, *options)
    )
    assert done.returncode == 0, done.stderr
    summary = run("summarize", "food10", "--format", "json", "--results", tmp_path / "results")
    [row] = json.loads(summary.stdout)["rows"]
    assert row["arm"] == "pixels"
    assert len(row["seeds"]) == 3
    assert 0 <= row["test_accuracy"] <= 1


def test_both_arms_of_the_sample_and_a_winner_in_three_lines(tmp_path: Path) -> None:
    """The smallest whole study with networks: Keras in Ray's workers, both arms, one seed, two fixed views of each
    image, from which the kept features follow; then the README's lines."""
    done = run(
        *("tune", "food10", "--sample", "--trials", 1, "--epochs", 1, "--name", "tiny", "--quiet"),
        *("--augmentation", "views=2"),
        *("--results", tmp_path / "results", "--data-dir", tmp_path / "data"),
    )
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "results" / "food10" / "tiny"
    record = read_study(folder)
    [store] = [ImageStore.open(path) for path in (tmp_path / "data").glob("*.h5")]
    for arm, size in (("from_scratch", 56), ("fine_tuned", 80)):
        winner = folder / "winners" / arm
        images = np.concatenate(
            list(
                SplitBatches(store, "test", InputConfig(image_size=size), opened_by="this test").batches(batch_size=160)
            )
        )
        np.save(tmp_path / "images.npy", images)
        lines = "\n".join(
            [
                "import keras, numpy, sys",
                "model = keras.models.load_model(sys.argv[1] + '/model.keras')",
                "numpy.save(sys.argv[2], model.predict(numpy.load(sys.argv[3]), verbose=0))",
            ]
        )
        # From another folder, so that nothing of this checkout can help.
        subprocess.run(
            [sys.executable, "-c", lines, winner, tmp_path / "out.npy", tmp_path / "images.npy"],
            cwd=tmp_path,
            check=True,
            capture_output=True,
            timeout=120,
        )
        stored = np.load(winner / "test_predictions.npz")["probabilities"]
        np.testing.assert_allclose(np.load(tmp_path / "out.npy"), stored, atol=1e-4)
        assert record.trials[f"{arm}-confirm-0"].facts["parameters"] > 100_000
    assert len(record.ledger) == 2


def test_workers_that_have_grown_make_room_and_no_trial_is_lost(folders: tuple[list[object], Path]) -> None:
    """Every worker holds more than one byte: each serves one trial, then leaves, and its next trial is asked again."""
    options, results = folders
    arguments = ["tune", "food10", "--sample", "--arms", "pixels", "--trials", 3, "--confirm-seeds", 0]
    arguments += ["--concurrent", 1, "--name", "grown", *options]
    code = (
        "import sys, cli; import tuning.execution.trial_specs as specs; "
        "specs.worker_memory_bytes = lambda slots: 1; cli.cli(sys.argv[1:])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], cwd=CHECKOUT, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    events = list(recorded(results / "food10" / "grown" / "events.jsonl"))
    restarted = [event["trial"] for event in events if event["event"] == "trial_restarted"]
    assert restarted == ["pixels-0001", "pixels-0002"]
    record = read_study(results / "food10" / "grown")
    assert {trial.status for trial in record.of_arm("pixels", "search")} <= {"completed", "stopped"}
    assert record.trials["pixels-0002"].epochs


def test_ctrl_c_is_recorded_and_ends_the_workers(tmp_path: Path) -> None:
    process = start_long_study(tmp_path)
    wait_for_epochs(tmp_path, 3)
    workers = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted" in errors
    assert "Traceback" not in errors
    record = read_study(tmp_path / "results" / "food10" / "long")
    assert record.status == "interrupted"
    assert_gone(workers)
    assert run("summarize", "food10", "--results", tmp_path / "results").returncode == 0


def test_a_driver_killed_outright_leaves_whole_events_and_no_workers(tmp_path: Path) -> None:
    process = start_long_study(tmp_path)
    wait_for_epochs(tmp_path, 3)
    workers = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.wait()
    record = read_study(tmp_path / "results" / "food10" / "long")
    assert record.status == "running"
    assert sum(len(trial.epochs) for trial in record.trials.values()) >= 3
    assert_gone(workers)
    assert run("summarize", "food10", "--results", tmp_path / "results").returncode == 0


def start_long_study(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command(
            *("tune", "food10", "--sample", "--arms", "pixels", "--trials", 500, "--epochs", 500, "--name", "long"),
            *("--results", folder / "results", "--data-dir", folder / "data"),
        ),
        cwd=CHECKOUT,
        stdout=subprocess.DEVNULL,  # a pipe nobody reads would fill up and stop the study
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for_epochs(folder: Path, count: int, timeout: float = 120) -> None:
    path = folder / "results" / "food10" / "long" / "events.jsonl"
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if path.exists() and sum(event["event"] == "epoch" for event in recorded(path)) >= count:
            return
        time.sleep(0.2)
    raise AssertionError(f"no {count} epochs within {timeout} s")


def assert_gone(processes: list[psutil.Process], timeout: float = 30) -> None:
    """All but Ray's two agents, which notice a dead parent within two minutes and hold neither GPU nor data."""
    _, alive = psutil.wait_procs(processes, timeout=timeout)
    left = []
    for process in alive:
        with contextlib.suppress(psutil.NoSuchProcess):  # a zombie, or gone just now
            left.append(" ".join(process.cmdline()))
    assert [name for name in left if not name.startswith(("ray::DashboardAgent", "ray::RuntimeEnvAgent"))] == []


ENDS = """
import os, sys
from ray import tune
from ray.tune import Callback
from tuning.execution import ray_cluster
from tuning.execution.ray_callbacks import cause_of_error

class Fails(tune.Trainable):
    def setup(self, config):
        self.how = config["how"]
    def step(self):
        if self.how == "raises":
            raise OSError(28, "No space left on device")
        os._exit(1)

class Tells(Callback):
    def on_trial_error(self, iteration, trials, trial, **info):
        print(trial.config["how"], *cause_of_error(trial), sep="|", flush=True)

ray_cluster.start_ray(None)
run_config = tune.RunConfig(name="ends", storage_path=sys.argv[1], callbacks=[Tells()], verbose=0)
tune.Tuner(Fails, param_space={"how": tune.grid_search(["raises", "dies"])}, run_config=run_config).fit()
ray_cluster.stop_ray()
"""


def test_a_worker_that_died_and_an_error_in_it_are_told_apart(tmp_path: Path) -> None:
    """Ray writes down why, in a place and a form of its own: asked of Ray itself."""
    (tmp_path / "ends.py").write_text(ENDS)
    done = subprocess.run(
        [sys.executable, tmp_path / "ends.py", tmp_path],
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
        timeout=200,
    )
    told = sorted(line for line in done.stdout.splitlines() if line.count("|") == 2)
    assert told == ["dies|True|the worker died", "raises|False|OSError: [Errno 28] No space left on device"], (
        done.stderr
    )


def test_two_gpus_at_half_each_run_four_trials_at_once_and_never_five(cluster: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("w") as output:
        process = subprocess.Popen(
            command(
                *("tune", "food10", "--sample", "--arms", "pixels", "--trials", 8, "--epochs", 60),
                *("--scheduler", "none", "--confirm-seeds", 0, "--gpus", 2, "--gpus-per-trial", 0.5),
                *("--address", cluster, "--name", "shared"),
                *("--results", tmp_path / "results", "--data-dir", tmp_path / "data"),
            ),
            cwd=CHECKOUT,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    titles: set[str] = set()
    deadline = time.monotonic() + 300
    while process.poll() is None and time.monotonic() < deadline:
        titles |= running_titles()
        time.sleep(0.1)
    process.kill()
    assert process.wait() == 0, log.read_text()[-2000:]
    folder = tmp_path / "results" / "food10" / "shared"
    record = read_study(folder)
    assert record.header.share == {"slots": 4, "cpus": 0.5, "gpus": 0.5}
    assert most_at_once(folder) == 4
    # The running trial can be read off `ps`: task, arm and number.
    assert {title.split()[1] for title in titles} & {f"food10/{trial}" for trial in record.trials}


def running_titles() -> set[str]:
    titles = set()
    for process in psutil.process_iter(["cmdline"]):
        words = " ".join(process.info["cmdline"] or [])
        if words.startswith("podium food10/"):
            titles.add(words)
    return titles


def most_at_once(folder: Path) -> int:
    changes: list[tuple[float, int]] = []
    for trial in read_study(folder).trials.values():
        assert trial.started_time is not None
        assert trial.ended_time is not None
        changes += [(trial.started_time, 1), (trial.ended_time, -1)]
    most = now = 0
    for _, change in sorted(changes):
        now += change
        most = max(most, now)
    return most


def test_more_gpus_than_there_are_is_one_line(cluster: str, tmp_path: Path) -> None:
    done = run(
        *("tune", "food10", "--sample", "--arms", "pixels", "--gpus", 3, "--address", cluster, "--gpus-per-trial", 1),
        *("--results", tmp_path / "results", "--data-dir", tmp_path / "data"),
    )
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("Error: --gpus is 3, ")  # after a line of Ray's own
    assert "Traceback" not in done.stderr
    assert not list((tmp_path / "results" / "food10").iterdir())


def test_no_cluster_at_an_address_is_one_line(tmp_path: Path) -> None:
    done = run("tune", "food10", "--sample", "--address", "127.0.0.1:1", "--results", tmp_path / "results")
    assert done.returncode == 2
    assert done.stderr.startswith("Error: --address 127.0.0.1:1: no Ray cluster answers")
    assert done.stderr.count("\n") == 1


def test_a_folder_of_ones_own_is_confirmed_on_folds(cluster: str, tmp_path: Path) -> None:
    for dish in ("churros", "pizza", "sushi"):
        (tmp_path / "own" / dish).mkdir(parents=True)
        for number in range(20):
            (tmp_path / "own" / dish / f"{number}.png").write_bytes(encode(draw(dish, number, side=48, seed=0)))
    options: list[object] = ["--results", tmp_path / "results", "--data-dir", tmp_path / "data", "--name", "folds"]
    done = run(
        *("tune", "images", "--data", tmp_path / "own", "--arms", "pixels", "--trials", 2, "--epochs", 2),
        *("--image-size", 32, "--folds", 3, "--address", cluster, *options),
    )
    assert done.returncode == 0, done.stderr
    assert "3 folds of the images outside the test split" in done.stdout
    folder = tmp_path / "results" / "images" / "folds"
    confirmed = read_study(folder).confirmed("pixels")
    assert len(confirmed) == 3
    tested = [np.load(folder / "checkpoints" / each.trial / "test_predictions.npz")["names"] for each in confirmed]
    assert len(tested[0]) == 9
    for names in tested[1:]:
        np.testing.assert_array_equal(names, tested[0])


def test_a_backbone_learns_other_images_first(cluster: str, tmp_path: Path) -> None:
    options: list[object] = ["--results", tmp_path / "results", "--data-dir", tmp_path / "data", "--name", "first"]
    done = run(
        *("tune", "food10", "--sample", "--arms", "pretrained_on_food", "--trials", 1, "--epochs", 1),
        *("--confirm-seeds", 0, "--address", cluster, *options),
    )
    assert done.returncode == 0, done.stderr
    record = read_study(tmp_path / "results" / "food10" / "first")
    first, trial = record.trials["pretrained_on_food-pretrain"], record.trials["pretrained_on_food-0000"]
    assert (first.status, trial.status) == ("completed", "completed")
    assert len(first.epochs) == 6  # whatever --epochs says of the arm's own trials
    # It has learned: four classes, the best epoch above chance.
    assert first.best > 0.4
    [backbone] = (tmp_path / "data" / "pretrained").iterdir()
    assert record.arms[0].pretraining.weights == backbone.name  # type: ignore[union-attr]
    with np.load(backbone, allow_pickle=False) as weights:
        assert sum(weights[name].size for name in weights.files) == pytest.approx(3_413_024, rel=0.001)
    assert not (tmp_path / "results" / "food10" / "first" / "checkpoints" / first.trial).exists()
