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

_TENSORFLOW_URL = "https://storage.googleapis.com/tensorflow/keras-applications/"
_EFFICIENTNET_URL = "https://storage.googleapis.com/keras-applications/"

# What keras.applications calls mode "caffe": the mean of each channel over ImageNet, blue first.
_BLUE_GREEN_RED_MEAN = (103.939, 116.779, 123.68)


@dataclass(frozen=True, kw_only=True)
class Backbone:
    """A network without its top, pre-trained on ImageNet."""

    name: str  # as in keras.applications
    family: str
    source: str  # the paper
    image_size: int  # side in pixels it was trained at
    minimum_side: int = 32  # pixels; any side from here on works
    preprocessing: str  # how pixels 0..255 become its input; part of the model built here
    parameters: int  # without the top, trainable or not
    layers: int  # of keras.applications' model without top, weights="imagenet"; frozen_fraction is a fraction of them
    weights: imagenet_weights.Source | None  # None: inside an installed package


_CENTRED = "red green blue to blue green red, minus the ImageNet mean of each channel, not scaled"
_FROM_MINUS_ONE_TO_ONE = "x / 127.5 - 1"

_FAMILIES = {  # paper, preprocessing
    "VGG": ("Simonyan and Zisserman, 2014, arXiv 1409.1556", _CENTRED),
    "ResNet": ("He et al., 2015, arXiv 1512.03385", _CENTRED),
    "ResNetV2": ("He et al., 2016, arXiv 1603.05027", _FROM_MINUS_ONE_TO_ONE),
    "Inception": ("Szegedy et al., 2015, arXiv 1512.00567", _FROM_MINUS_ONE_TO_ONE),
    "Xception": ("Chollet, 2016, arXiv 1610.02357", _FROM_MINUS_ONE_TO_ONE),
    "NASNet": ("Zoph et al., 2017, arXiv 1707.07012", _FROM_MINUS_ONE_TO_ONE),
    "EfficientNet": (
        "Tan and Le, 2019, arXiv 1905.11946",
        "(x / 255 - ImageNet mean) / ImageNet deviation, by the network's own first layers",
    ),
}


def _published(
    name: str,
    family: str,
    image_size: int,
    parameters: int,
    layers: int,
    md5: str,
    *,
    url: str,
    file_name: str | None = None,
    minimum_side: int = 32,
) -> Backbone:
    """A network of keras.applications. file_name: in Keras's cache, where it is not the last part of the address."""
    source, preprocessing = _FAMILIES[family]
    file_name = file_name or url.rpartition("/")[2]
    return Backbone(
        name=name,
        family=family,
        source=source,
        image_size=image_size,
        minimum_side=minimum_side,
        preprocessing=preprocessing,
        parameters=parameters,
        layers=layers,
        weights=imagenet_weights.Source(file_name=file_name, url=url, md5=md5),
    )


def _kernels(folder: str, network: str | None = None) -> str:
    return f"{_TENSORFLOW_URL}{folder}/{network or folder}_weights_tf_dim_ordering_tf_kernels_notop.h5"


def _residual(name: str, parameters: int, layers: int, md5: str) -> Backbone:
    family = "ResNetV2" if name.endswith("V2") else "ResNet"
    return _published(name, family, 224, parameters, layers, md5, url=_kernels("resnet", name.lower()))


def _nasnet(size: str, image_size: int, parameters: int, layers: int, md5: str) -> Backbone:
    name, file_name = f"NASNet{size.title()}", f"nasnet_{size}_no_top.h5"
    url = f"{_TENSORFLOW_URL}nasnet/NASNet-{size}-no-top.h5"
    return _published(name, "NASNet", image_size, parameters, layers, md5, url=url, file_name=file_name)


def _efficientnet(number: int, image_size: int, parameters: int, layers: int, md5: str) -> Backbone:
    url = f"{_EFFICIENTNET_URL}efficientnetb{number}_notop.h5"
    return _published(f"EfficientNetB{number}", "EfficientNet", image_size, parameters, layers, md5, url=url)


# Image sizes: keras.io/api/applications. Parameters and layers: counted on keras 3.15.1 with include_top=False
# (one layer more for EfficientNet: weights="imagenet" adds it). Minimum sides, MD5 and addresses: the files of
# keras/src/applications of that version; a test reads them again.
CATALOGUE: dict[str, Backbone] = {
    backbone.name: backbone
    for backbone in (
        _nasnet("mobile", 224, 4_269_716, 769, "1ed92395b5b598bdda52abe5c0dbfd63"),
        _nasnet("large", 331, 84_916_818, 1039, "d81d89dc07e6e56530c4e77faddd61b5"),
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
        _residual("ResNet50", 23_587_712, 175, "4d473c1dd8becc155b73f8504c6f6626"),
        _residual("ResNet101", 42_658_176, 345, "88cf7a10940856eca736dc7b7e228a21"),
        _residual("ResNet152", 58_370_944, 515, "ee4c566cf9a93f14d82f913c2dc6dd0c"),
        _residual("ResNet50V2", 23_564_800, 190, "fac2f116257151a9d068a22e544a4917"),
        _residual("ResNet101V2", 42_626_560, 377, "c0ed64b8031c3730f411d2eb4eea35b5"),
        _residual("ResNet152V2", 58_331_648, 564, "ed17cf2e0169df9d443503ef94b23b33"),
        _published("VGG16", "VGG", 224, 14_714_688, 19, "6d6bbae143d832006294945121d1f1fc", url=_kernels("vgg16")),
        _published("VGG19", "VGG", 224, 20_024_384, 22, "253f8cb515780f3b799900260a226db6", url=_kernels("vgg19")),
        _published(
            "InceptionV3",
            "Inception",
            299,
            21_802_784,
            311,
            "bcbd6486424b2319ff4ef7d526e38f63",
            url=_kernels("inception_v3"),
            minimum_side=75,
        ),
        _published(
            "Xception",
            "Xception",
            299,
            20_861_480,
            132,
            "b0042744bf5b25fce3cb969f33bebb97",
            url=_kernels("xception"),
            minimum_side=71,
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
    if (side := min(input_shape[:2])) < backbone.minimum_side:
        raise ValueError(f"image size is {side}, but {backbone.name} needs at least {backbone.minimum_side} pixels")
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


def _prepare(backbone: Backbone, images: Any) -> Any:
    # float32 even under mixed_bfloat16: its 8 bits of mantissa are too few for what a pixel minus a mean needs.
    # No layer here has weights: a file of the network's own would not hold them.
    if backbone.family in ("VGG", "ResNet"):
        # Reversing the channels is an operation without a layer: in a model of its own, all of the network is layers.
        colours = keras.Input(images.shape[1:], dtype="float32")
        offset = [-mean for mean in _BLUE_GREEN_RED_MEAN]
        centred = keras.layers.Rescaling(1.0, offset=offset, dtype="float32")(keras.ops.flip(colours, axis=-1))
        return keras.Model(colours, centred, name="blue_green_red_centred")(images)
    if backbone.family in ("ResNetV2", "Inception", "Xception", "NASNet"):
        return keras.layers.Rescaling(1 / 127.5, offset=-1.0, dtype="float32", name="rescaling_input")(images)
    return images  # EfficientNet's own first layers prepare them


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
