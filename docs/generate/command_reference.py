"""`docs/commands.md`, written from the help of every command; a test holds it to that."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

import cli

PAGE = Path(__file__).resolve().parents[1] / "commands.md"
WIDTH = 110  # columns of the help as shown on the page


def command_reference() -> str:
    """Return the page: a section for each command, with its help as the terminal shows it."""
    sections = [
        f"## {name}\n\n```text\n{command.get_help(context).rstrip()}\n```\n"
        for name, command, context in _commands(
            cli.cli, click.Context(cli.cli, info_name="cli.py", **cli.cli.context_settings)
        )
    ]
    heading = "# Commands\n\nWritten by `make reference` from `python cli.py COMMAND --help`.\n"
    return "\n".join([heading, *sections])


def _commands(group: click.Group, parent: click.Context) -> Iterator[tuple[str, click.Command, click.Context]]:
    """Yield every command that help lists, those of groups in their places."""
    for name in group.list_commands(parent):
        command = group.commands[name]
        if command.hidden:
            continue
        context = click.Context(command, info_name=name, parent=parent, terminal_width=WIDTH, max_content_width=WIDTH)
        if isinstance(command, click.Group):
            yield from _commands(command, context)
        else:
            yield context.command_path.removeprefix("cli.py "), command, context


if __name__ == "__main__":
    PAGE.write_text(command_reference())
