"""Command line of a study as typed, and the one that asks for it again with other settings."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from errors import name_arguments
from tuning.plan.settings import StudySettings

REPEATED = ("spaces", "sets")
OPTIONS = {
    "backbone": "--backbone",
    **{field.name: f"--{field.name.replace('_', '-')}" for field in fields(StudySettings)},
    "spaces": "--space",
    "sets": "--set",
    "goes_on_from": "--from",
}
_ITS_OWN = ("name", "quiet")  # of one run: another one needs a name of its own
_FOLDERS = ("results", "data_dir")  # always known to a study, typed by few


def typed_command() -> str:
    """Return this process's command line, to be pasted into a shell in the checkout."""
    return shlex.join(["python", "cli.py", *sys.argv[1:]])


def name_options(template: str) -> str:
    """Replace each argument by its option: a study's records speak of the options of `tune`."""
    return name_arguments(template, OPTIONS)


def tune_command(task: str, settings: Mapping[str, Any], typed: str = "", **changes: Any) -> str:
    """Return a `tune` command to paste into a shell.

    Args:
        task: Name of the task.
        settings: Settings as recorded; missing ones are defaults.
        typed: The recorded command line, which shows whether its folders were typed.
        changes: Settings in place of the recorded ones; those of `spaces` and `sets` are added, and replace one for the
            same axis.
    """
    defaults = {field.name: field.default for field in fields(StudySettings)}
    words = ["python", "cli.py", "tune", task]
    for name, default in defaults.items():
        value = settings.get(name, default)
        if name in REPEATED:
            for text in _merged(value, changes.get(name, ())):
                words += [OPTIONS[name], text]
            continue
        value = changes.get(name, value)
        option = OPTIONS[name]
        untyped = name in _FOLDERS and option not in typed
        if name in _ITS_OWN or untyped or value in (None, default, (), []):
            continue
        if value is True:
            words.append(option)
        else:
            words += [option, ",".join(value) if isinstance(value, (list, tuple)) else str(value)]
    return shlex.join(words)


def _merged(earlier: Sequence[str], later: Sequence[str]) -> list[str]:
    replaced = {text.partition("=")[0] for text in later}
    return [text for text in earlier if text.partition("=")[0] not in replaced] + list(later)
