"""Words of earlier versions: accepted from users and read from old studies for ever, written no more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# By parameter: the former word and the word of today.
FORMER: Mapping[str, Mapping[str, str]] = {
    "schedule": {
        "halve_on_plateau": "reduce_on_plateau",
        "step": "step_decay_0.25",
        "step_half": "step_decay_0.5",
        "tenths": "piecewise_constant",
        "polynomial_1": "polynomial_decay_1",
        "polynomial_2": "polynomial_decay_2",
        "bent_linear": "piecewise_linear",
        "per_iteration": "inverse_time_decay",
    }
}


def current_word(parameter: str, value: Any) -> Any:
    """Return today's word for a former word of a parameter, or the value itself.

    Args:
        parameter: Name of the parameter.
        value: Its value.
    """
    return FORMER.get(parameter, {}).get(value, value) if isinstance(value, str) else value
