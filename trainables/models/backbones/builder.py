"""The backbones that can be fine-tuned: what each is, how it is built, where its ImageNet weights come from."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras

from errors import arg
from trainables import npz
from trainables.learner import Fatal
from trainables.models.backbones import download_weights, efficientnet_lite, torch_weights
from trainables.models.backbones.registry import IMAGENET_CLASSES, Backbone
from trainables.models.backbones.registry import find as find  # re-exported: callers use builder.find
from trainables.models.parts import layers

# What keras.applications calls mode "caffe": the mean of each channel over ImageNet, blue first.
_BLUE_GREEN_RED_MEAN = (103.939, 116.779, 123.68)
# Layers that `build` puts before a network of keras.applications, which do not count in its numbering.
OWN_LAYERS = ("zoom_input", "zoom", "blue_green_red_centred", "rescaling_input", "preprocessing")


def build(
    backbone: Backbone,
    input_shape: tuple[int, int, int],
    *,
    weights: Path | str | None,
    zoom: int | None = None,
    channel_mean: Sequence[float] | None = None,
    top: bool = False,
) -> keras.Model:
    """Build a backbone with its preprocessing: images [B, S, S, 3], 0 to 255, to feature maps [B, s, s, F].

    Images may be uint8 or float.

    Args:
        backbone: The backbone.
        input_shape: Height, width, 3.
        weights: None takes the ImageNet weights from the package, Keras's cache or the network; a Path is a local file
            (.h5 without top, .weights.h5 or .keras; .npz as `save` writes it; for EfficientNetLite0 also .pth);
            "random" loads nothing.
        zoom: Side in pixels to which images are enlarged first, a multiple of theirs, bicubic, not smoothed
            (traffic-signs report); None leaves them.
        channel_mean: Red, green, blue, 0 to 255: (x - mean) / 255 replaces the backbone's own preprocessing (see
            fine_tuned.build_backbone); None keeps it.
        top: Whether its own ImageNet classifier is added; the output is then probabilities [B, 1000].

    Raises:
        Fatal: The weights are missing or do not fit.
        ValueError: The image is too small, or zoom or preprocessing is impossible.
    """
    if (side := zoom or min(input_shape[:2])) < backbone.minimum_side:
        raise ValueError(f"image size is {side}, but {backbone.name} needs at least {backbone.minimum_side} pixels")
    # Before the build: a missing file should cost no seconds.
    source = backbone.weights_with_top if top else backbone.weights
    path = download_weights.locate(backbone.name, source, weights) if weights != "random" else None
    images = keras.Input(input_shape, dtype="uint8", name="images")
    seen = images
    if zoom is not None:
        factor, left = divmod(zoom, min(input_shape[:2]))
        if factor < 1 or left:
            raise ValueError(f"zoom is {zoom}, but must be a multiple of the image size {min(input_shape[:2])}")
        numbers = keras.layers.Rescaling(1.0, dtype="float32", name="zoom_input")(images)  # else it would round
        # Not keras.layers.Resizing: its `training` defaults to true and later layers inherit it (keras 3.15), so that
        # model(images) would train batch normalization.
        seen = keras.layers.UpSampling2D(factor, interpolation="bicubic", dtype="float32", name="zoom")(numbers)
    if backbone.name == "EfficientNetLite0":
        if channel_mean is not None:
            raise ValueError(f"preprocessing must be own for {backbone.name}, which has it inside")
        body = efficientnet_lite.build(seen, classes=IMAGENET_CLASSES if top else None)
    else:
        if channel_mean is None:
            prepared = _prepare(backbone, seen)
        else:
            prepared = layers.centred(seen, channel_mean, divisor=255.0, name="preprocessing")
        application = getattr(keras.applications, backbone.name)
        # weights=None always, and the file loaded below: with weights="imagenet" the network would differ from
        # the one that weights=PATH builds (EfficientNet then has one more layer, see _square_variance).
        body = application(include_top=top, weights=None, input_tensor=prepared)
    model = keras.Model(images, body.output, name=body.name)  # keras.applications wraps its one input in a list
    if weights != "random":
        _load(backbone, model, path, top)
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


def _load(backbone: Backbone, model: keras.Model, path: Path | None, top: bool) -> None:
    try:
        if path is not None and path.suffix == ".npz":
            _load_saved(model, path)
        elif path is None or path.suffix == ".pth":
            efficientnet_lite.load_imagenet(model, path)
        else:
            _load_all(model, path)
            if backbone.family == "EfficientNet":
                _square_variance(model)
    except torch_weights.TorchFileError as error:
        raise Fatal(str(error)) from None
    except (ValueError, OSError, KeyError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        reason = " ".join(str(error).split())[:160] or type(error).__name__
        remedy = f"give the file that keras.applications fetches with include_top={top} with {arg.weights}"
        if backbone.weights is None:
            remedy = f"leave {arg.weights} out, since its own come with the installation"
        raise Fatal(
            f"the weights in {path} do not fit {backbone.name} {'with' if top else 'without'} its top ({reason}): "
            f"{remedy}"
        ) from None


def save(layers: Sequence[keras.layers.Layer], path: Path) -> None:
    """Write a backbone's weights, whole or not at all; `build` starts another network from them.

    Args:
        layers: Its layers.
        path: Target file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    npz.write(path, npz.numbered([weight for layer in layers for weight in layer.weights], "arr_"))


def _load_saved(model: keras.Model, path: Path) -> None:
    kept = npz.read(path, "backbone")
    weights = [weight for layer in model.layers for weight in layer.weights]
    if not npz.assign(kept, weights, "arr_"):
        raise ValueError(f"it holds {len(kept)} arrays, but the network has {len(weights)} weights, or other shapes")
    _settle(model)


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
    _settle(model)


def _settle(model: keras.Model) -> None:
    """Make Normalization layers compute with the numbers in their weights."""
    for layer in model.layers:
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()
