"""`--configs`: the configurations a study trains exactly as listed, without a search."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from errors import arg, unknown_name
from search_spaces.parameters import Config, SpaceError, Value
from tasks.task import Arm
from tuning.plan.settings import EPOCHS, SEEDS, StudySettings, UsageError


@dataclass(frozen=True, kw_only=True)
class ConfigListEntry:
    """One configuration of `--configs`: trained as it stands, never stopped early."""

    config: Config
    epochs: int
    seed: int


def read_config_list(settings: StudySettings, arms: list[Arm]) -> dict[str, list[ConfigListEntry]]:
    """Return the configurations of --configs by arm, every one checked before anything runs.

    Args:
        settings: whose `configs` is a JSON file or the word published.
        arms: those that may be listed.

    Raises:
        UsageError: one line, for a file or an entry that cannot be.
    """
    if settings.configs == "published":
        return _published(settings, arms)
    path = Path(str(settings.configs))
    shape = f'{arg.configs} {path} must be a list such as [{{"arm": "{arms[0].name}", "learning_rate": 1e-3, ...}}]'
    contents = _read_json(path)
    if not isinstance(contents, list) or not contents:
        raise UsageError(shape)
    by_arm: dict[str, list[ConfigListEntry]] = {}
    known = {arm.name: arm for arm in arms}
    only = arms[0].name if len(arms) == 1 else None  # then no entry needs to say which
    for number, entry in enumerate(contents, start=1):
        name = entry.get("arm", only) if isinstance(entry, Mapping) else None
        if not isinstance(name, str):
            raise UsageError(f"{shape}; entry {number} has no arm")
        if name not in known:
            reason = unknown_name("arm", name, tuple(known))
            raise UsageError(f"{arg.configs} {path}, entry {number}: {reason}")
        arm = known[name]
        try:
            by_arm.setdefault(arm.name, []).append(_entry(entry, arm, settings.seed))
        except SpaceError as error:
            raise UsageError(f"{arg.configs} {path}, entry {number} ({arm.name}): {error.template}") from None
    for name, entries in by_arm.items():
        if known[name].pretraining is not None:
            backbone = only_backbone(known[name])
            if any(entry.config["backbone"] != backbone for entry in entries):
                raise UsageError(
                    f"{arg.configs} {path}: {name} pre-trains {backbone}, so that its configurations can "
                    f"have no other backbone; name it with {arg.backbone}"
                )
    return by_arm


def _published(settings: StudySettings, arms: list[Arm]) -> dict[str, list[ConfigListEntry]]:
    """Return the reports' own settings by arm. Raises UsageError where there are none."""
    by_arm = {
        arm.name: [_entry(config, arm, settings.seed) for config in arm.space.published]
        for arm in arms
        if arm.space.published
    }
    if not by_arm:
        names = ", ".join(arm.name for arm in arms)
        raise UsageError(f"{arg.configs} is published, but no report has settings for {names}; give a JSON file")
    return by_arm


def _read_json(path: Path) -> Any:
    """Return what the file holds. Raises UsageError."""
    try:
        return json.loads(path.read_text())
    except OSError as error:
        raise UsageError(f"{arg.configs} {path}: {error.strerror}; give a JSON file, or the word published") from None
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{arg.configs} {path} is not JSON ({error}); it must be a list of configurations") from None


def _entry(entry: Mapping[str, Any], arm: Arm, seed: int) -> ConfigListEntry:
    """Return an entry whose epochs and seed, where it names none, are the arm's and this one. Raises SpaceError."""
    return ConfigListEntry(
        config=arm.space.complete({k: v for k, v in entry.items() if k not in ("arm", "epochs", "seed")}),
        epochs=_whole(entry, "epochs", arm.max_epochs, *EPOCHS),
        seed=_whole(entry, "seed", seed, *SEEDS),
    )


def _whole(entry: Mapping[str, Any], name: str, default: int, least: int, most: int) -> int:
    value: Any = entry.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise SpaceError(f"{name} is {value!r}, but must be a whole number from {least} to {most}")
    return int(value)


def only_backbone(arm: Arm) -> Value:
    """Return the backbone of an arm that pre-trains it.

    Raises:
        UsageError: The arm has several.
    """
    values = arm.space.choices("backbone")
    if len(values) > 1:
        raise UsageError(
            f"{arm.name} pre-trains its backbone, but {arg.spaces} names {len(values)} of them; name one with "
            f"{arg.backbone}"
        )
    return values[0]
