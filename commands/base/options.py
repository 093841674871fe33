"""Options that several commands have."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from platformdirs import user_cache_path

from errors import arg

if TYPE_CHECKING:
    from tasks.task import Task

CHECKOUT = Path(__file__).resolve().parents[2]


results_option = click.option(
    "--results",
    type=click.Path(path_type=Path, file_okay=False),
    default=CHECKOUT / "results",
    envvar="PODIUM_RESULTS",
    show_envvar=True,
    help="Folder of studies.  [default: results/ of the checkout]",
)
data_dir_option = click.option(
    "--data-dir",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="PODIUM_DATA_DIR",
    show_envvar=True,
    help="Folder of image stores and downloads.  [default: the user's cache folder]",
)


def _split_names(context: click.Context, parameter: click.Parameter, value: str | None) -> tuple[str, ...]:
    """Split an option's A,B at its commas; nothing for an option that is not given."""
    return tuple(name.strip() for name in (value or "").split(",") if name.strip())


names_option = partial(click.option, metavar="A,B", callback=_split_names)


def data_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Declare how images are read, for every command that may build a store."""
    group_by = click.option(
        "--group-by",
        metavar="prefix|folder|COLUMN",
        help="Own images: keep in one split those that share the file name's beginning (up to the last _ or -), the "
        "folder below the class, or a value of a column.",
    )
    allow_pickle = click.option("--allow-pickle", is_flag=True, help="Read a pickle, which may run any code.")
    return group_by(allow_pickle(command))


def asked_task(task: str, sample: bool, data: str | None, **read: Any) -> Task:
    """Return a task, or its sample, for the given images.

    Args:
        task: Name of the task.
        sample: Whether its sample is meant.
        data: Place of the images; None takes the task's own.
        read: The options of `data_options`.
    """
    found = named_task(task)
    return (found.sampled() if sample else found).about(data, **read)


def named_task(name: str) -> Task:
    """Return the task of that name, for a command that reads the images of one.

    Raises:
        UnknownTask: There is none; a path is not a task, but may be that of the user's own images.
    """
    from datasets.readers.location import local
    from tasks.task import UnknownTask, load_task, task_names

    is_study = name.partition("/")[0] in task_names()  # such as food10/first
    if not is_study and ("/" in name or os.path.lexists(local(name))):
        command = click.get_current_context().command_path
        raise UnknownTask(
            f"{name} is a path, but a task's name belongs here; for your own images type: python {command} images "
            f"{arg.data} {shlex.quote(name)}"
        )
    return load_task(name)


def data_folder(path: Path | None) -> Path:
    """Return the folder of stores: as asked, or the user's cache folder."""
    if path is not None:
        return Path(os.path.expanduser(path)).resolve()  # Path's own raises for a user who does not exist
    return user_cache_path("podium", appauthor=False)
