"""The ``image`` family: pictures laid on each other, and what changes all of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atomiton.errors import NodeError
from atomiton.nodes.pictures.changing import Position
from atomiton.nodes.pictures.files import Format, Picture, changed
from atomiton.nodes.spec import node
from atomiton.ports.capabilities import Files, injected

if TYPE_CHECKING:
    from PIL.Image import Image


@node(
    "image.compose",
    title="Compose images",
    icon="layers",
    plain=True,
    example="""
    atomiton: 1
    id: image-compose-example
    nodes:
      dot:
        uses: file.write
        with:
          path: dot.bmp
          content: >-
            ${{ base64.decode("Qk1GAAAAAAAAADYAAAAoAAAAAgAAAAIAAAABABgAAAAAABAAAAATCwAAEwsA"
            + "AAAAAAAAAAAA/wAAAP8AAAAAAP////8AAA==") }}
      both:
        uses: image.compose
        with:
          path: ${{ dot.path }}
          over: ${{ dot.path }}
          to: both.png
          position: center
          opacity: 0.5
    output: ${{ both.width }}
    """,
)
async def compose(
    path: str,
    over: str,
    to: str,
    *,
    position: Position = "top-left",
    x: int | None = None,
    y: int | None = None,
    opacity: float = 1.0,
    format: Format | None = None,  # noqa: A002 - the name of the port
    quality: int = 85,
    background: str = "white",
    overwrite: bool = True,
    create_folders: bool = True,
    files: Files = injected,
) -> Picture:
    """One picture on another; what would lie outside of the lower one is cut off.

    Both are first turned upright, as their EXIF data says they were taken. Needs
    `atomiton[image]`.

    Args:
        path: The picture; JPEG, PNG, WebP, GIF, BMP or TIFF.
        over: The picture that is laid on it; it may be transparent in parts.
        to: The new file; its ending says what it becomes.
        position: Where it comes: `top-left`, `top`, ... `bottom-right`.
        x: Pixels from the left edge, which may be below 0; by default what `position` says.
        y: Pixels from the upper edge, which may be below 0; by default what `position` says.
        opacity: How much of the upper picture is seen, from 0 to 1.
        format: Format of the new file; by default what its ending means.
        quality: From 1 to 100, of JPEG and WebP.
        background: Colour behind what is transparent, where the format keeps no transparency.
        overwrite: Replace a file that exists; otherwise that is an error.
        create_folders: Make missing folders.
        files: The door to files.
    """
    from atomiton.nodes.pictures.changing import laid, place
    from atomiton.nodes.pictures.coding import opened

    upper = await files.read(over)

    def change(picture: Image) -> Image:
        above = opened(upper, repr(over))
        left, top = place(picture.size, above.size, position, 0)
        at = (left if x is None else x, top if y is None else y)
        return laid(picture, above, at, opacity)

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
    "image.watermark",
    title="Watermark image",
    icon="stamp",
    plain=True,
    example="""
    atomiton: 1
    id: image-watermark-example
    nodes:
      dot:
        uses: file.write
        with:
          path: dot.bmp
          content: >-
            ${{ base64.decode("Qk1GAAAAAAAAADYAAAAoAAAAAgAAAAIAAAABABgAAAAAABAAAAATCwAAEwsA"
            + "AAAAAAAAAAAA/wAAAP8AAAAAAP////8AAA==") }}
      marked:
        uses: image.watermark
        with:
          path: ${{ dot.path }}
          to: marked.png
          text: "©"
          scale: 1
          margin: 0
    output: ${{ marked.width }}
    """,
)
async def watermark(
    path: str,
    to: str,
    *,
    text: str | None = None,
    mark: str | None = None,
    position: Position = "bottom-right",
    opacity: float = 0.5,
    scale: float = 0.25,
    margin: int = 16,
    colour: str = "white",
    format: Format | None = None,  # noqa: A002 - the name of the port
    quality: int = 85,
    background: str = "white",
    overwrite: bool = True,
    create_folders: bool = True,
    files: Files = injected,
) -> Picture:
    """A picture with a mark on it, a text or another picture, as wide as a share of it.

    Both are first turned upright, as their EXIF data says they were taken. Needs
    `atomiton[image]`.

    Args:
        path: The picture; JPEG, PNG, WebP, GIF, BMP or TIFF.
        to: The new file; its ending says what it becomes.
        text: The mark, as text.
        mark: The mark, as the path of a picture, which may be transparent in parts.
        position: Where it comes: `top-left`, `top`, ... `bottom-right`.
        opacity: How much of it is seen, from 0 to 1.
        scale: How wide it is, as a share of the picture, of more than 0 to 1.
        margin: Pixels between it and the edges.
        colour: Colour of the text.
        format: Format of the new file; by default what its ending means.
        quality: From 1 to 100, of JPEG and WebP.
        background: Colour behind what is transparent, where the format keeps no transparency.
        overwrite: Replace a file that exists; otherwise that is an error.
        create_folders: Make missing folders.
        files: The door to files.
    """
    from atomiton.nodes.pictures.changing import lettering, marked
    from atomiton.nodes.pictures.coding import opened

    if (text is None) is (mark is None):
        raise NodeError("give one of text and mark", code="INVALID_INPUT")
    stamp = None if mark is None else await files.read(mark)

    def change(picture: Image) -> Image:
        above = lettering(text or "", 200, colour) if stamp is None else opened(stamp, repr(mark))
        return marked(picture, above, position, opacity=opacity, scale=scale, margin=margin)

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
    "image.grayscale",
    title="Grey image",
    icon="contrast",
    plain=True,
    example="""
    atomiton: 1
    id: image-grayscale-example
    nodes:
      dot:
        uses: file.write
        with:
          path: dot.bmp
          content: >-
            ${{ base64.decode("Qk1GAAAAAAAAADYAAAAoAAAAAgAAAAIAAAABABgAAAAAABAAAAATCwAAEwsA"
            + "AAAAAAAAAAAA/wAAAP8AAAAAAP////8AAA==") }}
      grey:
        uses: image.grayscale
        with:
          path: ${{ dot.path }}
          to: grey.png
    output: ${{ grey.width }}
    """,
)
async def grayscale(
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
    """A picture without colours, as light and dark as it is seen.

    It is turned upright, as its EXIF data says it was taken. Needs `atomiton[image]`.

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
    from atomiton.nodes.pictures.changing import grey as change

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
    "image.blur",
    title="Blur image",
    icon="droplets",
    plain=True,
    example="""
    atomiton: 1
    id: image-blur-example
    nodes:
      dot:
        uses: file.write
        with:
          path: dot.bmp
          content: >-
            ${{ base64.decode("Qk1GAAAAAAAAADYAAAAoAAAAAgAAAAIAAAABABgAAAAAABAAAAATCwAAEwsA"
            + "AAAAAAAAAAAA/wAAAP8AAAAAAP////8AAA==") }}
      soft:
        uses: image.blur
        with:
          path: ${{ dot.path }}
          to: soft.png
          radius: 2
    output: ${{ soft.width }}
    """,
)
async def blur(
    path: str,
    to: str,
    radius: float = 4,
    *,
    format: Format | None = None,  # noqa: A002 - the name of the port
    quality: int = 85,
    background: str = "white",
    overwrite: bool = True,
    create_folders: bool = True,
    files: Files = injected,
) -> Picture:
    """A picture out of focus.

    It is turned upright, as its EXIF data says it was taken. Needs `atomiton[image]`.

    Args:
        path: The picture; JPEG, PNG, WebP, GIF, BMP or TIFF.
        to: The new file; its ending says what it becomes.
        radius: How far, in pixels; more than 0, and at most 500.
        format: Format of the new file; by default what its ending means.
        quality: From 1 to 100, of JPEG and WebP.
        background: Colour behind what is transparent, where the format keeps no transparency.
        overwrite: Replace a file that exists; otherwise that is an error.
        create_folders: Make missing folders.
        files: The door to files.
    """
    from atomiton.nodes.pictures.changing import blurred

    def change(picture: Image) -> Image:
        return blurred(picture, radius)

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
