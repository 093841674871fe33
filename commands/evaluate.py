"""The command `evaluate`: classification reports and confusion matrices."""

from __future__ import annotations

from pathlib import Path

import click

from commands.base.options import results_option


@click.command()
@click.argument("study", metavar="TASK|STUDY")
@click.option("--arm", "arms", multiple=True, help="This arm's winner; repeatable.  [default: every arm's]")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@results_option
def evaluate(study: str, arms: tuple[str, ...], form: str, results: Path) -> None:
    """Print precision, recall, F1 and support of every class; draw the confusion matrix.

    Reads the test predictions stored by the study; no test image is opened. The text is also written to
    tables/report_ARM.txt of the study, the matrix to plots/confusion_ARM.png.

    \b
    python cli.py evaluate flowers17
    python cli.py evaluate food10/first --arm fine_tuned --format json
    """
    from inspection.evaluation.evaluation import evaluation_contract, evaluation_text, evaluations, write_evaluations
    from reporting.formats.summary_json import json_text
    from tuning.records.find_study import find_study

    folder = find_study(results, study)
    found = evaluations(folder, arms)
    written = write_evaluations(folder, found)
    if form == "json":
        named = {"task": folder.resolve().parent.name, "study": folder.resolve().name}
        click.echo(json_text({**named, "arms": [evaluation_contract(evaluation) for evaluation in found]}), nl=False)
        return
    click.echo("\n\n\n".join(evaluation_text(evaluation) for evaluation in found))
    click.echo("\nwritten: " + "\n         ".join(str(path) for path in written))
