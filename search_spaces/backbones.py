"""Which pre-trained network a fine-tuned arm starts from."""

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
    """An axis that is not searched: `--set` may ask for another of the allowed names, and for no other."""
    return CategoricalParameter(name=name, values=(value,), allowed=allowed, source=source)


def choice(*names: str, source: str) -> CategoricalParameter:
    """Searched over the named ones; `--set` and `--space` may ask for any other of the catalogue."""
    return CategoricalParameter(name="backbone", values=names, allowed=BACKBONES, source=source)


def frozen_fraction(*values: float, source: str, when: Condition | None = None) -> CategoricalParameter:
    """Return the axis of the backbone's frozen layers: searched at `values`; `--set` may ask for any tenth."""
    tenths = tuple(tenth / 10 for tenth in range(11))
    return CategoricalParameter(name="frozen_fraction", values=values, allowed=tenths, when=when, source=source)
