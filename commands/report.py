"""The command `report`: a study's pictures, its audit, and one page with everything."""

from __future__ import annotations

from pathlib import Path

import click

from commands.base.options import results_option


@click.command()
@click.argument("study", metavar="TASK|STUDY")
@click.option("--open", "show", is_flag=True, help="Show the page in a browser.")
@results_option
def report(study: str, show: bool, results: Path) -> None:
    """Write one page: verdict, tables, effect of every axis, audit, next command.

    A TASK stands for its newest study. Writes plots/ and report.html into the study's folder; the page needs no
    network and no other file.

    \b
    python cli.py report food10
    python cli.py report food10/first --open
    """
    from reporting.audit.audit import audit_lines
    from reporting.report.write_report import write_report
    from tuning.records.find_study import find_study

    written = write_report(find_study(results, study))
    click.echo("\n".join([*written.status, *audit_lines(written.audit)]))
    megabytes = written.path.stat().st_size / 1e6
    click.echo(f"\n{written.path} ({megabytes:.1f} MB), {len(written.pictures)} pictures in plots/")
    if show:
        click.launch(str(written.path.resolve()))
