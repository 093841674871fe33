"""Text for the values and configurations of a search space."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any


def format_value(value: Any) -> str:
    """Return one value of a configuration as text: 3.2e-4, 0.6, 32, reduce_on_plateau."""
    if isinstance(value, float) and math.isfinite(value):
        if value != 0 and (abs(value) < 1e-2 or abs(value) >= 1e5):
            mantissa, exponent = f"{value:.1e}".split("e")
            return f"{mantissa.removesuffix('.0')}e{int(exponent)}"
        return f"{value:.3g}" if abs(value) < 999.5 else f"{value:.0f}"  # 999.7 in three digits would be 1e+03
    return str(value)


def format_config(config: Mapping[str, Any], constants: Collection[str] = ()) -> str:
    """Return a configuration as text: adam, learning_rate 3.2e-4, conv_blocks 4; constants come last.

    Args:
        config: The configuration.
        constants: Names in it that were held at a value.
    """
    held = {name: value for name, value in config.items() if name in constants}
    words: list[str] = []
    for name, value in {**{name: value for name, value in config.items() if name not in held}, **held}.items():
        if name == "optimizer":  # its values name themselves, and the other settings are read in its light
            words.insert(0, str(value))
        elif isinstance(value, bool):
            words.append(name if value else f"no {name}")
        else:
            words.append(f"{name} {format_value(value)}")
    return ", ".join(words)
