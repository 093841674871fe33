"""Studies below a results folder, found by name."""

from __future__ import annotations

import contextlib
from pathlib import Path

import msgspec

from errors import unknown_name
from tuning.records.event_log import read_events
from tuning.records.study_paths import EVENTS, StudyPaths
from tuning.records.study_record import StudyNotFound


def find_studies(results: Path, task: str | None = None) -> list[Path]:
    """Return the folders of studies, oldest first.

    Args:
        results: Folder of studies.
        task: Name of a task; None means all.
    """
    pattern = f"{task or '*'}/*/{EVENTS}"
    return [path.parent for path in sorted(results.glob(pattern), key=lambda path: (_started(path), path))]


def find_study(results: Path, name: str) -> Path:
    """Return the folder of a study.

    Args:
        results: Folder of all studies.
        name: NAME, TASK/NAME, a path, or TASK alone for its newest.

    Raises:
        StudyNotFound: No study, or several, of that name; the message has the nearest match.
    """
    if StudyPaths(Path(name)).events.is_file():
        return Path(name)
    studies = find_studies(results)
    of_task = [study for study in studies if study.parent.name == name]
    if of_task:
        return of_task[-1]
    by_name = {f"{study.parent.name}/{study.name}": study for study in studies}
    matches = [full for full, study in by_name.items() if name in (study.name, full)]
    if len(matches) == 1:
        return by_name[matches[0]]
    if matches:
        raise StudyNotFound(f"the study name {name!r} stands under several tasks: {', '.join(matches)}")
    if not studies:
        raise StudyNotFound(f"no study {name!r}: {results} holds none yet; run `cli.py tune TASK` first")
    raise StudyNotFound(unknown_name("study", name, sorted({*by_name, *(study.parent.name for study in studies)})))


def _started(path: Path) -> float:
    with contextlib.suppress(ValueError, msgspec.MsgspecError):  # a damaged study does not hide the others
        for event in read_events(path):
            return event.time
    return path.stat().st_mtime
