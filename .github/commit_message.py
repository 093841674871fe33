"""Commit-msg hook: refuse a first line that is not `room: verb object` of at most 72 characters."""

import re
import sys
from pathlib import Path

LONGEST = 72
# Git writes these itself; an autosquash commit is gone before anybody reads it.
WRITTEN_BY_GIT = ("Merge ", "Revert ", "fixup! ", "squash! ", "amend! ")


def complaint(message: str) -> str | None:
    """Say what is wrong with a commit's message, or nothing."""
    subject = message.split("\n", 1)[0]
    if subject.startswith(WRITTEN_BY_GIT):
        return None
    if len(subject) > LONGEST:
        return f"the first line has {len(subject)} characters, {LONGEST} are allowed: {subject}"
    if not re.fullmatch(r"[a-z_]+(/[a-z_]+)*: [a-z]\S* \S.*", subject):
        return f"the first line is not `room: verb object` (`tuning: read predictions once`): {subject}"
    return None


if __name__ == "__main__":
    sys.exit(complaint(Path(sys.argv[1]).read_text(encoding="utf-8")))
