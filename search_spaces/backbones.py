"""Axes of pre-trained backbones: name, frozen fraction, head."""

from __future__ import annotations

from search_spaces.parameters import CategoricalParameter, Condition

# The catalogue of trainables/models/backbones/registry.py, by name; a test holds the two together.
BACKBONES = (
    "NASNetMobile",
    "EfficientNetLite0",
    *(f"EfficientNetB{size}" for size in range(8)),
    *("VGG16", "VGG19", "InceptionV3", "Xception", "NASNetLarge"),
    *(f"ResNet{layers}{version}" for version in ("", "V2") for layers in (50, 101, 152)),
)


SAMPLE_BACKBONE = "EfficientNetLite0"  # whose weights come with the installation

# What trainables/models/families/fine_tuned.py and pretrained_classifier.py build, by name.
HEADS = ("hidden", "sigmoid", "linear", "flatten_linear", "dense_512_256_128", "dense_1024_256", "dense_256")
BOX_HEADS = ("box",)  # of networks that say where, not what
# What becomes of a wholly frozen backbone's last maps: every value of them, or the mean of each.
POOLINGS = ("flatten", "average")
INITIAL_WEIGHTS = ("imagenet", "random")
PREPROCESSING = ("own", "centred", "scaled")


def named(name: str, value: str, allowed: tuple[str, ...], *, source: str) -> CategoricalParameter:
    """Return an axis that is not searched; `--set` may ask for another allowed name.

    Args:
        name: Name of the parameter.
        value: Its default.
        allowed: Names that may be asked for.
        source: Source of the default.
    """
    return CategoricalParameter(name=name, values=(value,), allowed=allowed, source=source)


def choice(*names: str, source: str) -> CategoricalParameter:
    """Return the axis of backbones, searched over `names`; `--set` and `--space` may ask for any of the catalogue."""
    return CategoricalParameter(name="backbone", values=names, allowed=BACKBONES, source=source)


def frozen_fraction(*values: float, source: str, when: Condition | None = None) -> CategoricalParameter:
    """Return the axis of the frozen share of the backbone's layers.

    Args:
        values: Shares to search, 0 to 1; `--set` may ask for any tenth.
        source: Source of the values.
        when: Condition under which a configuration has the axis.
    """
    tenths = tuple(tenth / 10 for tenth in range(11))
    return CategoricalParameter(name="frozen_fraction", values=values, allowed=tenths, when=when, source=source)
