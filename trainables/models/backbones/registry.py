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


@dataclass(frozen=True, kw_only=True)
class Backbone:
    """A network without its top, pre-trained on ImageNet."""

    name: str  # as in keras.applications
    family: str
    source: str  # the paper
    image_size: int  # side in pixels it was trained at
    minimum_side: int  # pixels; any side from here on works
    preprocessing: str  # how pixels 0..255 become its input; part of the model built here
    parameters: int  # without the top, trainable or not
    layers: int  # of keras.applications' model without top, weights="imagenet"; frozen_fraction is a fraction of them
    weights: Source | None  # None: inside an installed package
    weights_with_top: Source | None  # the same with the ImageNet classifier


_CENTRED = "red green blue to blue green red, minus the ImageNet mean of each channel, not scaled"
_FROM_MINUS_ONE_TO_ONE = "x / 127.5 - 1"

_KERNELS = "_weights_tf_dim_ordering_tf_kernels_notop.h5"

# Paper, preprocessing, and the address of the weights without the top; {name} and {size} are the network's.
_FAMILIES = {
    "VGG": ("Simonyan and Zisserman, 2014, arXiv 1409.1556", _CENTRED, _TENSORFLOW_URL + "{name}/{name}" + _KERNELS),
    "ResNet": ("He et al., 2015, arXiv 1512.03385", _CENTRED, _TENSORFLOW_URL + "resnet/{name}" + _KERNELS),
    "ResNetV2": (
        "He et al., 2016, arXiv 1603.05027",
        _FROM_MINUS_ONE_TO_ONE,
        _TENSORFLOW_URL + "resnet/{name}" + _KERNELS,
    ),
    "Inception": (
        "Szegedy et al., 2015, arXiv 1512.00567",
        _FROM_MINUS_ONE_TO_ONE,
        _TENSORFLOW_URL + "inception_v3/inception_v3" + _KERNELS,
    ),
    "Xception": (
        "Chollet, 2016, arXiv 1610.02357",
        _FROM_MINUS_ONE_TO_ONE,
        _TENSORFLOW_URL + "{name}/{name}" + _KERNELS,
    ),
    "NASNet": (
        "Zoph et al., 2017, arXiv 1707.07012",
        _FROM_MINUS_ONE_TO_ONE,
        _TENSORFLOW_URL + "nasnet/NASNet-{size}-no-top.h5",
    ),
    "EfficientNet": (
        "Tan and Le, 2019, arXiv 1905.11946",
        "(x / 255 - ImageNet mean) / ImageNet deviation, by the network's own first layers",
        "https://storage.googleapis.com/keras-applications/{name}_notop.h5",
    ),
    "EfficientNet-Lite": (
        "Liu, 2020, github.com/tensorflow/tpu, efficientnet/lite; without a network",
        "x / 128 - 127 / 128",
        "",
    ),
}

