"""Settings of one study, as the user asked for them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from errors import PodiumError, arg, unknown_name
from tuning.stopping import stopping_rules

SearchName = Literal["optuna", "random", "qmc", "grid"]
Precision = Literal["float32", "mixed_bfloat16"]

# Least and most that may be asked for.
EPOCHS = (1, 100_000)
SEEDS = (0, 2**31 - 1)


class UsageError(PodiumError):
    """A request that cannot be carried out, explained in one line."""


@dataclass(frozen=True, kw_only=True)
class StudySettings:
    """The options of one `tune` command. None: the default of the task or of the machine."""

    results: Path
    data_dir: Path
    name: str | None = None
    sample: bool = False
    data: str | None = None  # archive, folder, table or URL of the images
    allow_pickle: bool = False  # whether `data` may be a pickle, which may run code while it is read
    group_by: str | None = None  # of custom images: `prefix`, or the column whose equal values share a split
    arms: tuple[str, ...] = ()
    trials: int | None = None  # per arm
    epochs: int | None = None  # of every arm
    confirm_seeds: int | None = None
    folds: int | None = None  # number of training-validation divisions to confirm on
    ensemble: int | None = None  # number of each arm's best search trials to average into a row
    goes_on_from: str | None = None  # STUDY/TRIAL@EPOCH
    keep_epochs: int | None = None  # epochs between kept checkpoints, for `--from`
    configs: str | None = None  # a JSON file, or "published"
    search: SearchName = "optuna"
    scheduler: str = "asha"  # a module of tuning/stopping
    seed: int = 0
    spaces: tuple[str, ...] = ()  # "learning_rate=1e-5..1e-2"
    sets: tuple[str, ...] = ()  # "batch_size=64"
    metric: str | None = None
    augmentation: str | None = None  # none, live, or views=K
    image_size: int | None = None
    weights: Path | None = None
    precision: Precision = "float32"
    gpus: int = 0
    gpus_per_trial: float | None = None
    concurrent: int | None = None
    feature_cache: float = 20.0  # gigabytes of frozen prefixes' output kept in the data folder; 0 keeps none
    address: str | None = None
    quiet: bool = False


# Two fields of StudySettings that cannot both be given, and why.
CONFLICTS = (
    ("folds", "confirm_seeds", "both say how often the best is trained again"),
    ("trials", "configs", "cannot go together: one searches so many configurations, the other lists them"),
    ("configs", "goes_on_from", "both say what a trial begins with"),
    ("folds", "goes_on_from", "both say what a trial begins with"),
)


def check(settings: StudySettings) -> None:
    """Check the settings on their own.

    Raises:
        UsageError: A number is out of range, two settings contradict each other, or a file is missing.
    """
    for argument, value, least, most in (
        ("trials", settings.trials, 1, 100_000),
        ("epochs", settings.epochs, *EPOCHS),
        ("confirm_seeds", settings.confirm_seeds, 0, 1000),
        ("folds", settings.folds, 2, 100),
        ("keep_epochs", settings.keep_epochs, *EPOCHS),
        ("ensemble", settings.ensemble, 2, 100),
        ("image_size", settings.image_size, 8, 2048),
        ("seed", settings.seed, *SEEDS),
        ("feature_cache", settings.feature_cache, 0, 100_000),
    ):
        if value is not None and not least <= value <= most:
            raise UsageError(f"must be from {least} to {most}", argument=argument, value=value)
    for first, second, reason in CONFLICTS:
        if getattr(settings, first) is not None and getattr(settings, second) is not None:
            raise UsageError(f"{arg[first]} and {arg[second]} {reason}; give one of them")
    if settings.scheduler not in stopping_rules():
        raise UsageError(unknown_name("stopping rule", settings.scheduler, stopping_rules()), argument="scheduler")
    if settings.weights is not None and not settings.weights.is_file():
        raise UsageError("there is no such file", argument="weights", value=settings.weights)
