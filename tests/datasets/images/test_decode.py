"""Every format becomes the RGB a person would see; what cannot be decoded says why."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from itertools import product
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps
from PIL.PngImagePlugin import PngImageFile

from datasets.images.decode import DecodeError, Size, bounded, decode, deep_maximum, stored_size, white_level_of
from tests.fixtures.archives import encoded, pixels


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def agrees(content: bytes, max_side: int = 512) -> np.ndarray:
    """The decoded image, after checking that the header pass foretold its size."""
    image = decode(content, max_side)
    size = stored_size(content, max_side)
    assert image.shape == (size.height, size.width, 3)
    assert image.dtype == np.uint8
    return image


def test_png_is_exact() -> None:
    picture = pixels(1)
    np.testing.assert_array_equal(agrees(encoded(picture, "PNG")), picture)


def test_jpeg_is_close() -> None:
    picture = pixels(2)
    assert np.abs(agrees(encoded(picture)).astype(int) - picture).mean() < 6


def test_grey_has_three_equal_channels() -> None:
    grey = pixels(3)[..., 0]
    np.testing.assert_array_equal(agrees(encoded(grey, "PNG")), np.stack([grey] * 3, axis=-1))


@pytest.mark.parametrize(("alpha", "expected"), [(0, 255), (255, 60), (128, 157)])  # 60 * 128/255 + 255 * 127/255
def test_alpha_is_composited_on_white(alpha: int, expected: int) -> None:
    rgba = Image.new("RGBA", (9, 7), (60, 60, 60, alpha))
    la = Image.new("LA", (9, 7), (60, alpha))
    for image in (rgba, la):
        decoded = agrees(saved(image, "PNG"))
        assert np.abs(decoded.astype(int) - expected).max() <= 1


def test_palette_with_a_transparent_colour() -> None:
    image = Image.new("P", (4, 2), 1)
    image.putpalette([10, 20, 30, 200, 100, 50])
    image.putpixel((0, 0), 0)
    decoded = agrees(saved(image, "PNG", transparency=0))
    assert decoded[0, 0].tolist() == [255, 255, 255]
    assert decoded[1, 3].tolist() == [200, 100, 50]


def test_cmyk_jpeg() -> None:
    image = Image.new("CMYK", (16, 16), (0, 255, 255, 0))  # no cyan, all magenta and yellow: red
    red, green, blue = agrees(saved(image, "JPEG"))[8, 8].tolist()
    assert red > 240
    assert green < 15
    assert blue < 15


def test_sixteen_bits_are_scaled_and_not_clipped() -> None:
    values = np.array([[0, 257, 32896, 65535]], np.uint16)  # 257 = 65535 / 255
    for kind in ("PNG", "TIFF"):
        decoded = agrees(saved(Image.fromarray(values), kind))
        assert decoded[0, :, 0].tolist() == [0, 1, 128, 255]


def test_floating_point_from_0_to_1() -> None:
    decoded = agrees(saved(Image.fromarray(np.array([[0.0, 0.5, 1.0]], np.float32)), "TIFF"))
    assert decoded[0, :, 0].tolist() == [0, 128, 255]


def test_floating_point_beyond_255_is_refused() -> None:
    with pytest.raises(DecodeError, match="1000"):
        decode(saved(Image.fromarray(np.array([[0.0, 1000.0]], np.float32)), "TIFF"), 512)


def test_first_frame_of_an_animation() -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ((255, 0, 0), (0, 0, 255))]
    decoded = agrees(saved(frames[0], "GIF", save_all=True, append_images=frames[1:]))
    assert decoded[4, 4].tolist() == [255, 0, 0]


# Where the pixel of row 0, column 0 as stored must be seen: EXIF 2.3, tag Orientation.
CORNERS = {1: (0, 0), 2: (0, -1), 3: (-1, -1), 4: (-1, 0), 5: (0, 0), 6: (0, -1), 7: (-1, -1), 8: (-1, 0)}


FORMATS: dict[str, tuple[str, dict[str, Any]]] = {
    "png": ("PNG", {}),
    "tiff": ("TIFF", {}),
    "tiff_lzw": ("TIFF", {"compression": "tiff_lzw"}),
    "tiff_deflate": ("TIFF", {"compression": "tiff_adobe_deflate"}),
    "tiff_jpeg": ("TIFF", {"compression": "jpeg", "quality": 95}),
    "webp": ("WEBP", {"lossless": True}),
    "jpeg": ("JPEG", {"quality": 95}),
    "avif": ("AVIF", {"quality": 95}),
    "mpo": ("MPO", {"quality": 95}),
}
DEEP = ("png", "tiff", "tiff_lzw", "tiff_deflate")  # formats of 16 bits


@pytest.mark.parametrize("orientation", sorted(CORNERS))
@pytest.mark.parametrize(("form", "mode"), [*product(FORMATS, ("RGB", "L")), *product(DEEP, ("I;16",))])
def test_pixels_are_upright_as_pillow_turns_them(form: str, mode: str, orientation: int) -> None:
    kind, options = FORMATS[form]
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = Image.fromarray(pixels(4, height=40, width=64)).convert("L" if mode != "RGB" else "RGB")
    if mode == "I;16":
        image = Image.fromarray(np.asarray(image).astype(np.uint16) * 257)
    content = saved(image, kind, exif=exif, **options)
    with Image.open(io.BytesIO(content)) as opened:
        upright = ImageOps.exif_transpose(opened)
        expected = np.asarray(upright) / 257.0 if mode == "I;16" else np.asarray(upright.convert("RGB"))
    if expected.ndim == 2:
        expected = np.stack([expected] * 3, axis=-1)
    decoded = agrees(content)
    assert decoded.shape == expected.shape
    assert np.abs(decoded.astype(float) - expected).max() <= (1 if "jpeg" in form or kind == "MPO" else 0.5)
    small = agrees(content, max_side=32)
    assert np.argmax(small.shape[:2]) == np.argmax(expected.shape[:2])


@pytest.mark.parametrize(("highest", "white"), [(0, 1), (1, 1), (2, 3), (255, 255), (256, 511), (4000, 4095)])
def test_the_white_level_has_as_many_bits_as_the_largest_value(highest: float, white: float) -> None:
    assert white_level_of(highest) == white
    assert white_level_of(65535) == 65535
    assert white_level_of(0.7) == 1


@pytest.mark.parametrize("colours", [False, True])
@pytest.mark.parametrize("kind", [".png", ".tiff"])
def test_twelve_of_sixteen_bits_keep_their_levels(kind: str, colours: bool) -> None:
    values = np.linspace(0, 4095, 256).round().astype(np.uint16).reshape(16, 16)
    ok, content = cv2.imencode(kind, np.stack([values, values // 2, values // 4], axis=-1) if colours else values)
    assert ok
    assert deep_maximum(content.tobytes()) == 4095
    decoded = decode(content.tobytes(), 512, white_level=4095.0)
    expected = np.rint(values / 4095 * 255)
    np.testing.assert_allclose(decoded[:, :, 2 if colours else 0], expected, atol=0.51)
    if colours:
        np.testing.assert_allclose(decoded[:, :, 0], np.rint(values // 4 / 4095 * 255), atol=0.51)


def test_images_of_eight_bits_have_no_deep_maximum() -> None:
    for kind in ("PNG", "JPEG", "TIFF", "WEBP", "GIF"):
        assert deep_maximum(saved(Image.fromarray(pixels(5)), kind)) is None


@pytest.mark.parametrize("orientation", sorted(CORNERS))
@pytest.mark.parametrize("max_side", [512, 32])
def test_exif_orientation(orientation: int, max_side: int) -> None:
    picture = np.zeros((48, 80, 3), np.uint8)
    picture[:16, :16] = 255
    exif = Image.Exif()
    exif[0x0112] = orientation
    decoded = agrees(saved(Image.fromarray(picture), "JPEG", exif=exif, quality=95), max_side)
    longer = min(80, max_side)
    shorter = round(48 * longer / 80)
    assert decoded.shape[:2] == ((shorter, longer) if orientation < 5 else (longer, shorter))
    rows, columns = CORNERS[orientation]
    assert decoded[rows, columns].min() > 200
    assert (decoded[:, :, 0] > 127).mean() == pytest.approx(16 * 16 / (48 * 80), abs=0.02)


def test_the_orientation_of_a_png_is_found_and_its_size_without_decoding_it(monkeypatch: pytest.MonkeyPatch) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    for place in ("before", "behind"):
        content = saved(Image.fromarray(pixels(4)), "PNG", exif=exif)
        if place == "behind":  # the pixels, where the standard allows it too
            start = content.index(b"eXIf") - 4
            end = start + 12 + int.from_bytes(content[start : start + 4], "big")
            content = content[:start] + content[end:-12] + content[start:end] + content[-12:]
        assert agrees(content).shape == (48, 40, 3)
    plain = encoded(pixels(4), "PNG")
    monkeypatch.setattr(PngImageFile, "load", lambda self: pytest.fail("the header pass decodes"))
    assert stored_size(plain, 512) == Size(40, 48)


def test_a_damaged_exif_block_does_not_cost_the_image() -> None:
    content = saved(Image.fromarray(pixels(4)), "JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff")
    assert agrees(content).shape == (40, 48, 3)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
def test_large_images_are_scaled_down(kind: str) -> None:
    picture = pixels(5, 300, 401)
    decoded = agrees(encoded(picture, kind), 100)
    assert decoded.shape == (75, 100, 3)


def test_scaling_a_jpeg_by_draft_keeps_its_colours() -> None:
    picture = np.full((600, 800, 3), (200, 90, 40), np.uint8)
    assert np.abs(agrees(encoded(picture), 64).astype(int) - (200, 90, 40)).max() <= 3


@given(st.integers(1, 5000), st.integers(1, 5000), st.integers(1, 600))
def test_bounded_sizes(width: int, height: int, max_side: int) -> None:
    across, down = bounded(width, height, max_side)
    assert 1 <= across <= max(1, min(width, max_side))
    assert 1 <= down <= max(1, min(height, max_side))
    assert abs(across * height - down * width) <= max(width, height)  # half a pixel of rounding on either side


def claiming(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose header claims any size."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize(("width", "height"), [(10_001, 10_000), (60_000, 60_000)])
def test_a_header_that_claims_too_much_is_refused_before_decoding(width: int, height: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        with pytest.raises(DecodeError, match="over the limit of 100"):
            stored_size(claiming(width, height), 512)
        with pytest.raises(DecodeError, match="over the limit of 100"):
            decode(claiming(width, height), 512)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "TIFF", "WEBP", "BMP"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.9])
def test_truncated_files(kind: str, share: float) -> None:
    content = encoded(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8), kind)
    with pytest.raises(DecodeError):
        decode(content[: int(len(content) * share)], 512)


@pytest.mark.parametrize("content", [b"", b"<html>404 Not Found</html>", b"\xff\xd8\xff\xe0", b"GIF89a"])
def test_no_images(content: bytes) -> None:
    with pytest.raises(DecodeError) as caught:
        decode(content, 512)
    assert "\n" not in str(caught.value)
