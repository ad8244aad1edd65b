"""What is done to pictures: each function takes one and gives another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, cast

from atomiton.errors import NodeError
from atomiton.nodes.pictures.coding import MOST_PIXELS, colour, too_large

if TYPE_CHECKING:
    from PIL.Image import Image

Position = Literal[
    "top-left",
    "top",
    "top-right",
    "left",
    "center",
    "right",
    "bottom-left",
    "bottom",
    "bottom-right",
]
Fit = Literal["inside", "cover", "fill"]


def resized(
    picture: Image, width: int | None, height: int | None, fit: Fit, *, enlarge: bool
) -> Image:
    """A picture of another size; see ``image.resize``."""
    if width is None and height is None:
        raise NodeError("give width, height or both", code="INVALID_INPUT")
    if (width is not None and width < 1) or (height is not None and height < 1):
        raise NodeError("width and height must be 1 or more", code="INVALID_INPUT")
    have_width, have_height = picture.size
    across, down = (width or 0) / have_width, (height or 0) / have_height
    if fit == "fill" and width and height:
        target = (width, height)
    else:
        one = across or down
        other = down or across
        factor = max(one, other) if fit == "cover" else min(one, other)
        if not enlarge:
            factor = min(factor, 1.0)
        target = (max(1, round(have_width * factor)), max(1, round(have_height * factor)))
    _check_size(*target)
    changed = picture if target == picture.size else scaled(picture, target)
    if fit == "cover" and width and height:
        return _middle(changed, min(width, changed.width), min(height, changed.height))
    return changed


def _middle(picture: Image, width: int, height: int) -> Image:
    left, top = (picture.width - width) // 2, (picture.height - height) // 2
    return picture.crop((left, top, left + width, top + height))


def scaled(picture: Image, size: tuple[int, int]) -> Image:
    """A picture stretched to a size, in the best quality there is."""
    from PIL.Image import Resampling

    whole = cast("Any", picture)  # its types have a hole
    return cast("Image", whole.resize(size, Resampling.LANCZOS))


def cropped(
    picture: Image, width: int, height: int, x: int | None, y: int | None, position: Position
) -> Image:
    """A part of a picture; see ``image.crop``."""
    left, top = place(picture.size, (width, height), position, 0)
    left, top = left if x is None else x, top if y is None else y
    outside = left < 0 or top < 0 or left + width > picture.width or top + height > picture.height
    if width < 1 or height < 1 or outside:
        raise NodeError(
            f"the part from {left},{top} of {width} by {height} is not inside the picture, which "
            f"is {picture.width} by {picture.height}",
            code="INVALID_INPUT",
        )
    return picture.crop((left, top, left + width, top + height))


def rotated(picture: Image, degrees: float, *, expand: bool, corners: str | None) -> Image:
    """A picture turned clockwise; see ``image.rotate``."""
    from PIL.Image import Resampling, Transpose

    turn = degrees % 360
    # By a quarter nothing is lost, so nothing is computed.
    quarters = {
        0: None,
        90: Transpose.ROTATE_270,
        180: Transpose.ROTATE_180,
        270: Transpose.ROTATE_90,
    }
    if turn in quarters and (expand or turn in (0, 180)):
        how = quarters[int(turn)]
        return picture if how is None else picture.transpose(how)
    if expand:
        longest = round((picture.width**2 + picture.height**2) ** 0.5)
        _check_size(longest, longest)
    filled = picture.convert("RGBA")
    ground = (0, 0, 0, 0) if corners is None else colour(corners)
    return filled.rotate(-turn, Resampling.BICUBIC, expand=expand, fillcolor=ground)


def laid(below: Image, above: Image, at: tuple[int, int], opacity: float) -> Image:
    """One picture on another; what lies outside of it is cut off.

    Args:
        below: The picture that is laid on.
        above: The one that is laid there.
        at: Where its upper left corner comes.
        opacity: How much of it is seen, from 0 to 1.
    """
    from PIL import Image

    if not 0 <= opacity <= 1:
        raise NodeError("opacity must be from 0 to 1", code="INVALID_INPUT")
    layer = Image.new("RGBA", below.size, (0, 0, 0, 0))
    shown = above.convert("RGBA")
    if opacity < 1:
        fainter = [round(value * opacity) for value in range(256)]
        seen = cast("Any", shown.getchannel("A"))  # its types have a hole
        shown.putalpha(seen.point(fainter))
    layer.paste(shown, at)
    merged = Image.alpha_composite(below.convert("RGBA"), layer)
    merged.info.update(below.info)
    return merged if below.has_transparency_data else merged.convert("RGB")


def place(
    outer: tuple[int, int], inner: tuple[int, int], position: Position, margin: int
) -> tuple[int, int]:
    """Where the upper left corner of a picture comes on another.

    Example:
        >>> place((100, 50), (20, 10), "bottom-right", 5)
        (75, 35)
    """
    words = position.split("-")
    left = (outer[0] - inner[0]) // 2
    top = (outer[1] - inner[1]) // 2
    if "left" in words:
        left = margin
    if "right" in words:
        left = outer[0] - inner[0] - margin
    if "top" in words:
        top = margin
    if "bottom" in words:
        top = outer[1] - inner[1] - margin
    return left, top


def lettering(text: str, size: int, name: str) -> Image:
    """A text as a picture that is transparent around it.

    Args:
        text: The text.
        size: Height of its letters, in pixels.
        name: Their colour.
    """
    from PIL import Image, ImageDraw, ImageFont

    if not text.strip() or len(text) > 500:
        raise NodeError("text must have from 1 to 500 characters", code="INVALID_INPUT")
    font = ImageFont.load_default(size)
    measure = ImageDraw.Draw(Image.new("L", (1, 1)))
    left, top, right, bottom = (
        round(edge) for edge in measure.multiline_textbbox((0, 0), text, font)
    )
    width, height = max(1, right - left), max(1, bottom - top)
    _check_size(width, height)
    made = Image.new("RGBA", (width, height), (*colour(name)[:3], 0))
    ImageDraw.Draw(made).multiline_text((-left, -top), text, colour(name), font)
    return made


def marked(
    picture: Image, mark: Image, position: Position, *, opacity: float, scale: float, margin: int
) -> Image:
    """A picture with a mark on it; see ``image.watermark``."""
    if not 0 < scale <= 1:
        raise NodeError("scale must be more than 0 and at most 1", code="INVALID_INPUT")
    if margin < 0:
        raise NodeError("margin must be 0 or more", code="INVALID_INPUT")
    width = max(1, round(picture.width * scale))
    height = max(1, round(mark.height * width / mark.width))
    if height > picture.height:  # a mark that is much higher than wide
        width, height = max(1, round(width * picture.height / height)), picture.height
    sized = scaled(mark.convert("RGBA"), (width, height))
    return laid(picture, sized, place(picture.size, sized.size, position, margin), opacity)


def grey(picture: Image) -> Image:
    """A picture without colours."""
    return picture.convert("LA" if picture.has_transparency_data else "L")


def blurred(picture: Image, radius: float) -> Image:
    """A picture out of focus; see ``image.blur``."""
    from PIL import ImageFilter

    if not 0 < radius <= 500:
        raise NodeError("radius must be more than 0 and at most 500", code="INVALID_INPUT")
    return picture.filter(ImageFilter.GaussianBlur(radius))


def _check_size(width: int, height: int) -> None:
    if width * height > MOST_PIXELS:
        raise too_large(f"a picture of {width} by {height}")
