"""The command `backbones`: which pre-trained networks there are."""

from __future__ import annotations

from pathlib import Path

import click

from commands.base.options import data_dir_option, data_folder, names_option
from errors import unknown_name


@click.command()
@names_option("--measure", metavar="A,B|all", help="Measure the latency of these on this machine first.")
@data_dir_option
def backbones(measure: tuple[str, ...], data_dir: Path | None) -> None:
    """List pre-trained networks for --backbone, with size, published accuracy and latency."""
    from inspection.prediction import latency
    from reporting.tables.backbone_table import backbones_text
    from trainables.models.backbones.registry import CATALOGUE
    from tuning.plan.settings import UsageError

    folder = data_folder(data_dir)
    names = tuple(CATALOGUE) if measure == ("all",) else measure
    for name in names:
        if name not in CATALOGUE:
            raise UsageError("--measure: " + unknown_name("backbone", name, CATALOGUE))
    for name in names:
        click.echo(f"measuring {name} ...", err=True)
        latency.remember(folder, name, *latency.measure(name))
    click.echo(backbones_text(list(CATALOGUE.values()), latency.read(folder)))
