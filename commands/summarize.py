"""The command `summarize`: tables of finished studies."""

from __future__ import annotations

from pathlib import Path

import click

from commands.base.options import results_option
from reporting.formats.registry import FORMATS


@click.command()
@click.argument("studies", nargs=-1, metavar="[TASK|STUDY]...")
@click.option("--format", "form", type=click.Choice(list(FORMATS)), default="table", show_default=True)
@click.option(
    "--into", type=click.Path(path_type=Path), metavar="FILE.md", help="Replace the table between its two marks."
)
@results_option
def summarize(studies: tuple[str, ...], form: str, into: Path | None, results: Path) -> None:
    """Print the comparison table of a study beside published numbers.

    A TASK stands for its newest study; without any argument, the newest study of every task. Several studies of one
    task stand side by side. Below the table: compute cost, intervals and tests, the command that trains each row again.

    \b
    python cli.py summarize food10
    python cli.py summarize food10/first food10/second --format markdown
    python cli.py summarize food10 --format html > food10.html
    python cli.py summarize traffic_signs --into README.md
    """
    from reporting.formats.summarize import summarize_text
    from tuning.plan.settings import UsageError
    from tuning.records.find_study import find_studies, find_study
    from tuning.records.study_record import StudyNotFound

    names = studies or tuple(dict.fromkeys(study.parent.name for study in find_studies(results)))
    if not names:
        raise StudyNotFound(f"{results} holds no study yet; run `python cli.py tune food10 --sample` first")
    found = list({study.resolve(): study for study in (find_study(results, name) for name in names)}.values())
    if into is None:
        click.echo(summarize_text(found, form))
        return
    from reporting.formats.markdown_inject import write_into

    if form not in ("table", "markdown"):
        raise UsageError(f"--into puts Markdown into {into}, but --format is {form}; leave one out")
    if len(found) != 1:
        raise UsageError(f"--into takes the table of one study, but {len(found)} are named; name one")
    click.echo(f"{into}: {', '.join(write_into(found[0], into))}")
