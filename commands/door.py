"""One boundary for everything a user can get wrong."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import click


class Door(click.Group):
    """One boundary for everything a user can get wrong: one line, exit status 2. Any other traceback is a bug."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)  # in the order a study goes, not the alphabet's

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        with _one_line():
            return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        with _one_line():
            return super().invoke(ctx)


@contextmanager
def _one_line() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        raise click.exceptions.Exit(130) from None
    except (click.exceptions.Exit, click.exceptions.NoArgsIsHelpError):
        raise  # help was asked for, by its option or by a group's name alone: nothing needs to be imported for it
    except click.UsageError as error:
        fail(error.format_message())
    except OSError as error:
        if error.errno == errno.EPIPE:
            raise  # whoever read has had enough, such as `| head`: click ends quietly
        if error.filename is None and error.errno is None:
            raise
        place = f" ({error.filename})" if error.filename else ""
        fail(f"{error.strerror or error}{place}")
    except Exception as error:
        if not isinstance(error, user_errors()):
            raise
        fail(str(error))


def user_errors() -> tuple[type[Exception], ...]:
    """What rooms raise for what a user can mend, with a message of one line."""
    from datasets.dataset import DataError
    from inspection.winner import InspectionError
    from reporting.filter import QueryError
    from reporting.into import IntoError
    from reporting.mlflow_export import MlflowError
    from reporting.published import PublishedError
    from search_spaces.axes import SpaceError
    from tasks.task import UnknownTask
    from trainables.learner import Fatal, Infeasible
    from tuning.records.study_record import StudyNotFound
    from tuning.settings import UsageError

    of_reading = (IntoError, PublishedError, QueryError, MlflowError, InspectionError)
    return DataError, SpaceError, UnknownTask, StudyNotFound, UsageError, Fatal, Infeasible, *of_reading


def fail(message: str) -> NoReturn:
    """End with one line and exit status 2."""
    click.echo(f"Error: {' '.join(message.split())}", err=True)
    raise click.exceptions.Exit(2)
