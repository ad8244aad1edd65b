"""The ``image`` family: pictures in files, looked at and changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from atomiton.nodes.guard.threads import in_thread
from atomiton.nodes.pictures.changing import Fit, Position
from atomiton.nodes.pictures.files import Format, Picture, changed
from atomiton.nodes.spec import node
from atomiton.ports.capabilities import Files, injected

if TYPE_CHECKING:
    from PIL.Image import Image


class Info(TypedDict):
    """What a picture is; `width` and `height` are those of the picture upright, as it is shown.

    Attributes:
        path: The picture.
        width: Pixels across, upright as it is shown.
        height: Pixels down, upright as it is shown.
        format: Such as `jpeg`.
        size: Its bytes.
        transparent: Whether it is anywhere.
        orientation: What EXIF says, 1 if nothing.
        frames: How many pictures an animation has.
    """

    path: str
    width: int
    height: int
    format: str
    size: int
    transparent: bool
    orientation: int
    frames: int


@node(
    "image.info",
    title="Image facts",
    icon="image",
    plain=True,
    example="""
    atomiton: 1
    id: image-info-example
    nodes:
      dot:
        uses: file.write
        with:
          path: dot.bmp
          content: >-
            ${{ base64.decode("Qk1GAAAAAAAAADYAAAAoAAAAAgAAAAIAAAABABgAAAAAABAAAAATCwAAEwsA"
            + "AAAAAAAAAAAA/wAAAP8AAAAAAP////8AAA==") }}
      facts:
        uses: image.info
        with:
          path: ${{ dot.path }}
    output: ${{ facts.width }}
    """,
)
async def info(path: str, *, files: Files = injected) -> Info:
    """What a picture is: its size, format, and whether it is transparent anywhere.

    Reads JPEG, PNG, WebP, GIF, BMP and TIFF of up to 64 million pixels. Needs `atomiton[image]`.

    Args:
        path: The picture.
        files: The door to files.
    """
    data = await files.read(path)
    found = await in_thread(_facts, data, repr(path))
    return {"path": str(files.resolve(path)), "size": len(data), **found}  # type: ignore[typeddict-item]


def _facts(data: bytes, shown: str) -> dict[str, object]:
    from atomiton.nodes.pictures.coding import header

    picture = header(data, shown)
    orientation = int(picture.getexif().get(0x0112, 1))
    width, height = picture.size
    if orientation in (5, 6, 7, 8):  # it lies on its side
        width, height = height, width
    return {
        "width": width,
        "height": height,
        "format": (picture.format or "").lower(),
        "transparent": picture.has_transparency_data,
        "orientation": orientation,
        "frames": getattr(picture, "n_frames", 1),
    }


@node(
    "image.resize",
    title="Resize image",
    icon="scaling",
    plain=True,
    example="""
    atomiton: 1
    id: image-resize-example
    nodes:
      dot:
        uses: file.write
        with:
          path: dot.bmp
          content: >-
            ${{ base64.decode("Qk1GAAAAAAAAADYAAAAoAAAAAgAAAAIAAAABABgAAAAAABAAAAATCwAAEwsA"
            + "AAAAAAAAAAAA/wAAAP8AAAAAAP////8AAA==") }}
      small:
        uses: image.resize
        with:
          path: ${{ dot.path }}
          to: small.png
          width: 1
    output: ${{ small.width }}
    """,
)
async def resize(
    path: str,
    to: str,
    width: int | None = None,
    height: int | None = None,
    *,
    fit: Fit = "inside",
    enlarge: bool = False,
    format: Format | None = None,  # noqa: A002 - the name of the port
    quality: int = 85,
    background: str = "white",
    overwrite: bool = True,
    create_folders: bool = True,
    files: Files = injected,
) -> Picture:
    """A picture of another size, which keeps its proportions unless it is told otherwise.

    With `inside` it is as large as fits into width and height; with `cover` it fills them, and what
    is too much is cut off on both sides; with `fill` it is stretched. It is turned upright, as its
    EXIF data says it was taken; of an animation the first picture is taken. Needs
    `atomiton[image]`.

    Args:
        path: The picture; JPEG, PNG, WebP, GIF, BMP or TIFF.
        to: The new file; its ending says what it becomes.
        width: Pixels across; without it, what `height` makes of it.
        height: Pixels down; without it, what `width` makes of it.
        fit: `inside`: as large as fits into both; `cover`: fills both, the rest is cut off;
            `fill`: exactly both, stretched.
        enlarge: Whether a picture that is smaller grows.
        format: Format of the new file; by default what its ending means.
        quality: From 1 to 100, of JPEG and WebP.
        background: Colour behind what is transparent, where the format keeps no transparency.
        overwrite: Replace a file that exists; otherwise that is an error.
        create_folders: Make missing folders.
        files: The door to files.
    """
    from atomiton.nodes.pictures.changing import resized

    def change(picture: Image) -> Image:
        return resized(picture, width, height, fit, enlarge=enlarge)

    return await changed(
        files,
        path,
        to,
        change,
        format=format,
        quality=quality,
        background=background,
        overwrite=overwrite,
        create_folders=create_folders,
    )


@node(
    "image.convert",
    title="Convert image",
    icon="image-plus",
    plain=True,
    example="""
    atomiton: 1
    id: image-convert-example
    nodes:
      dot:
        uses: file.write
        with:
          path: dot.bmp
          content: >-
            ${{ base64.decode("Qk1GAAAAAAAAADYAAAAoAAAAAgAAAAIAAAABABgAAAAAABAAAAATCwAAEwsA"
            + "AAAAAAAAAAAA/wAAAP8AAAAAAP////8AAA==") }}
      page:
        uses: image.convert
        with:
          path: ${{ dot.path }}
          to: dot.webp
    output: ${{ page.width }}
    """,
)
async def convert(
    path: str,
    to: str,
    *,
    format: Format | None = None,  # noqa: A002 - the name of the port
    quality: int = 85,
    background: str = "white",
    overwrite: bool = True,
    create_folders: bool = True,
    files: Files = injected,
) -> Picture:
    """A picture in another format: JPEG, PNG, WebP, GIF, BMP or TIFF.

    It is turned upright, as its EXIF data says it was taken, and that data (place, camera, ...) is
    left out; of an animation the first picture is taken. Needs `atomiton[image]`.

    Args:
        path: The picture; JPEG, PNG, WebP, GIF, BMP or TIFF.
        to: The new file; its ending says what it becomes.
        format: Format of the new file; by default what its ending means.
        quality: From 1 to 100, of JPEG and WebP.
        background: Colour behind what is transparent, where the format keeps no transparency.
        overwrite: Replace a file that exists; otherwise that is an error.
        create_folders: Make missing folders.
        files: The door to files.
    """

    def change(picture: Image) -> Image:
        return picture

    return await changed(
        files,
        path,
        to,
        change,
        format=format,
        quality=quality,
        background=background,
        overwrite=overwrite,
        create_folders=create_folders,
    )


@node(
    "image.crop",
    title="Crop image",
    icon="crop",
    plain=True,
    example="""
    atomiton: 1
    id: image-crop-example
    nodes:
      dot:
        uses: file.write
        with:
          path: dot.bmp
          content: >-
            ${{ base64.decode("Qk1GAAAAAAAAADYAAAAoAAAAAgAAAAIAAAABABgAAAAAABAAAAATCwAAEwsA"
            + "AAAAAAAAAAAA/wAAAP8AAAAAAP////8AAA==") }}
      part:
        uses: image.crop
        with:
          path: ${{ dot.path }}
          to: part.png
          width: 1
          height: 2
          position: left
    output: ${{ part.width }}
    """,
)
async def crop(
    path: str,
    to: str,
    width: int,
    height: int,
    *,
    x: int | None = None,
    y: int | None = None,
    position: Position = "center",
    format: Format | None = None,  # noqa: A002 - the name of the port
    quality: int = 85,
    background: str = "white",
    overwrite: bool = True,
    create_folders: bool = True,
    files: Files = injected,
) -> Picture:
    """A part of a picture. A part that is not all inside of the picture is an error.

    The picture is first turned upright, as its EXIF data says it was taken. Needs
    `atomiton[image]`.

    Args:
        path: The picture; JPEG, PNG, WebP, GIF, BMP or TIFF.
        to: The new file; its ending says what it becomes.
        width: Pixels across.
        height: Pixels down.
        x: Pixels from the left edge; by default what `position` says.
        y: Pixels from the upper edge; by default what `position` says.
        position: Where the part is taken: `top-left`, `top`, ... `bottom-right`.
        format: Format of the new file; by default what its ending means.
        quality: From 1 to 100, of JPEG and WebP.
        background: Colour behind what is transparent, where the format keeps no transparency.
        overwrite: Replace a file that exists; otherwise that is an error.
        create_folders: Make missing folders.
        files: The door to files.
    """
    from atomiton.nodes.pictures.changing import cropped

    def change(picture: Image) -> Image:
        return cropped(picture, width, height, x, y, position)

    return await changed(
        files,
        path,
        to,
        change,
        format=format,
        quality=quality,
        background=background,
        overwrite=overwrite,
        create_folders=create_folders,
    )


@node(
    "image.rotate",
    title="Rotate image",
    icon="rotate-cw",
    plain=True,
    example="""
    atomiton: 1
    id: image-rotate-example
    nodes:
      dot:
        uses: file.write
        with:
          path: dot.bmp
          content: >-
            ${{ base64.decode("Qk1GAAAAAAAAADYAAAAoAAAAAgAAAAIAAAABABgAAAAAABAAAAATCwAAEwsA"
            + "AAAAAAAAAAAA/wAAAP8AAAAAAP////8AAA==") }}
      turned:
        uses: image.rotate
        with:
          path: ${{ dot.path }}
          to: turned.png
          degrees: 90
    output: ${{ turned.width }}
    """,
)
async def rotate(
    path: str,
    to: str,
    degrees: float,
    *,
    expand: bool = True,
    corners: str | None = None,
    format: Format | None = None,  # noqa: A002 - the name of the port
    quality: int = 85,
    background: str = "white",
    overwrite: bool = True,
    create_folders: bool = True,
    files: Files = injected,
) -> Picture:
    """A picture turned clockwise. By a quarter or a half nothing of it is lost.

    The picture is first turned upright, as its EXIF data says it was taken. Needs
    `atomiton[image]`.

    Args:
        path: The picture; JPEG, PNG, WebP, GIF, BMP or TIFF.
        to: The new file; its ending says what it becomes.
        degrees: How far; below 0 to the left.
        expand: Whether the new picture is as large as it must be to hold all; else the corners
            are cut off.
        corners: Colour of the corners that come up; transparent by default.
        format: Format of the new file; by default what its ending means.
        quality: From 1 to 100, of JPEG and WebP.
        background: Colour behind what is transparent, where the format keeps no transparency.
        overwrite: Replace a file that exists; otherwise that is an error.
        create_folders: Make missing folders.
        files: The door to files.
    """
    from atomiton.nodes.pictures.changing import rotated

    def change(picture: Image) -> Image:
        return rotated(picture, degrees, expand=expand, corners=corners)

    return await changed(
        files,
        path,
        to,
        change,
        format=format,
        quality=quality,
        background=background,
        overwrite=overwrite,
        create_folders=create_folders,
    )
