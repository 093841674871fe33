"""The catalogue of backbones: what each is and where its ImageNet weights come from. Light: imports no framework."""

from __future__ import annotations

from dataclasses import dataclass

from errors import unknown_name
from trainables.learner import Fatal


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
# MD5 of the files with the ImageNet classifier; the test of CATALOGUE holds them to Keras's sources too.
_WITH_TOP = {
    "NASNetMobile": "020fb642bf7360b370c678b08e0adf61",
    "NASNetLarge": "11577c9a518f0070763c2b964a382f17",
    "EfficientNetB0": "902e53a9f72be733fc0bcb005b3ebbac",
    "EfficientNetB1": "1d254153d4ab51201f1646940f018540",
    "EfficientNetB2": "b15cce36ff4dcbd00b6dd88e7857a6ad",
    "EfficientNetB3": "ffd1fdc53d0ce67064dc6a9c7960ede0",
    "EfficientNetB4": "18c95ad55216b8f92d7e70b3a046e2fc",
    "EfficientNetB5": "ace28f2a6363774853a83a0b21b9421a",
    "EfficientNetB6": "165f6e37dce68623721b423839de8be5",
    "EfficientNetB7": "8c03f828fec3ef71311cd463b6759d99",
    "ResNet50": "2cb95161c43110f7111970584f804107",
    "ResNet101": "f1aeb4b969a6efcfb50fad2f0c20cfc5",
    "ResNet152": "100835be76be38e30d865e96f2aaae62",
    "ResNet50V2": "3ef43a0b657b3be2300d5770ece849e0",
    "ResNet101V2": "6343647c601c52e1368623803854d971",
    "ResNet152V2": "a49b44d1979771252814e80f8ec446f9",
    "VGG16": "64373286793e3c8b2b4e3219cbf3544b",
    "VGG19": "cbe5617147190e668d6c5d5026f83318",
    "InceptionV3": "9a0d58056eeedaa3f26cb7ebd46da564",
    "Xception": "0a58e3b7378bc2990ea3b43d5981f1f6",
}


def find(name: object) -> Backbone:
    """The backbone of that name, in upper or lower case. Raises Fatal (one line, nearest match) for any other."""
    for backbone in CATALOGUE.values():
        if backbone.name.lower() == str(name).lower():
            return backbone
    raise Fatal(unknown_name("backbone", name, CATALOGUE))


def with_top(backbone: Backbone) -> Source | None:
    """The file of weights with the ImageNet classifier; None where an installed package holds it."""
    if backbone.weights is None:
        return None
    names = (backbone.weights.file_name, backbone.weights.url)
    for ending in ("_notop", "_no_top", "-no-top"):
        names = (names[0].replace(ending, ""), names[1].replace(ending, ""))
    return Source(file_name=names[0], url=names[1], md5=_WITH_TOP[backbone.name])
