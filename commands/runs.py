"""The command `runs`: a study's trials, listed, filtered, sorted, handed to MLflow."""

from __future__ import annotations

import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from commands.base.options import names_option, results_option


@click.command()
@click.argument("study", metavar="TASK|STUDY")
@click.option("--arm", "arms", multiple=True, metavar="ARM", help="Trials of this arm; repeatable.")
@click.option("--where", metavar="EXPRESSION", help="Only trials for which this SQL expression holds.")
@click.option("--sort", metavar="[-]COLUMN,...", help="Order, or SQL's ORDER BY.  [default: best first]")
@names_option("--columns", help="Columns to show.  [default: those that differ]")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Show the first N.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "json", "markdown"]),
    default="table",
    show_default=True,
    help="Output format; csv and json have all columns by default.",
)
@click.option("--mlflow", "uri", metavar="URI", help="Write the trials to this MLflow server or folder.")
@results_option
def runs(study: str, form: str, uri: str | None, results: Path, **asked: Any) -> None:
    """List the trials of STUDY with configuration, progress and scores.

    A TASK stands for its newest study. Scores are those of a trial's best epoch; seconds are all that it kept a worker
    busy.

    EXPRESSION and --sort are SQLite's, without subqueries. Words to the right of a comparison need no quotation marks;
    text is compared without regard to case; column names with other characters stand in "" or []. A trial without a
    value in a column meets neither a comparison with it nor its denial, only IS NULL; it comes last in any order.

    \b
    python cli.py runs food10
    python cli.py runs food10 --where "optimizer=adam and val_accuracy>0.8" --sort -val_accuracy
    python cli.py runs food10 --where "not status=completed" --columns trial,status,reason
    python cli.py runs food10 --where "momentum IS NULL AND dropout BETWEEN 0.1 AND 0.3" --sort "arm, seconds DESC"
    python cli.py runs food10 --format csv > trials.csv
    python cli.py runs food10 --mlflow http://127.0.0.1:5000
    """
    from reporting.trials import trial_text
    from reporting.trials.query import TrialQuery, count_line, select
    from tuning.records.find_study import find_study
    from tuning.records.study_record import read_started

    record = read_started(find_study(results, study))
    found = select(record, TrialQuery(**asked))
    if uri is not None:
        from reporting.trials.mlflow_export import export

        click.echo(export(record, [row["trial"] for row in found.rows], uri))
        return
    if form in ("csv", "json") and not asked["columns"]:
        found = replace(found, columns=found.every)
    if form == "table" and sys.stdout.isatty():
        click.echo(trial_text.terminal_text(found, shutil.get_terminal_size().columns, colour=True))
    else:
        click.echo(trial_text.FORMATS[form](found))
    for hint in found.hints:
        click.echo(hint, err=True)
    if form == "table":
        click.echo(count_line(record, found), err=True)  # a pipe gets the list alone