# Family; name; image size, keras.io/api/applications; minimum side; parameters and layers, counted on keras 3.15.1 with
# include_top=False (one layer more for EfficientNet: weights="imagenet" adds it); MD5 of the weights without and with
# the ImageNet classifier. Minimum sides, MD5 and addresses: the files of keras/src/applications of that version; a test
# reads them again. An installed package holds the weights of EfficientNetLite0.
_NETWORKS = """
NASNet       NASNetMobile   224 32  4269716  769 1ed92395b5b598bdda52abe5c0dbfd63 020fb642bf7360b370c678b08e0adf61
NASNet       NASNetLarge    331 32 84916818 1039 d81d89dc07e6e56530c4e77faddd61b5 11577c9a518f0070763c2b964a382f17
EfficientNet EfficientNetB0 224 32  4049571  238 50bc09e76180e00e4465e1a485ddc09d 902e53a9f72be733fc0bcb005b3ebbac
EfficientNet EfficientNetB1 240 32  6575239  340 74c4e6b3e1f6a1eea24c589628592432 1d254153d4ab51201f1646940f018540
EfficientNet EfficientNetB2 260 32  7768569  340 111f8e2ac8aa800a7a99e3239f7bfb39 b15cce36ff4dcbd00b6dd88e7857a6ad
EfficientNet EfficientNetB3 300 32 10783535  385 af6d107764bb5b1abb91932881670226 ffd1fdc53d0ce67064dc6a9c7960ede0
EfficientNet EfficientNetB4 380 32 17673823  475 ebc24e6d6c33eaebbd558eafbeedf1ba 18c95ad55216b8f92d7e70b3a046e2fc
EfficientNet EfficientNetB5 456 32 28513527  577 38879255a25d3c92d5e44e04ae6cec6f ace28f2a6363774853a83a0b21b9421a
EfficientNet EfficientNetB6 528 32 40960143  667 9ecce42647a20130c1f39a5d4cb75743 165f6e37dce68623721b423839de8be5
EfficientNet EfficientNetB7 600 32 64097687  814 cbcfe4450ddf6f3ad90b1b398090fe4a 8c03f828fec3ef71311cd463b6759d99
EfficientNet-Lite EfficientNetLite0 224 32 3413024 151 - -
ResNet       ResNet50       224 32 23587712  175 4d473c1dd8becc155b73f8504c6f6626 2cb95161c43110f7111970584f804107
ResNet       ResNet101      224 32 42658176  345 88cf7a10940856eca736dc7b7e228a21 f1aeb4b969a6efcfb50fad2f0c20cfc5
ResNet       ResNet152      224 32 58370944  515 ee4c566cf9a93f14d82f913c2dc6dd0c 100835be76be38e30d865e96f2aaae62
ResNetV2     ResNet50V2     224 32 23564800  190 fac2f116257151a9d068a22e544a4917 3ef43a0b657b3be2300d5770ece849e0
ResNetV2     ResNet101V2    224 32 42626560  377 c0ed64b8031c3730f411d2eb4eea35b5 6343647c601c52e1368623803854d971
ResNetV2     ResNet152V2    224 32 58331648  564 ed17cf2e0169df9d443503ef94b23b33 a49b44d1979771252814e80f8ec446f9
VGG          VGG16          224 32 14714688   19 6d6bbae143d832006294945121d1f1fc 64373286793e3c8b2b4e3219cbf3544b
VGG          VGG19          224 32 20024384   22 253f8cb515780f3b799900260a226db6 cbe5617147190e668d6c5d5026f83318
Inception    InceptionV3    299 75 21802784  311 bcbd6486424b2319ff4ef7d526e38f63 9a0d58056eeedaa3f26cb7ebd46da564
Xception     Xception       299 71 20861480  132 b0042744bf5b25fce3cb969f33bebb97 0a58e3b7378bc2990ea3b43d5981f1f6
"""


def _backbone(row: str) -> Backbone:
    family, name, image_size, minimum_side, parameters, layers, md5, md5_with_top = row.split()
    source, preprocessing, address = _FAMILIES[family]
    url = address.format(name=name.lower(), size=name.lower().removeprefix("nasnet"))
    return Backbone(
        name=name,
        family=family,
        source=source,
        image_size=int(image_size),
        minimum_side=int(minimum_side),
        preprocessing=preprocessing,
        parameters=int(parameters),
        layers=int(layers),
        weights=_source(url, md5),
        weights_with_top=_source(url.replace("_notop", "").replace("-no-top", ""), md5_with_top),
    )


def _source(url: str, md5: str) -> Source | None:
    # Of all addresses NASNet's alone have capitals and hyphens, which Keras's cache has not.
    file_name = url.rpartition("/")[2].lower().replace("-", "_")
    return Source(file_name=file_name, url=url, md5=md5) if url else None


CATALOGUE: dict[str, Backbone] = {
    backbone.name: backbone for backbone in map(_backbone, _NETWORKS.strip().splitlines())
}
IMAGENET_CLASSES = 1000


def find(name: object) -> Backbone:
    """Return the backbone of that name, in upper or lower case.

    Raises:
        Fatal: There is none; the message has the nearest name.
    """
    for backbone in CATALOGUE.values():
        if backbone.name.lower() == str(name).lower():
            return backbone
    raise Fatal(unknown_name("backbone", name, CATALOGUE))
