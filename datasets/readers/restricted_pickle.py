"""An unpickler that calls nothing but what its reader names."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from typing import IO, Any


class RestrictedUnpickler(pickle.Unpickler):
    """Builds containers, numbers, texts and the stand-ins of a reader; every other reference is refused."""

    def __init__(self, file: IO[bytes], stand_ins: Mapping[tuple[str, str], Any], encoding: str = "ASCII") -> None:
        """Prepare one load: the memo of one pickle must not be seen by the next.

        Args:
            file: the pickle.
            stand_ins: what stands for a name of a module, by (module, name).
            encoding: of texts that Python 2 wrote.
        """
        super().__init__(file, encoding=encoding)
        self._stand_ins = stand_ins

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self._stand_ins:
            raise self.refusal(f"{module}.{name}")
        return self._stand_ins[module, name]

    def refusal(self, reference: str) -> Exception:
        """Return what is raised for a reference that is not among the stand-ins."""
        return pickle.UnpicklingError(f"it refers to {reference}")
