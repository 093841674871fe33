"""Folder of a study, made before anything runs, so that a lack of rights or space is found at once."""

from __future__ import annotations

import shutil

from errors import arg
from tuning.plan.plan_text import disk_bytes
from tuning.plan.settings import UsageError
from tuning.plan.study_plan import StudyPlan


def make_folder(plan: StudyPlan) -> None:
    """Create results/<task>/<study>/.

    Raises:
        UsageError: The name is taken, the folder cannot be written, or the disk is too full.
    """
    try:
        plan.folder.mkdir(parents=True)
    except FileExistsError:
        raise UsageError(f"the study {plan.task.name}/{plan.name} exists; choose another {arg.name}") from None
    except OSError as error:
        raise UsageError(
            f"{arg.results} {plan.settings.results} cannot be written ({error.strerror}); choose another folder"
        ) from None
    free = shutil.disk_usage(plan.folder).free
    if free < disk_bytes(plan):
        plan.folder.rmdir()
        raise UsageError(
            f"{arg.results} {plan.settings.results} has {free / 1e6:.0f} MB free, but the study needs about "
            f"{disk_bytes(plan) / 1e6:.0f} MB; make room or choose another folder"
        )
