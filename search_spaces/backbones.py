"""Which pre-trained network a fine-tuned arm starts from."""

from __future__ import annotations

from search_spaces.space import Choice

# The catalogue of trainables/models/backbones.py, by name; a test holds the two together.
BACKBONES = (
    "NASNetMobile",
    "EfficientNetLite0",
    *(f"EfficientNetB{size}" for size in range(8)),
    *("VGG16", "VGG19", "InceptionV3", "Xception", "NASNetLarge"),
    *(f"ResNet{layers}{version}" for version in ("", "V2") for layers in (50, 101, 152)),
)


def choice(*names: str, source: str) -> Choice:
    """Searched over the named ones; `--set` and `--space` may ask for any other of the catalogue."""
    return Choice(name="backbone", values=names, allowed=BACKBONES, source=source)
