"""Pictures in files: read, changed, and written again."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, TypedDict

from atomiton.nodes.guard.threads import in_thread
from atomiton.ports.capabilities import Files

if TYPE_CHECKING:
    from PIL.Image import Image

    from atomiton.nodes.pictures.coding import Written

Format = Literal["jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff"]


class Picture(TypedDict):
    """A picture that was written; all of it is read back from the file.

    Attributes:
        path: The new file.
        width: Pixels across.
        height: Pixels down.
        format: Such as `jpeg`.
        size: Its bytes.
    """

    path: str
    width: int
    height: int
    format: str
    size: int


async def changed(
    files: Files,
    path: str,
    to: str,
    change: Callable[[Image], Image],
    *,
    format: str | None,  # noqa: A002 - the name of the port
    quality: int,
    background: str,
    overwrite: bool,
    create_folders: bool,
) -> Picture:
    """Read a picture, change it, write it, and say what the file is now.

    Args:
        files: The door to files.
        path: The picture.
        to: The new file.
        change: What is done to the picture, in a thread.
        format: Ending of the format to write; None for what ``to`` ends with.
        quality: From 1 to 100.
        background: Colour behind what is transparent.
        overwrite: Replace a file that exists; otherwise that is an error.
        create_folders: Make missing folders.
    """
    from atomiton.nodes.pictures.coding import coded, format_of, opened

    form = format_of(to, format)
    data = await files.read(path)

    def work() -> Written:
        picture = change(opened(data, repr(path)))
        return coded(picture, form, quality=quality, background=background)

    made = await in_thread(work)
    size = await files.write(
        to, made.data, append=False, overwrite=overwrite, create_folders=create_folders
    )
    return {
        "path": str(files.resolve(to)),
        "width": made.width,
        "height": made.height,
        "format": made.format,
        "size": size,
    }
