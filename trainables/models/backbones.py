"""The backbones that can be fine-tuned: what each is, how it is built, where its ImageNet weights come from."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

from search_spaces.wording import unknown
from trainables.learner import Fatal
from trainables.models import efficientnet_lite, imagenet_weights, torch_weights

_NASNET_URL = "https://storage.googleapis.com/tensorflow/keras-applications/nasnet/NASNet-mobile-no-top.h5"
_EFFICIENTNET_URL = "https://storage.googleapis.com/keras-applications/"

MINIMUM_SIDE = 32  # pixels; every network here halves its input five times


@dataclass(frozen=True, kw_only=True)
class Backbone:
    """A network without its top, pre-trained on ImageNet."""

    name: str  # as in keras.applications
    family: str
    source: str  # the paper
    image_size: int  # side in pixels it was trained at; any side from 32 works
    preprocessing: str  # how pixels 0..255 become its input; part of the model built here
    parameters: int  # without the top, trainable or not
    layers: int  # of keras.applications' model without top, weights="imagenet"; frozen_fraction is a fraction of them
    weights: imagenet_weights.Source | None  # None: inside an installed package


def _efficientnet(number: int, image_size: int, parameters: int, layers: int, md5: str) -> Backbone:
    file_name = f"efficientnetb{number}_notop.h5"
    return Backbone(
        name=f"EfficientNetB{number}",
        family="EfficientNet",
        source="Tan and Le, 2019, arXiv 1905.11946",
        image_size=image_size,
        preprocessing="(x / 255 - ImageNet mean) / ImageNet deviation, by the network's own first layers",
        parameters=parameters,
        layers=layers,
        weights=imagenet_weights.Source(file_name=file_name, url=_EFFICIENTNET_URL + file_name, md5=md5),
    )


# Image sizes: keras.io/api/applications. Parameters and layers: counted on keras 3.15.1 with include_top=False
# (one layer more for EfficientNet: weights="imagenet" adds it). MD5 and
# addresses: keras/src/applications/nasnet.py and efficientnet.py of that version.
CATALOGUE: dict[str, Backbone] = {
    backbone.name: backbone
    for backbone in (
        Backbone(
            name="NASNetMobile",
            family="NASNet",
            source="Zoph et al., 2017, arXiv 1707.07012",
            image_size=224,
            preprocessing="x / 127.5 - 1",
            parameters=4_269_716,
            layers=769,
            weights=imagenet_weights.Source(
                file_name="nasnet_mobile_no_top.h5", url=_NASNET_URL, md5="1ed92395b5b598bdda52abe5c0dbfd63"
            ),
        ),
        _efficientnet(0, 224, 4_049_571, 238, "50bc09e76180e00e4465e1a485ddc09d"),
        _efficientnet(1, 240, 6_575_239, 340, "74c4e6b3e1f6a1eea24c589628592432"),
        _efficientnet(2, 260, 7_768_569, 340, "111f8e2ac8aa800a7a99e3239f7bfb39"),
        _efficientnet(3, 300, 10_783_535, 385, "af6d107764bb5b1abb91932881670226"),
        _efficientnet(4, 380, 17_673_823, 475, "ebc24e6d6c33eaebbd558eafbeedf1ba"),
        _efficientnet(5, 456, 28_513_527, 577, "38879255a25d3c92d5e44e04ae6cec6f"),
        _efficientnet(6, 528, 40_960_143, 667, "9ecce42647a20130c1f39a5d4cb75743"),
        _efficientnet(7, 600, 64_097_687, 814, "cbcfe4450ddf6f3ad90b1b398090fe4a"),
        Backbone(
            name="EfficientNetLite0",
            family="EfficientNet-Lite",
            source="Liu, 2020, github.com/tensorflow/tpu, efficientnet/lite; without a network",
            image_size=224,
            preprocessing="x / 128 - 127 / 128",
            parameters=3_413_024,
            layers=151,
            weights=None,
        ),
    )
}


def find(name: object) -> Backbone:
    """The backbone of that name, in upper or lower case. Raises Fatal (one line, nearest match) for any other."""
    for backbone in CATALOGUE.values():
        if backbone.name.lower() == str(name).lower():
            return backbone
    raise Fatal(unknown("backbone", name, CATALOGUE))


def build(backbone: Backbone, input_shape: tuple[int, int, int], *, weights: Path | str | None) -> keras.Model:
    """The backbone with its preprocessing: images uint8 or float [B, S, S, 3] in 0..255 to feature maps [B, s, s, F].

    weights: None takes the ImageNet weights from the package, Keras's cache or the network; a Path is a local file
        instead (.h5 without top, .weights.h5 or .keras; for EfficientNetLite0 also .pth); "random" loads nothing.
    Raises Fatal (one line) where the weights are missing or do not fit, ValueError for an image that is too small.
    """
    if min(input_shape[:2]) < MINIMUM_SIDE:
        side = min(input_shape[:2])
        raise ValueError(f"image size is {side}, but {backbone.name} needs at least {MINIMUM_SIDE} pixels")
    # Before the build: a missing file should cost no seconds.
    path = imagenet_weights.locate(backbone.name, backbone.weights, weights) if weights != "random" else None
    images = keras.Input(input_shape, dtype="uint8", name="images")
    if backbone.name == "EfficientNetLite0":
        model = efficientnet_lite.build(images)
    else:
        application = getattr(keras.applications, backbone.name)
        # weights=None always, and the file loaded below: with weights="imagenet" the network would differ from
        # the one that weights=PATH builds (EfficientNet then has one more layer, see _square_variance).
        body = application(include_top=False, weights=None, input_tensor=_prepare(backbone, images))
        model = keras.Model(images, body.output, name=body.name)  # keras.applications wraps its one input in a list
    if weights != "random":
        _load(backbone, model, path)
    return model


def frozen_layers(backbone: Backbone, model: keras.Model, fraction: float) -> int:
    """How many of `model.layers` the first int(n_layers * fraction) layers of keras.applications' own model are.

    Every layer in which the two differ stands before the first convolution: our Rescaling before NASNetMobile, and
    EfficientNet's second Rescaling, which _square_variance replaces.
    """
    difference = len(model.layers) - backbone.layers
    return max(0, difference + int(backbone.layers * fraction))


def _prepare(backbone: Backbone, images: Any) -> Any:
    # float32 even under mixed_bfloat16: its 8 bits of mantissa are too few for what a pixel minus a mean needs.
    if backbone.family == "NASNet":
        return keras.layers.Rescaling(1 / 127.5, offset=-1.0, dtype="float32", name="rescaling_input")(images)
    return images


def _load(backbone: Backbone, model: keras.Model, path: Path | None) -> None:
    try:
        if path is None or path.suffix == ".pth":
            efficientnet_lite.load_imagenet(model, path)
        else:
            _load_all(model, path)
            if backbone.family == "EfficientNet":
                _square_variance(model)
    except torch_weights.TorchFileError as error:
        raise Fatal(str(error)) from None
    except (ValueError, OSError, KeyError, TypeError, AttributeError) as error:
        reason = " ".join(str(error).split())[:160] or type(error).__name__
        raise Fatal(
            f"the weights in {path} do not fit {backbone.name} without its top ({reason}): "
            "give the file that keras.applications calls no-top with --weights"
        ) from None


def _load_all(model: keras.Model, path: Path) -> None:
    """model.load_weights, but a weight that the file does not hold is an error, not one warning among a hundred."""
    floats = [variable for variable in model.weights if "float" in keras.backend.standardize_dtype(variable.dtype)]
    for variable in floats:
        variable.assign(keras.ops.full(variable.shape, float("nan"), variable.dtype))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.load_weights(path)
    for variable in floats:
        if bool(keras.ops.any(keras.ops.isnan(variable))):
            raise ValueError(f"it holds nothing for {variable.path}")


def _square_variance(model: keras.Model) -> None:
    """Make EfficientNet's input normalization divide by the ImageNet deviation, once.

    The published files hold the deviation where the layer expects a variance, and keras.applications mends that with
    one more Rescaling layer, but only for weights="imagenet" (keras/src/applications/efficientnet.py, "we need to
    divide another sqrt(var)"). Squaring gives the same function, and leaves the 1 of a network from scratch alone.
    """
    for layer in model.layers:
        if isinstance(layer, keras.layers.Normalization):
            layer.adapt_variance.assign(keras.ops.square(layer.adapt_variance))
            layer.finalize_state()
