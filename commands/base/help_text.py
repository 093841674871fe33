"""Layout of `--help`: whole lines for commands, groups for options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click


class WholeLineGroup(click.Group):
    """Group whose help shows each command's first paragraph whole, wrapped; click cuts it to one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)  # in the order a study goes, not the alphabet's

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        shown = [(name, command) for name, command in self.commands.items() if not command.hidden]
        with formatter.section("Commands"):
            formatter.write_dl(
                [(name, " ".join((command.help or "").split("\n\n")[0].split())) for name, command in shown]
            )


class GroupedOptionsCommand(click.Command):
    """Command whose help lists its options under headings.

    Args:
        groups: Names of parameters, divided by spaces, by heading; the others come last, under "Other".
    """

    def __init__(self, *args: Any, groups: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.groups = groups

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        left = {
            str(parameter.name): record
            for parameter in self.get_params(ctx)
            if isinstance(parameter, click.Option) and (record := parameter.get_help_record(ctx)) is not None
        }
        for heading, names in self.groups.items():
            with formatter.section(heading):
                formatter.write_dl([left.pop(name) for name in names.split()])
        with formatter.section("Other"):
            formatter.write_dl(list(left.values()))
