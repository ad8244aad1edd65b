"""From the bytes of a file to a picture that stands upright, and back."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Final

import msgspec

from atomiton.errors import NodeError

if TYPE_CHECKING:
    from PIL.Image import Image

#: Most pixels of a picture, read or made: 8000 by 8000.
MOST_PIXELS: Final = 64_000_000
#: Endings of files to the formats they mean.
FORMATS: Final = {
    "jpg": "JPEG",
    "jpeg": "JPEG",
    "png": "PNG",
    "webp": "WEBP",
    "gif": "GIF",
    "bmp": "BMP",
    "tif": "TIFF",
    "tiff": "TIFF",
}
_OPENED: Final = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
#: Formats that keep no transparency.
_OPAQUE: Final = frozenset({"JPEG", "BMP"})


class Written(msgspec.Struct, frozen=True):
    """A picture as the bytes of a file, and what these say when they are read again."""

    data: bytes
    width: int
    height: int
    format: str


def opened(data: bytes, shown: str) -> Image:
    """The picture of a file, upright, as its EXIF data says it was taken; of many, the first.

    Args:
        data: Content of the file.
        shown: What the file is called in errors.

    Raises:
        NodeError: It is no picture (INVALID_INPUT), has too many pixels (LIMIT_EXCEEDED), or
            Pillow is not installed (NOT_SUPPORTED).
    """
    from PIL import Image, ImageOps

    picture = header(data, shown)
    try:
        picture.load()
        upright = ImageOps.exif_transpose(picture)
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError) as error:
        raise _no_picture(shown, error) from None
    # Palettes and rarer forms have no way to be blended or blurred.
    if upright.mode in ("RGB", "RGBA", "L", "LA"):
        return upright
    return upright.convert("RGBA" if upright.has_transparency_data else "RGB")


def header(data: bytes, shown: str) -> Image:
    """The picture of a file, of which only the head has been read; see ``opened``."""
    try:
        from PIL import Image, UnidentifiedImageError
    except ModuleNotFoundError:
        raise NodeError(
            "pictures need Pillow: pip install 'atomiton[image]'", code="NOT_SUPPORTED"
        ) from None
    try:
        picture = Image.open(io.BytesIO(data), formats=_OPENED)
    except UnidentifiedImageError:
        known = ", ".join(_OPENED)
        message = f"{shown} is not a picture of a format that is read here: {known}"
        raise NodeError(message, code="INVALID_INPUT") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise too_large(shown) from None
    except (OSError, SyntaxError, ValueError) as error:
        raise _no_picture(shown, error) from None
    if picture.width * picture.height > MOST_PIXELS:
        raise too_large(shown)
    return picture


def too_large(shown: str) -> NodeError:
    """The error of a picture with too many pixels."""
    message = f"{shown} has more than {MOST_PIXELS:,} pixels"
    return NodeError(message, code="LIMIT_EXCEEDED")


def _no_picture(shown: str, error: Exception) -> NodeError:
    return NodeError(f"{shown} is a damaged picture: {error}", code="INVALID_INPUT")


def format_of(path: str, wanted: str | None) -> str:
    """The format of a file to be written: what is wanted, or what its ending means.

    Example:
        >>> format_of("a.JPG", None), format_of("a", "png")
        ('JPEG', 'PNG')
    """
    ending = path.rpartition(".")[2].lower() if wanted is None else wanted
    found = FORMATS.get(ending)
    if found is None:
        known = ", ".join(FORMATS)
        raise NodeError(
            f"{path!r} does not end as a picture that is written here: {known}; or give format",
            code="NOT_SUPPORTED",
        )
    return found


def coded(picture: Image, form: str, *, quality: int, background: str) -> Written:
    """A picture as the bytes of a file, without what else its file said (place, camera, ...).

    Args:
        picture: The picture.
        form: A format of ``FORMATS``.
        quality: From 1 to 100, of JPEG and WebP.
        background: Colour behind what is transparent, where the format keeps no transparency.
    """
    from PIL import Image

    if not 1 <= quality <= 100:
        raise NodeError("quality must be from 1 to 100", code="INVALID_INPUT")
    stream = io.BytesIO()
    if form in _OPAQUE and picture.has_transparency_data:
        ground = Image.new("RGBA", picture.size, colour(background))
        picture = Image.alpha_composite(ground, picture.convert("RGBA")).convert("RGB")
    more: dict[str, object] = {}
    profile = picture.info.get("icc_profile")
    if form in ("JPEG", "WEBP"):
        more["quality"] = quality
    if form == "PNG":
        more["optimize"] = True
    if profile and form in ("JPEG", "WEBP", "PNG", "TIFF"):
        more["icc_profile"] = profile
    try:
        picture.save(stream, form, **more)
    except (OSError, ValueError) as error:
        raise NodeError(f"the picture cannot be {form}: {error}", code="NOT_SUPPORTED") from None
    data = stream.getvalue()
    with Image.open(io.BytesIO(data), formats=[form]) as again:
        return Written(data, again.width, again.height, (again.format or form).lower())


def colour(name: str) -> tuple[int, int, int, int]:
    """A colour as red, green, blue and opacity, from 0 to 255.

    Args:
        name: ``#rrggbb``, ``#rrggbbaa``, ``rgb(...)`` or a name such as ``white``.
    """
    from PIL import ImageColor

    try:
        found = ImageColor.getcolor(name[:100], "RGBA")
    except ValueError:
        message = f"{name[:100]!r} is not a colour such as white or #ff8800"
        raise NodeError(message, code="INVALID_INPUT") from None
    assert isinstance(found, tuple)  # of a mode with several bands
    red, green, blue, opacity = found
    return red, green, blue, opacity
