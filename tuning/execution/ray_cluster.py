"""Starts Ray on this machine, or joins a running cluster. Ray is imported only once its environment is set."""

from __future__ import annotations

import logging
import os
import socket
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from errors import arg
from machine import usable_cores
from tuning.plan.settings import UsageError

CHECKOUT = Path(__file__).resolve().parents[2]

DRIVER_ENVIRONMENT = {
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # events.jsonl and our own TensorBoard files instead
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # Ctrl-C is ours: recorded, workers ended, status 130
    "TUNE_FORCE_TRIAL_CLEANUP_S": "5",  # then a worker is killed in the middle of its epoch; Ray would wait ten minutes
    "TUNE_DISABLE_STRICT_METRIC_CHECKING": "1",  # an infeasible trial reports no metric
    "TUNE_GLOBAL_CHECKPOINT_S": "3600",  # of scratch nobody reads
    "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
    "TUNE_PRINT_ALL_TRIAL_ERRORS": "0",  # a failed trial is one line, not a traceback
    "RAY_AIR_NEW_OUTPUT": "0",  # our own progress
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    # Ray starts two workers beforehand that Tune, which gives its own an environment, never uses; and all workers run
    # at niceness 15, behind the dashboard's nine processes. Without both, a first trial began after 26 s, not 31.
    "RAY_enable_worker_prestart": "0",
    "RAY_prestart_worker_first_driver": "0",
    "RAY_worker_niceness": "0",
    "RAY_gcs_server_port_wait_time_s": "180",  # 30 are too few on a busy machine
    "RAY_gcs_server_request_timeout_seconds": "180",
}
# Ray refuses to run where one is set.
REFUSED_ENVIRONMENT = ("TUNE_RESULT_DIR", "RAY_AIR_LOCAL_CACHE_DIR")
# Ray's sockets lie in TMPDIR/ray/session_2026-12-01_10-00-00_123456_1234567/sockets/plasma_store: 70 bytes of the 107
# that the system allows.
LONGEST_TEMPORARY_FOLDER = 37
PATIENCE_SECONDS = 300.0  # with a busy machine
BUSY_LOAD = 1.5  # processes that want to run, for each core
WORKER_ENVIRONMENT = {
    "PYTHONPATH": str(CHECKOUT),
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "NO_ALBUMENTATIONS_UPDATE": "1",  # it asks the network for a newer version at import
    "KERAS_BACKEND": "tensorflow",
}


def start_ray(address: str | None, tell: Callable[[str], None] = lambda line: None) -> str | None:
    """Start Ray for this study alone, or connect to a cluster; a second call changes nothing.

    Args:
        tell: Called with a line where the start takes long.
        address: Address of a cluster; None starts Ray here.

    Returns:
        The dashboard's address, if there is one.

    Raises:
        UsageError: Ray does not start, or no cluster answers.
    """
    for name in REFUSED_ENVIRONMENT:
        os.environ.pop(name, None)
    os.environ |= DRIVER_ENVIRONMENT
    if address is not None:
        _check_answers(address)
        _use_own_token(address)
        os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # or every failed call is a line of C++ on the terminal
    else:
        _use_short_temporary_folder()
        _check_home()
    import ray

    for name in ("ray", "ray.tune", "ray._private.worker"):
        logging.getLogger(name).setLevel(logging.ERROR)

    start = partial(
        ray.init,
        address=address or "local",  # "local": never some cluster that happens to run here
        num_cpus=None if address else usable_cores(),  # the plan's own count
        include_dashboard=None if address else True,
        log_to_driver=False,
        logging_level=logging.ERROR,
        ignore_reinit_error=True,
        runtime_env={"env_vars": WORKER_ENVIRONMENT},
    )
    try:
        context = start() if address else _patiently(start, tell)
    except (ConnectionError, ValueError, RuntimeError) as error:  # of a cluster: _patiently raises UsageError alone
        reason = f"{str(error).splitlines()[0]}; a cluster with a token needs RAY_AUTH_MODE=token"
        raise _no_cluster(str(address), reason) from None
    return str(context.dashboard_url) if context.dashboard_url else None


def _use_short_temporary_folder() -> None:
    """Let Ray use /tmp if the user's temporary folder is too long for a socket's path, or cannot be written."""
    folder = os.environ.get("RAY_TMPDIR") or os.environ.get("TMPDIR") or "/tmp"
    short = len(os.fsencode(os.path.realpath(folder))) <= LONGEST_TEMPORARY_FOLDER
    if short and os.access(folder, os.W_OK | os.X_OK):
        return
    if not os.access("/tmp", os.W_OK):
        raise UsageError(
            f"TMPDIR is {folder}, but Ray's sockets need a folder of at most {LONGEST_TEMPORARY_FOLDER} bytes that can "
            "be written; set RAY_TMPDIR to one"
        )
    os.environ |= {"RAY_TMPDIR": "/tmp", "TMPDIR": "/tmp"}  # its dashboard has sockets of its own


