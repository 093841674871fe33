"""Arrays by name in one file: how learners keep a model, without pickle."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from atomic_file import atomic_path


def write(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays whole or not at all, not synced: a trial waits for it, and copies that must last are synced.

    Args:
        path: ends in .npz.
        arrays: by name.

    Raises:
        OSError: they cannot be written.
    """
    with atomic_path(path, synced=False) as partial, partial.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]


def read(path: Path, what: str, needed: Collection[str] = ()) -> dict[str, np.ndarray]:
    """Read the arrays that `write` wrote.

    Args:
        path: The file.
        what: Name of the model in messages, such as "pixels model".
        needed: Names that must be in it.

    Returns:
        Arrays by name.

    Raises:
        ValueError: The file is missing, damaged, pickled or incomplete.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except Exception as error:  # np.load raises OSError, ValueError, EOFError or zipfile.BadZipFile
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise ValueError(f"{path} is no saved {what} ({reason}); train it again") from None
    if lacking := sorted(set(needed) - set(arrays)):
        raise ValueError(f"{path} is no saved {what} (it lacks {', '.join(lacking)}); train it again")
    return arrays


def numbered(variables: Sequence[Any], prefix: str = "") -> dict[str, np.ndarray]:
    """Return the values of a network's or an optimizer's variables, by prefix and position.

    Names of layers cannot serve: they are numbered through a process.

    Args:
        variables: The variables.
        prefix: Beginning of each name.

    Returns:
        Arrays by name.
    """
    return {f"{prefix}{number}": np.asarray(variable) for number, variable in enumerate(variables)}


def assign(arrays: Mapping[str, np.ndarray], variables: Sequence[Any], prefix: str = "") -> bool:
    """Set the variables to the values that `numbered` named.

    Args:
        arrays: Arrays by name.
        variables: The variables.
        prefix: Beginning of each name.

    Returns:
        False, with nothing changed, if their number or shapes differ.
    """
    shapes = {f"{prefix}{number}": tuple(variable.shape) for number, variable in enumerate(variables)}
    if {name: array.shape for name, array in arrays.items() if name.startswith(prefix)} != shapes:
        return False
    for number, variable in enumerate(variables):
        variable.assign(arrays[f"{prefix}{number}"])
    return True
