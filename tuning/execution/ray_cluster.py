"""Starts Ray on this machine, or joins a running cluster. Ray is imported only once its environment is set."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from errors import arg
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
}
WORKER_ENVIRONMENT = {
    "PYTHONPATH": str(CHECKOUT),
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "NO_ALBUMENTATIONS_UPDATE": "1",  # it asks the network for a newer version at import
    "KERAS_BACKEND": "tensorflow",
}


def start_ray(address: str | None) -> str | None:
    """Start Ray for this study alone, or connect to a cluster; a second call changes nothing.

    Args:
        address: Address of a cluster; None starts Ray here.

    Returns:
        The dashboard's address, if there is one.

    Raises:
        UsageError: Ray does not start, or no cluster answers.
    """
    os.environ |= DRIVER_ENVIRONMENT
    if address is not None:
        _check_answers(address)
        _use_own_token(address)
        os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # or every failed call is a line of C++ on the terminal
    import ray

    for name in ("ray", "ray.tune", "ray._private.worker"):
        logging.getLogger(name).setLevel(logging.ERROR)

    start = partial(
        ray.init,
        address=address or "local",  # "local": never some cluster that happens to run here
        include_dashboard=None if address else True,
        log_to_driver=False,
        logging_level=logging.ERROR,
        ignore_reinit_error=True,
        runtime_env={"env_vars": WORKER_ENVIRONMENT},
    )
    try:
        context = start() if address else _patiently(start)
    except (ConnectionError, ValueError, RuntimeError) as error:  # of a cluster: _patiently raises UsageError alone
        reason = f"{str(error).splitlines()[0]}; a cluster with a token needs RAY_AUTH_MODE=token"
        raise _no_cluster(str(address), reason) from None
    return str(context.dashboard_url) if context.dashboard_url else None


def _patiently(start: Callable[[], Any]) -> Any:
    """Call `start` a second time if it fails.

    Ray gives its processes 30 seconds, too few on a busy machine (four of some forty starts at a load of 20 on two
    cores), and raises a plain Exception.
    """
    import ray

    for _ in range(2):
        try:
            return start()
        except Exception as error:
            ray.shutdown()
            reason = next(filter(None, map(str.strip, str(error).splitlines())), type(error).__name__)
    raise UsageError(f"Ray did not start, twice ({reason}); see what else is running here and try again")


def stop_ray() -> None:
    """End the workers; a cluster that was joined goes on."""
    import ray

    ray.shutdown()


def cluster_cores() -> int:
    """Cores of every machine of the running Ray."""
    import ray

    return int(ray.cluster_resources().get("CPU", 1))


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
