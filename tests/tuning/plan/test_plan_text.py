"""What the plan says before anything runs."""

from __future__ import annotations

from pathlib import Path

from tasks.task import load_task
from trainables.models.family_registry import family_names
from tuning.plan.make_plan import make_plan
from tuning.plan.plan_text import NETWORK_BYTES, disk_bytes
from tuning.plan.resources import Share
from tuning.plan.settings import StudySettings


def test_every_size_has_a_network() -> None:
    assert set(NETWORK_BYTES) <= set(family_names())


def test_the_disk_holds_what_options_keep_beside_the_confirmed_models(tmp_path: Path) -> None:
    def megabytes(**options: object) -> int:
        asked = StudySettings(results=tmp_path, data_dir=tmp_path, arms=("resnet", "pixels"), **options)  # type: ignore[arg-type]
        share = Share(slots=2, cpus=1.0, gpus=0.0)
        return round(disk_bytes(make_plan(load_task("cifar10"), asked, share, "study")) / 1e6)

    plain = megabytes()
    assert megabytes(ensemble=4) == plain + 4 * (9 + 1)
    # 143 epochs of the search and 3 times 100 of its confirmation; the last epoch of 23 trials; pixels go on from none.
    assert megabytes(keep_epochs=10) == plain + (44 + 23) * 3 * 9
    assert megabytes(keep_epochs=100_000) == plain + 23 * 3 * 9
