"""The catalogue of backbones: what each is and where its ImageNet weights come from. Light: imports no framework."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Source:
    """One file of weights as its authors publish it."""

    file_name: str  # in Keras's cache, as keras.applications names it: a file Keras has fetched before is found
    url: str
    md5: str


_TENSORFLOW_URL = "https://storage.googleapis.com/tensorflow/keras-applications/"
_EFFICIENTNET_URL = "https://storage.googleapis.com/keras-applications/"


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
    weights: Source | None  # None: inside an installed package


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
        weights=Source(file_name=file_name, url=url, md5=md5),
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


IMAGENET_CLASSES = 1000
# With the ImageNet classifier, which takes images of any size where the network ends in a global average.
WITH_TOP = {
    "NASNetMobile": Source(
        file_name="nasnet_mobile.h5",
        url=f"{_TENSORFLOW_URL}nasnet/NASNet-mobile.h5",
        md5="020fb642bf7360b370c678b08e0adf61",
    )
}
