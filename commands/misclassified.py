"""The command `misclassified`: the mistakes a winner was surest of."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click

from commands.base.options import results_option


@click.command()
@click.argument("study", metavar="TASK|STUDY")
@click.option("--arm", help="This arm's winner.  [default: the best on validation]")
@click.option("--most", type=click.IntRange(1), default=24, show_default=True, metavar="N", help="Images to show.")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="PNG file.  [default: gallery/ARM.png of the study]"
)
@results_option
def misclassified(study: str, arm: str | None, most: int, out: Path | None, results: Path) -> None:
    """Show a winner's most confident errors on test images.

    Looking at test images is an opening of the test split: each call is recorded.
    """
    from inspection.evaluation.misclassified import draw_gallery
    from inspection.loading.best_model import winner
    from reporting.report.derived_files import write_derived
    from tuning.records.event_log import EventLog
    from tuning.records.events import TestOpened
    from tuning.records.find_study import find_study
    from tuning.records.study_paths import StudyPaths

    folder = find_study(results, study)
    chosen = winner(folder, arm)

    def enter(reason: str) -> None:
        with closing(EventLog(StudyPaths(folder).events)) as log:
            log.append(TestOpened(arm=chosen.arm, trials=(chosen.trial.trial,), reason=reason))

    path = out or folder / "gallery" / f"{chosen.arm}.png"
    wrong = draw_gallery(chosen, path, most, enter)
    if wrong:
        write_derived(folder)  # the ledger has one entry more
    for mistake in wrong:
        click.echo(f"{mistake.confidence:7.2%}  said {mistake.predicted}, is {mistake.true}: {mistake.name}")
    click.echo(f"{chosen.title}: {path if wrong else 'no mistake on the test split'}")
