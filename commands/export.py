"""The command `export`: a winner in another program's format."""

from __future__ import annotations

from pathlib import Path

import click

from commands.base.options import results_option
from inspection.prediction.exports import export_formats


@click.command()
@click.argument("study", metavar="TASK|STUDY")
@click.option("--to", "form", type=click.Choice(export_formats()), required=True)
@click.option("--arm", help="This arm's winner.  [default: the best on validation]")
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="PATH", help="Target.  [default: below exports/ of the study]"
)
@results_option
def export(study: str, form: str, arm: str | None, out: Path | None, results: Path) -> None:
    """Export a winner as Keras, SavedModel, ONNX or TensorFlow Lite; check it on images.

    The exported model takes images uint8 [N, S, S, 3], RGB, 0 to 255, as the winner does. A file whose outputs differ
    from the winner's is deleted.
    """
    from inspection.loading.best_model import winner
    from inspection.prediction.export import export as write
    from tuning.records.find_study import find_study

    path, checked = write(winner(find_study(results, study), arm), form, out)
    click.echo(str(path))
    click.echo(checked, err=True)
