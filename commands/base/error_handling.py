"""The boundary where an error becomes one line on the terminal."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import click

from commands.base.help_text import WholeLineGroup
from errors import PodiumError, name_arguments


class OneLineErrorGroup(WholeLineGroup):
    """Group of commands that end with one line and exit status 2 on a user's mistake."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        with _one_line(ctx):
            return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        with _one_line(ctx):
            return super().invoke(ctx)


@contextmanager
def _one_line(ctx: click.Context) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        raise click.exceptions.Exit(130) from None
    except (click.exceptions.Exit, click.exceptions.NoArgsIsHelpError):
        raise  # help was asked for, by its option or by a group's name alone: nothing needs to be imported for it
    except click.UsageError as error:
        fail(error.format_message())
    except PodiumError as error:
        fail(name_arguments(error.template, _options(ctx)))
    except OSError as error:
        if error.errno == errno.EPIPE:
            raise  # whoever read has had enough, such as `| head`: click ends quietly
        if error.filename is None and error.errno is None:
            raise
        place = f" ({error.filename})" if error.filename else ""
        fail(f"{error.strerror or error}{place}")


def _options(ctx: click.Context) -> dict[str, str]:
    """Return the option of each argument, as the command that runs declares it; another command's with its name."""
    below = ctx.command.commands if isinstance(ctx.command, click.Group) else {}
    running = below.get(ctx.invoked_subcommand or "", ctx.command)
    root = ctx.find_root().command
    others = root.commands if isinstance(root, click.Group) else {}
    named: dict[str, str] = {}
    for word in sorted(others, key=lambda word: word == "tune"):  # last, so that its name is the one that is shown
        named |= {name: f"`{word} {option}`" for name, option in _own(others[word]).items()}
    return named | _own(running)


def _own(command: click.Command) -> dict[str, str]:
    options = [parameter for parameter in command.params if isinstance(parameter, click.Option)]
    return {str(option.name): max(option.opts, key=len) for option in options}


def fail(message: str) -> NoReturn:
    """End with one line and exit status 2.

    Raises:
        click.exceptions.Exit: Always.
    """
    click.echo(f"Error: {' '.join(message.split())}", err=True)
    raise click.exceptions.Exit(2)
