"""The command `ensemble`: the best confirmed models, averaged."""

from __future__ import annotations

from pathlib import Path

import click

from commands.base.options import results_option


@click.command()
@click.argument("study", metavar="TASK|STUDY")
@click.option("--top", type=int, required=True, metavar="K", help="How many models, the best on validation.")
@click.option("--arm", help="Models of this arm only.  [default: of all arms]")
@results_option
def ensemble(study: str, top: int, arm: str | None, results: Path) -> None:
    """Average the class probabilities of the K best confirmed models.

    Reads the test predictions stored by the study; no test image is opened.
    """
    from inspection.evaluation.ensemble import ensemble as averaged
    from inspection.evaluation.ensemble import ensemble_text
    from tuning.records.find_study import find_study

    click.echo(ensemble_text(averaged(find_study(results, study), top, arm)))
