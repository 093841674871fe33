"""A store built under the eyes of a user: progress bars while it is made, then what a reader must know of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from datasets.dataset import SPLITS, Dataset, Progress
from datasets.store import ImageStore, prepare

SHOWN = 5  # images left out that are named


@contextmanager
def bars(quiet: bool) -> Iterator[Progress]:
    """A Progress that shows bars with the time left; only on a terminal and unless quiet."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    console = Console()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bars(*columns, console=console, disable=quiet or not console.is_terminal, transient=True) as shown:
        bar_of: dict[str, Any] = {}

        def progress(what: str, done: int, total: int) -> None:
            if what not in bar_of:
                bar_of[what] = shown.add_task(what, total=total)
            shown.update(bar_of[what], completed=done, total=total)

        yield progress


def prepare_with_bars(dataset: Dataset, data_dir: Path, origin: str | None, quiet: bool) -> Path:
    """As datasets.store.prepare; bars only on a terminal and unless quiet."""
    with bars(quiet) as progress:
        return prepare(dataset, data_dir, origin, progress)


def counted(store: ImageStore) -> str:
    """112 train, 24 val, 24 test."""
    return ", ".join(f"{len(store.indices(split)):,} {split}" for split in SPLITS)


def tell_notices(store: ImageStore) -> None:
    """Print what differs from what the data set promises, and which images are left out."""
    for notice in store.notices:
        click.echo(f"note: {notice}")
    for name, reason in list(store.broken.items())[:SHOWN]:
        click.echo(f"skipped: {name}: {reason}")
    if len(store.broken) > SHOWN:
        click.echo(f"skipped: {len(store.broken) - SHOWN} more")
