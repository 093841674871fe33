"""ImageNet's networks as they come: the catalogue's with their own classifier, and what their outputs are called."""

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path

from inspection.loading.best_model import InspectionError
from inspection.loading.load_model import Classifier, classifier
from inspection.loading.silence_tensorflow import start_tensorflow
from inspection.prediction.input_images import IMAGENET_MAX_SIDE, Preprocess

# One line a class, in the order of the outputs, which is that of the WordNet identifiers (ILSVRC 2012): identifier,
# then the words of its synset. Keras downloads the same as imagenet_class_index.json; here no network is needed.
NAMES_FILE = Path(__file__).with_name("imagenet_classes.txt")
BATCH = 8  # EfficientNetB7's maps at 600 px take gigabytes an image


@cache
def class_names() -> tuple[str, ...]:
    """Return the first word of each ImageNet class, with the identifier where two share it (crane, maillot)."""
    lines = [line.partition(" ") for line in NAMES_FILE.read_text().splitlines()]
    first = [words.partition(",")[0] for _, _, words in lines]
    times = Counter(first)
    return tuple(
        name if times[name] == 1 else f"{name} ({identifier})"
        for name, (identifier, _, _) in zip(first, lines, strict=True)
    )


def names(outputs: int) -> tuple[str, ...]:
    """Return the names of the outputs of a network with ImageNet's classifier."""
    return class_names()[:outputs]


def load(name: str, weights: Path | None) -> tuple[str, Preprocess, Classifier]:
    """Load an ImageNet model.

    Args:
        name: A name of the catalogue in upper or lower case.
        weights: File with the classifier; None downloads the published one.

    Returns:
        The network's full name, its preprocessing of images, and the classifier.

    Raises:
        InspectionError: The name is unknown, or the weights are missing or do not fit.
    """
    from errors import unknown_name
    from trainables.models.backbones.registry import CATALOGUE

    backbone = next((each for each in CATALOGUE.values() if each.name.lower() == name.lower()), None)
    if backbone is None:
        raise InspectionError(unknown_name("model", name, CATALOGUE))

    start_tensorflow()
    from trainables.learner import Fatal
    from trainables.models.backbones import builder

    side = backbone.image_size
    try:
        network = builder.build(backbone, (side, side, 3), weights=weights, top=True)
    except Fatal as error:
        raise InspectionError(error.template) from None
    return backbone.name, Preprocess(max_side=IMAGENET_MAX_SIDE, side=side, fit="imagenet"), classifier(network)
