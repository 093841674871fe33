"""Options that several commands have."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from platformdirs import user_cache_path

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
    from tasks.task import load_task

    found = load_task(task)
    return (found.sampled() if sample else found).about(data, **read)


def data_folder(path: Path | None) -> Path:
    """Return the folder of stores: as asked, or the user's cache folder."""
    if path is not None:
        return Path(os.path.expanduser(path)).resolve()  # Path's own raises for a user who does not exist
    return user_cache_path("podium", appauthor=False)
