"""Studies as text in one format, side by side where they are comparable."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path

from errors import unknown_name
from reporting.errors import ReportingError
from reporting.formats import registry
from reporting.tables.arm_tables import open_study


def summarize_text(studies: Sequence[Path], format: str = "table") -> str:
    """Return every study's tables in one text, without its last line break.

    Args:
        studies: Folders of studies.
        format: A name of `registry.FORMATS`.

    Raises:
        ReportingError: When the format is unknown.
        StudyNotFound: When a folder has no readable study.
        UnknownTask: When the task of a study does not exist.
    """
    if format not in registry.FORMATS:
        raise ReportingError(unknown_name("format", format, tuple(registry.FORMATS)))
    module = importlib.import_module(f"reporting.formats.{registry.FORMATS[format]}")
    text: str = module.render([open_study(study) for study in studies])
    return text.rstrip("\n")
