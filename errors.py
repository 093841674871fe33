"""Errors that a user can correct, and the wording of names and counts in their messages."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping

_MARKED = re.compile("\0([a-z_]+)\0")
MOST_NAMES = 50  # in one message: of backbones all, of a study's trials the first


class _Arguments:
    """Names of arguments in messages: `arg.weights` becomes the caller's `--weights`.

    A name is enclosed in NUL characters, which no command line and no file name can hold, so that no text of a user is
    taken for one.
    """

    def __getitem__(self, name: str) -> str:
        return f"\0{name}\0"

    def __getattr__(self, name: str) -> str:
        if name.startswith("_"):  # what copy, inspect and others ask of every object
            raise AttributeError(name)
        return self[name]


arg = _Arguments()


class PodiumError(Exception):
    """Base of every error that a user can correct; `str(error)` is one line.

    Texts are templates: `arg.weights` in one stands for the argument `weights`, which only the caller can name as the
    user knows it (the command line as `--weights`).

    Attributes:
        message: What was given and what is possible, or only the latter where `argument` and `value` say the former.
        argument: The parameter at fault, or None where the message speaks of no single one.
        value: What was given for `argument`, or None to leave it to the message.
        remedy: What to do about it, where the message does not end with that.
    """

    def __init__(
        self, message: str, *, argument: str | None = None, value: object = None, remedy: str | None = None
    ) -> None:
        super().__init__(message)  # the fields travel in __dict__ when the error is pickled
        self.message, self.argument, self.value, self.remedy = message, argument, value, remedy

    @property
    def template(self) -> str:
        """The whole sentence, its arguments not yet named."""
        subject = ""
        if self.argument is not None:
            shown = repr(self.value) if isinstance(self.value, str) else str(self.value)
            subject = f"{arg[self.argument]}: " if self.value is None else f"{arg[self.argument]} is {shown}, but "
        return f"{subject}{self.message}{f'; {self.remedy}' if self.remedy else ''}"

    def __str__(self) -> str:
        return name_arguments(self.template, {})


def name_arguments(template: str, names: Mapping[str, str]) -> str:
    """Replace each argument of a message by its name.

    Args:
        template: Message with arguments from `arg`.
        names: Name of each argument; one that is missing keeps its own.
    """
    return _MARKED.sub(lambda match: names.get(match[1], match[1]), template)


def pluralize(count: int, one: str, many: str) -> str:
    """Return the count with its noun: 1 class, 10 classes.

    Args:
        count: The number.
        one: Noun for one.
        many: Noun for any other number.
    """
    return f"{count} {one if count == 1 else many}"


def unknown_name(kind: str, name: object, known: Iterable[str]) -> str:
    """Return one line for a name that does not exist: the name, the nearest known one, and all known ones.

    Args:
        kind: What the name should be of, such as "arm".
        name: What was given; upper and lower case count the same in the search for the nearest.
        known: The names that exist.
    """
    names = list(known)
    by_lower = {each.lower(): each for each in names}
    # 0.5: an abbreviation such as "sg" or "EfficientNet" still finds its neighbour; unrelated words find none.
    nearest = difflib.get_close_matches(str(name).lower(), by_lower, n=1, cutoff=0.5)
    hint = f"; did you mean {by_lower[nearest[0]]}?" if nearest else "."
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return f"unknown {kind} {name!r}{hint} Known: {', '.join(names[:MOST_NAMES])}{more}"
