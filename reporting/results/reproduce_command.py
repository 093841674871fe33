"""The command that reproduces a row: the study's own, with one configuration in place of the search."""

from __future__ import annotations

import shlex
from pathlib import Path

from tuning.records.events import TrialRole
from tuning.records.study_record import StudyRecord

CHECKOUT = Path(__file__).resolve().parents[2]

# Options of `tune` for the search, for the study's name and files, and for its display. All other options influence
# numbers, so the command keeps them.
_OF_THE_SEARCH = (
    *("--trials", "--epochs", "--arms", "--configs", "--search", "--scheduler", "--space"),
    *("--confirm-seeds", "--ensemble", "--keep-epochs", "--name"),
)
_FLAGS = ("--quiet", "--dry-run")
_OF_A_BACKBONE = ("--backbone", "--weights")


def reproduce(record: StudyRecord, arm: str, config: dict[str, object]) -> str | None:
    """Return the command that reproduces a row, to be run from the checkout.

    It trains the best configuration as the search did, confirms it with the same seeds and tests it. The row has the
    same numbers where the processor or GPU model and the trial's share of it are the same (docs/tables.md).

    Args:
        record: The study.
        arm: Name of the row's arm.
        config: Configuration of the row.

    Returns:
        None where the study has no configuration file of the arm, or was not started by `tune`.
    """
    if record.paths is None or not (path := record.paths.best_model(arm).config_list).is_file():
        return None
    try:
        words = shlex.split(record.header.command)
    except ValueError:
        return None
    if words[:3] != ["python", "cli.py", "tune"]:
        return None
    if record.header.goes_on:  # --from defines the configuration itself and takes no list
        epochs = max(trial.max_epochs for trial in record.of_arm(arm, TrialRole.SEARCH))
        sets = [word for name, value in config.items() for word in ("--set", f"{name}={value}")]
        words = [*words[:3], *_without_the_search(words[3:], arm, {}), "--epochs", str(epochs), *sets]
    else:
        kept = _without_the_search(words[3:], arm, config)
        words = [*words[:3], *kept, "--arms", arm, "--configs", _short(path)]
    seeds = len(record.of_arm(arm, TrialRole.CONFIRM))
    if seeds and not record.header.folds:  # --folds is kept and sets the number of trainings too
        words += ["--confirm-seeds", str(seeds)]
    return shlex.join(words)


def _without_the_search(words: list[str], arm: str, config: dict[str, object]) -> list[str]:
    kept: list[str] = []
    rest = iter(words)
    for word in rest:
        option, equals, value = word.partition("=")
        if option in _FLAGS:
            continue
        if option in _OF_THE_SEARCH or (option in _OF_A_BACKBONE and "backbone" not in config):
            if not equals:
                next(rest, None)
            continue
        if option == "--set":
            assignment = value if equals else next(rest, "")
            if _concerns(assignment, arm, config):
                kept += ["--set", assignment]
            continue
        kept.append(word)
    return kept


def _concerns(assignment: str, arm: str, config: dict[str, object]) -> bool:
    """Return whether `name=value` or `arm.name=value` sets an axis of this arm's configuration."""
    named, _, axis = assignment.partition("=")[0].strip().rpartition(".")
    return named in ("", arm) and axis in config


def _short(path: Path) -> str:
    """Return the path relative to the checkout, where commands run."""
    resolved = path.resolve()
    return str(resolved.relative_to(CHECKOUT) if resolved.is_relative_to(CHECKOUT) else resolved)
