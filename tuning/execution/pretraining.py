"""Pre-training of an arm's backbone: one trial on other images, whose result is kept for all studies."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from datasets.input_config import key_fit
from datasets.store.image_store import ImageStore
from search_spaces.parameters import Config
from tasks.task import Pretraining
from tuning.plan.config_list import only_backbone
from tuning.plan.study_plan import StudyPlan
from tuning.records.header import PretrainingHeader

SEED = 0  # of every pre-training: the trials of all studies share one, whatever their seed


@dataclass(frozen=True, kw_only=True)
class Pretrained:
    """One arm's pre-training; it is complete when the file `weights` exists."""

    pretraining: Pretraining
    config: Config  # with the arm's backbone
    store: Path  # of the images it learns from
    weights: Path  # of the pre-trained backbone, kept for later studies

    def described(self) -> PretrainingHeader:
        """Return its entry in the study's record."""
        return PretrainingHeader(
            data=self.pretraining.dataset.title,
            view=asdict(self.pretraining.view),
            epochs=self.pretraining.epochs,
            config=dict(self.config),
            seed=SEED,
            weights=self.weights.name,
            from_an_earlier_study=self.weights.exists(),
        )


def pretrained(plan: StudyPlan, stores: Mapping[str, Path]) -> dict[str, Pretrained]:
    """Return the pre-trainings of the plan's arms, by arm.

    Args:
        plan: The plan.
        stores: Image stores of the pre-trainings, by arm.
    """
    found = {}
    for arm in (arm.arm for arm in plan.arms):
        if arm.pretraining is None:
            continue
        config = {**arm.pretraining.config, "backbone": only_backbone(arm)}
        store = stores[arm.name]
        identity = {
            "data": ImageStore.open(store).fingerprint,
            "model": arm.model,
            "config": config,
            "view": {**asdict(arm.pretraining.view), "fit": key_fit(arm.pretraining.view)},
            "epochs": arm.pretraining.epochs,
            "objective": asdict(plan.objective),
            "precision": plan.settings.precision,
            "weights": _digest(plan.settings.weights),
            "seed": SEED,
        }
        key = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]
        weights = (plan.settings.data_dir / "pretrained" / f"{config['backbone']}-{key}.npz").resolve()
        found[arm.name] = Pretrained(pretraining=arm.pretraining, config=config, store=store, weights=weights)
    return found


def _digest(weights: Path | None) -> str | None:
    if weights is None:
        return None
    with weights.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
