"""The command line. Nothing heavy is imported before a command needs it; --help answers in under 0.3 s."""

from __future__ import annotations

import copy

import click

from commands.backbones import backbones
from commands.base.error_handling import OneLineErrorGroup
from commands.base.output import prepare_streams
from commands.datasets import datasets
from commands.ensemble import ensemble
from commands.evaluate import evaluate
from commands.explain import explain
from commands.export import export
from commands.layers import layers
from commands.misclassified import misclassified
from commands.predict import predict
from commands.report import report
from commands.runs import runs
from commands.summarize import summarize
from commands.tasks import tasks
from commands.tune import tune


@click.group(cls=OneLineErrorGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def cli() -> None:
    """Hyperparameter search on Ray Tune for image classification with Keras.

    \b
    python cli.py tasks                     what can be asked
    python cli.py tune food10 --sample      a whole study in minutes, without a network
    python cli.py tune food10 --gpus 2      the real one
    python cli.py summarize food10          its table, published numbers beside
    python cli.py runs food10               its trials
    python cli.py report food10             what each axis did, whether to believe the table, what to run next
    """


for command in (  # in the order a study goes
    tasks,
    backbones,
    layers,
    datasets,
    tune,
    summarize,
    evaluate,
    runs,
    report,
    predict,
    explain,
    misclassified,
    ensemble,
    export,
):
    cli.add_command(command)
former = copy.copy(misclassified)  # its earlier name, for scripts that have it
former.hidden = True
cli.add_command(former, "gallery")

if __name__ == "__main__":
    prepare_streams()
    cli()
