"""Formats that a best model is exported to, one a file.

Each has SUFFIX, `write(network, source, path)`, and `run(path)`, which returns what answers for uint8 images
[B, S, S, 3] with probabilities [B, N], as any array of floats; PACKAGES names what it needs beyond the installation.
"""

from __future__ import annotations

import pkgutil


def export_formats() -> list[str]:
    """Return the name of every format, in alphabetical order. Imports none of them."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))