def _check_home() -> None:
    """Raise UsageError if Ray cannot keep its token in the user's folder."""
    try:
        (Path.home() / ".ray").mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=Path.home() / ".ray"):
            pass
    except (OSError, RuntimeError) as error:  # RuntimeError: no home at all
        reason = getattr(error, "strerror", None) or error
        home = os.environ.get("HOME", "~")
        raise UsageError(
            f"Ray keeps a token in {home}/.ray, which cannot be written ({reason}); set HOME to a folder that can"
        ) from None


def _patiently(start: Callable[[], Any], tell: Callable[[str], None]) -> Any:
    """Call `start` a second time if it fails, and again while the machine is busy.

    Ray gives its processes 30 seconds, too few on a busy machine (four of some forty starts at a load of 20 on two
    cores), and raises a plain Exception.
    """
    import ray

    began, tries = time.monotonic(), 0
    while True:
        tries += 1
        try:
            return start()
        except Exception as error:
            ray.shutdown()
            reason = next(filter(None, map(str.strip, str(error).splitlines())), type(error).__name__)
        load, waited = os.getloadavg()[0], time.monotonic() - began
        busy = load > BUSY_LOAD * usable_cores()
        machine = f"the machine is busy (load {load:.0f} on {usable_cores()} cores)"
        if tries >= 2 and not (busy and waited < PATIENCE_SECONDS):
            remedy = (
                f"{machine}: end what else runs, or wait" if busy else "see its logs in /tmp/ray/session_latest/logs"
            )
            raise UsageError(f"Ray did not start in {tries} tries and {waited:.0f} s ({reason}); {remedy}")
        if busy:
            tell(
                f"{machine}: Ray has not started after {waited:.0f} s; trying again for up to {PATIENCE_SECONDS:.0f} s"
            )


def stop_ray() -> None:
    """End the workers; a cluster that was joined goes on."""
    import ray

    ray.shutdown()


def node_cores() -> list[float]:
    """Return the cores of each machine of the running Ray that has any."""
    import ray

    cores = [float(node["Resources"].get("CPU", 0)) for node in ray.nodes() if node["Alive"]]
    return [count for count in cores if count >= 1] or [1.0]


def trial_phase(trial: str) -> str:
    """Return what a trial does before its first epoch ends, such as "build"; empty where it has told nothing."""
    from ray.experimental import internal_kv

    from trainables.ray_trainable import phase_key

    with suppress(Exception):  # Ray is not there, or about to go
        return (internal_kv._internal_kv_get(phase_key(trial)) or b"").decode()
    return ""


def check_gpus(gpus: int) -> None:
    """Check that Ray has as many GPUs as asked for.

    Raises:
        UsageError: It has fewer.
    """
    import ray

    found = int(ray.cluster_resources().get("GPU", 0))
    if found < gpus:
        remedy = f"leave {arg.gpus} out to train on processors" if found == 0 else f"write {arg.gpus} {found}"
        raise UsageError(f"Ray finds {found} here; {remedy}", argument="gpus", value=gpus)


def _check_answers(address: str) -> None:
    """Ray itself tries for half a minute, with a page of warnings."""
    host, colon, port = address.rpartition(":")
    if address == "auto" or address.startswith("ray://") or not colon:
        return
    try:
        socket.create_connection((host, int(port)), timeout=5).close()
    except (OSError, ValueError) as error:
        raise _no_cluster(address, str(error)) from None


def _no_cluster(address: str, reason: str) -> UsageError:
    return UsageError(f"{arg.address} {address}: no Ray cluster answers ({reason}); start one with `ray start --head`")


def _use_own_token(address: str) -> None:
    """`ray start` protects a cluster with the token in the user's folder; to this machine's own cluster, send it.

    Ray 2.60 sends it to an address found by "auto" alone, so that a token never goes to a stranger: to other machines
    it goes only where the user says RAY_AUTH_MODE=token. Ray reads the variable when it is imported.
    """
    own = address.rpartition(":")[0] in ("127.0.0.1", "localhost")
    token = Path(os.environ.get("RAY_AUTH_TOKEN_PATH", Path.home() / ".ray" / "auth_token"))
    if own and "RAY_AUTH_MODE" not in os.environ and ("RAY_AUTH_TOKEN" in os.environ or token.is_file()):
        os.environ["RAY_AUTH_MODE"] = "token"
