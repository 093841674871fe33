"""A store built under the eyes of a user: progress bars while it is made, then what a reader must know of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from datasets.dataset import SPLITS, Dataset, Progress, silent
from datasets.store.image_store import ImageStore, prepare
from datasets.store.notices import notices_of

SHOWN = 5  # images left out that are named
PLAIN_SECONDS = 30.0  # between two lines of progress where there is no terminal


@contextmanager
def bars(quiet: bool) -> Iterator[Progress]:
    """Show progress bars with the time left, or a line every half minute without a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    console = Console()
    if quiet or not console.is_terminal:
        yield silent if quiet else plain_lines()
        return
    # What is done may name a folder, and folders may be called [bold].
    description = TextColumn("{task.description}", markup=False)
    columns = (description, BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bars(*columns, console=console, transient=True) as shown:
        bar_of: dict[str, Any] = {}

        def progress(what: str, done: int, total: int) -> None:
            if what not in bar_of:
                bar_of[what] = shown.add_task(what, total=total)
            shown.update(bar_of[what], completed=done, total=total)

        yield progress


def plain_lines(seconds: float = PLAIN_SECONDS) -> Progress:
    """Write progress to standard error at most once in so many seconds."""
    told = time.monotonic()

    def progress(what: str, done: int, total: int) -> None:
        nonlocal told
        if time.monotonic() - told >= seconds:
            told = time.monotonic()
            click.echo(f"{what}: {done:,} of {total:,}" if total else what, err=True)

    return progress


def open_with_bars(dataset: Dataset, data_dir: Path, origin: str | None, quiet: bool) -> ImageStore:
    """Prepare a store under progress bars and open it.

    Args:
        dataset: The images.
        data_dir: Folder of stores.
        origin: Place of the archive or folder; None downloads it.
        quiet: Whether to show nothing.
    """
    with bars(quiet) as progress:
        return ImageStore.open(prepare(dataset, data_dir, origin, progress))


def counted(store: ImageStore) -> str:
    """112 train, 24 val, 24 test."""
    return ", ".join(f"{len(store.indices(split)):,} {split}" for split in SPLITS)


def tell(notice: str) -> None:
    """Print a notice beside a command's output."""
    click.echo(f"note: {notice}", err=True)


def tell_notices(store: ImageStore, dataset: Dataset) -> None:
    """Print what differs from what the data set promises, and which images are left out.

    Args:
        store: The opened store.
        dataset: What it holds; a data set of the user's own has notices of what lies beside its images.
    """
    for notice in (*notices_of(dataset), *store.notices):
        click.echo(f"note: {notice}")
    for name, reason in list(store.broken.items())[:SHOWN]:
        click.echo(f"skipped: {name}: {reason}")
    if len(store.broken) > SHOWN:
        click.echo(f"skipped: {len(store.broken) - SHOWN} more")
