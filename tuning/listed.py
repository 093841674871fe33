"""`--configs`: the configurations a study trains exactly as listed, without a search."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from errors import unknown_name
from search_spaces.axes import Config, SpaceError, Value
from search_spaces.space import Space
from tasks.task import Arm
from tuning.settings import EPOCHS, SEEDS, StudySettings, UsageError


@dataclass(frozen=True, kw_only=True)
class ListedTrial:
    """One configuration of `--configs`: trained as it stands, never stopped early."""

    config: Config
    epochs: int
    seed: int


def listed_trials(settings: StudySettings, arms: list[Arm]) -> dict[str, list[ListedTrial]]:
    """The configurations of --configs by arm, every one checked before anything runs."""
    if settings.configs == "published":
        if not any(arm.space.published for arm in arms):
            names = ", ".join(arm.name for arm in arms)
            raise UsageError(f"{{configs}} is published, but no document has settings for {names}; give a JSON file")
        return {
            arm.name: [
                ListedTrial(config=arm.space.complete(config), epochs=arm.max_epochs, seed=settings.seed)
                for config in arm.space.published
            ]
            for arm in arms
            if arm.space.published
        }
    path = Path(str(settings.configs))
    try:
        entries = json.loads(path.read_text())
    except OSError as error:
        raise UsageError(f"{{configs}} {path}: {error.strerror}; give a JSON file, or the word published") from None
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{{configs}} {path} is not JSON ({error}); it must be a list of configurations") from None
    shape = f'{{configs}} {path} must be a list such as [{{"arm": "{arms[0].name}", "learning_rate": 1e-3, ...}}]'
    if not isinstance(entries, list) or not entries:
        raise UsageError(shape)
    by_arm: dict[str, list[ListedTrial]] = {}
    known = {arm.name: arm for arm in arms}
    for number, entry in enumerate(entries, start=1):
        if not isinstance(entry, Mapping) or not isinstance(entry.get("arm"), str):
            raise UsageError(f"{shape}; entry {number} has no arm")
        if entry["arm"] not in known:
            raise UsageError(f"{{configs}} {path}, entry {number}: " + unknown_name("arm", entry["arm"], tuple(known)))
        arm = known[entry["arm"]]
        try:
            config = arm.space.complete({k: v for k, v in entry.items() if k not in ("arm", "epochs", "seed")})
            epochs = _whole(entry, "epochs", arm.max_epochs, *EPOCHS)
            seed = _whole(entry, "seed", settings.seed, *SEEDS)
        except SpaceError as error:
            raise UsageError(f"{{configs}} {path}, entry {number} ({arm.name}): {error.template}") from None
        by_arm.setdefault(arm.name, []).append(ListedTrial(config=config, epochs=epochs, seed=seed))
    for name, entries in by_arm.items():
        arm = known[name]
        if arm.pretraining is not None and any(
            listed.config["backbone"] != only_backbone(arm, arm.space) for listed in entries
        ):
            raise UsageError(
                f"{{configs}} {path}: {name} pre-trains {only_backbone(arm, arm.space)}, so that its configurations "
                "can have no other backbone; name it with {backbone}"
            )
    return by_arm


def _whole(entry: Mapping[str, Any], name: str, default: int, least: int, most: int) -> int:
    value: Any = entry.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise SpaceError(f"{name} is {value!r}, but must be a whole number from {least} to {most}")
    return int(value)


def only_backbone(arm: Arm, space: Space) -> Value:
    """What an arm that pre-trains its backbone has. Raises UsageError where it may be one of several."""
    values = space.choices("backbone")
    if len(values) > 1:
        raise UsageError(
            f"{arm.name} pre-trains its backbone, but {{spaces}} names {len(values)} of them; name one with "
            "{backbone}"
        )
    return values[0]
