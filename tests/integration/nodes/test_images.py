"""The ``image`` family on real files: sizes, formats and pixels are those of what was written."""

from __future__ import annotations

import io
import struct
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from atomiton.errors import NodeError, NotAllowed
from atomiton.nodes import image, imaging
from atomiton.nodes.guard.files import FilesGuard

RED, GREEN, BLUE, WHITE, BLACK = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0)


class Desk:
    """A folder, and the nodes in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files = FilesGuard([folder], folder)

    async def __call__(self, name: str, path: str, *given: object, **more: Any) -> Any:
        module = imaging if hasattr(imaging, name) else image
        return await getattr(module, name).function(path, *given, **more, files=self.files)

    def make(self, name: str, size: tuple[int, int], colour: object = RED, **more: Any) -> str:
        mode = "RGBA" if isinstance(colour, tuple) and len(colour) == 4 else "RGB"
        Image.new(mode, size, colour).save(self.folder / name, **more)  # type: ignore[arg-type]
        return name

    def quarters(self, name: str = "four.png", side: int = 20, **more: Any) -> str:
        """Red and green above, blue and white below."""
        made = Image.new("RGB", (2 * side, 2 * side))
        for at, colour in (
            ((0, 0), RED),
            ((side, 0), GREEN),
            ((0, side), BLUE),
            ((side, side), WHITE),
        ):
            made.paste(colour, (*at, at[0] + side, at[1] + side))
        made.save(self.folder / name, **more)
        return name

    def open(self, name: str) -> Image.Image:
        picture = Image.open(io.BytesIO((self.folder / name).read_bytes()))
        picture.load()
        return picture

    def pixel(self, name: str, at: tuple[int, int]) -> Any:
        return self.open(name).convert("RGB").getpixel(at)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def near(one: Any, other: Any, by: int = 3) -> bool:
    return all(abs(a - b) <= by for a, b in zip(one, other, strict=True))


def sideways(desk: Desk, name: str, orientation: int) -> str:
    """A picture that is taken with the camera turned."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    made = Image.new("RGB", (60, 20), RED)
    made.paste(BLUE, (30, 0, 60, 20))
    made.save(desk.folder / name, quality=100, subsampling=0, exif=exif)
    return name


async def test_facts(desk: Desk) -> None:
    desk.make("a.png", (30, 20), (255, 0, 0, 128))
    assert await desk("info", "a.png") == {
        "path": str(desk.folder / "a.png"),
        "width": 30,
        "height": 20,
        "format": "png",
        "size": (desk.folder / "a.png").stat().st_size,
        "transparent": True,
        "orientation": 1,
        "frames": 1,
    }
    turned = await desk("info", sideways(desk, "b.jpg", 6))
    assert (turned["width"], turned["height"], turned["orientation"]) == (20, 60, 6)
    frames = [Image.new("RGB", (4, 4), colour) for colour in (RED, GREEN, BLUE)]
    frames[0].save(desk.folder / "c.gif", save_all=True, append_images=frames[1:])
    assert (await desk("info", "c.gif"))["frames"] == 3


@pytest.mark.parametrize(
    ("more", "size"),
    [
        ({"width": 50}, (50, 25)),
        ({"height": 50}, (100, 50)),
        ({"width": 80, "height": 80}, (80, 40)),
        ({"width": 80, "height": 80, "fit": "cover"}, (80, 80)),
        ({"width": 80, "height": 80, "fit": "fill"}, (80, 80)),
        ({"width": 400, "height": 300}, (200, 100)),
        ({"width": 400, "height": 300, "enlarge": True}, (400, 200)),
        ({"width": 300, "height": 300, "fit": "cover"}, (200, 100)),
        ({"width": 300, "height": 300, "fit": "cover", "enlarge": True}, (300, 300)),
        ({"width": 1}, (1, 1)),
        ({"width": 67, "height": 33, "fit": "cover"}, (67, 33)),
        ({"width": 800, "height": 600}, (200, 100)),
    ],
)
async def test_the_size_is_that_of_the_file(desk: Desk, more, size) -> None:
    desk.make("a.png", (200, 100))
    got = await desk("resize", "a.png", "out/b.jpg", **more)
    assert desk.open("out/b.jpg").size == (got["width"], got["height"]) == size
    assert got["format"] == "jpeg"
    assert got["size"] == (desk.folder / "out/b.jpg").stat().st_size


async def test_covering_keeps_the_middle(desk: Desk) -> None:
    made = Image.new("RGB", (300, 100), RED)
    made.paste(GREEN, (100, 0, 200, 100))
    made.save(desk.folder / "a.png")
    await desk("resize", "a.png", "b.png", 50, 50, fit="cover")
    assert all(near(desk.pixel("b.png", at), GREEN) for at in ((2, 2), (47, 47)))


@pytest.mark.parametrize("orientation", [3, 6, 8])
async def test_a_picture_is_turned_upright(desk: Desk, orientation: int) -> None:
    sideways(desk, "a.jpg", orientation)
    got = await desk("convert", "a.jpg", "b.png")
    assert (got["width"], got["height"]) == ((60, 20) if orientation == 3 else (20, 60))
    # 6: what was left is above; 8: it is below; 3: it is on the right.
    at = {3: (50, 10), 6: (10, 10), 8: (10, 50)}[orientation]
    assert near(desk.pixel("b.png", at), RED)
    assert 0x0112 not in desk.open("b.png").getexif()


@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "gif", "bmp", "tiff"])
async def test_every_format(desk: Desk, ending: str) -> None:
    desk.make("a.png", (10, 10), (255, 0, 0, 255))
    got = await desk("convert", "a.png", f"b.{ending}")
    assert desk.open(f"b.{ending}").format == {"jpg": "JPEG"}.get(ending, ending.upper())
    assert got["format"] == {"jpg": "jpeg"}.get(ending, ending)
    assert near(desk.pixel(f"b.{ending}", (5, 5)), RED)
    again = await desk("convert", f"b.{ending}", "c", format="png")
    assert again["format"] == "png"


async def test_what_is_transparent_gets_a_ground(desk: Desk) -> None:
    desk.make("a.png", (10, 10), (255, 0, 0, 0))
    await desk("convert", "a.png", "white.jpg")
    await desk("convert", "a.png", "blue.jpg", background="#0000ff")
    await desk("convert", "a.png", "clear.webp")
    assert near(desk.pixel("white.jpg", (5, 5)), WHITE)
    assert near(desk.pixel("blue.jpg", (5, 5)), BLUE)
    assert desk.open("clear.webp").convert("RGBA").getpixel((5, 5))[3] == 0  # type: ignore[index]


async def test_parts(desk: Desk) -> None:
    desk.quarters()
    for more, colour in (
        ({"x": 0, "y": 0}, RED),
        ({"x": 20, "y": 0}, GREEN),
        ({"position": "bottom-left"}, BLUE),
        ({"position": "bottom-right"}, WHITE),
        ({"position": "top-right"}, GREEN),
    ):
        got = await desk("crop", "four.png", "b.png", 20, 20, **more)
        assert (got["width"], got["height"]) == (20, 20)
        corners = [desk.pixel("b.png", at) for at in ((0, 0), (19, 0), (0, 19), (19, 19))]
        assert corners == [colour] * 4, more
    for given in ((41, 1), (1, 41), (0, 5)):
        with pytest.raises(NodeError, match="not inside the picture, which is 40 by 40"):
            await desk("crop", "four.png", "b.png", *given)
    with pytest.raises(NodeError, match="not inside"):
        await desk("crop", "four.png", "b.png", 20, 20, x=30)


async def test_turning(desk: Desk) -> None:
    made = Image.new("RGB", (40, 20), RED)
    made.paste(BLUE, (20, 0, 40, 20))
    made.save(desk.folder / "a.png")
    for degrees, size, red in (
        (90, (20, 40), (10, 5)),
        (-90, (20, 40), (10, 35)),
        (180, (40, 20), (35, 10)),
        (360, (40, 20), (5, 10)),
        (270, (20, 40), (10, 35)),
    ):
        got = await desk("rotate", "a.png", "b.png", degrees)
        assert (got["width"], got["height"]) == size
        assert desk.pixel("b.png", red) == RED, degrees
    got = await desk("rotate", "a.png", "b.png", 45)
    assert got["width"] == got["height"] > 40
    assert desk.open("b.png").convert("RGBA").getpixel((0, 0))[3] == 0  # type: ignore[index]
    await desk("rotate", "a.png", "c.png", 45, corners="lime")
    assert desk.pixel("c.png", (0, 0)) == GREEN
    kept = await desk("rotate", "a.png", "d.png", 45, expand=False)
    assert (kept["width"], kept["height"]) == (40, 20)


@pytest.mark.parametrize(
    ("position", "at"),
    [
        ("top-left", (0, 0)),
        ("top", (45, 0)),
        ("top-right", (90, 0)),
        ("left", (0, 45)),
        ("center", (45, 45)),
        ("right", (90, 45)),
        ("bottom-left", (0, 90)),
        ("bottom", (45, 90)),
        ("bottom-right", (90, 90)),
    ],
)
async def test_where_a_picture_comes_and_how_much_is_seen(desk: Desk, position, at) -> None:
    desk.make("below.png", (100, 100), WHITE)
    desk.make("above.png", (10, 10), BLACK)
    await desk("compose", "below.png", "above.png", "b.png", position=position, opacity=0.25)
    made = desk.open("b.png")
    grey = {(x, y) for x in range(100) for y in range(100) if made.getpixel((x, y)) != WHITE}
    assert grey == {(at[0] + x, at[1] + y) for x in range(10) for y in range(10)}
    assert {made.getpixel(each) for each in grey} == {(191, 191, 191)}


async def test_what_lies_outside_is_cut_off(desk: Desk) -> None:
    desk.make("below.jpg", (20, 20), WHITE, quality=100)
    desk.make("above.png", (10, 10), (0, 0, 255, 255))
    await desk("compose", "below.jpg", "above.png", "b.png", x=-5, y=15)
    assert desk.open("b.png").size == (20, 20)
    assert desk.pixel("b.png", (4, 15)) == BLUE
    assert near(desk.pixel("b.png", (5, 15)), WHITE)
    await desk("compose", "below.jpg", "above.png", "c.png", opacity=0)
    assert near(desk.pixel("c.png", (5, 5)), WHITE)
    for wrong in (-0.1, 1.1):
        with pytest.raises(NodeError, match="opacity must be from 0 to 1"):
            await desk("compose", "below.jpg", "above.png", "b.png", opacity=wrong)


async def test_a_mark_is_a_share_wide_and_in_its_corner(desk: Desk) -> None:
    desk.make("photo.jpg", (400, 200), BLUE, quality=100)
    desk.make("logo.png", (50, 50), (255, 255, 255, 255))
    got = await desk(
        "watermark", "photo.jpg", "b.png", mark="logo.png", opacity=1, scale=0.1, margin=5
    )
    assert (got["width"], got["height"]) == (400, 200)
    made = desk.open("b.png").convert("L")
    assert made.point([255 * (v > 128) for v in range(256)]).getbbox() == (355, 155, 395, 195)
    await desk(
        "watermark", "photo.jpg", "half.png", mark="logo.png", opacity=0.5, scale=0.1, margin=5
    )
    assert near(desk.pixel("half.png", (375, 175)), (128, 128, 255))
    await desk(
        "watermark", "photo.jpg", "t.png", text="© Ada", position="top-left", opacity=1, scale=0.5
    )
    box = desk.open("t.png").convert("L").point([255 * (v > 128) for v in range(256)]).getbbox()
    assert box is not None
    assert near(box[:3], (16, 16, 216), 8)
    for more, said in (
        ({}, "one of text and mark"),
        ({"text": "a", "mark": "logo.png"}, "one of text and mark"),
        ({"text": "a", "scale": 0}, "scale must be"),
        ({"text": " "}, "from 1 to 500"),
        ({"text": "a", "margin": -1}, "margin must be"),
        ({"text": "a", "colour": "bleu"}, "colour"),
    ):
        with pytest.raises(NodeError, match=said):
            await desk("watermark", "photo.jpg", "b.png", **more)


async def test_grey_and_blur(desk: Desk) -> None:
    desk.quarters()
    await desk("grayscale", "four.png", "b.png")
    shades = [desk.pixel("b.png", at)[0] for at in ((0, 0), (30, 0), (0, 30), (30, 30))]
    assert near(shades, (76, 150, 29, 255))
    assert desk.open("b.png").mode == "L"
    desk.make("a.png", (4, 4), (255, 0, 0, 100))
    await desk("grayscale", "a.png", "c.png")
    assert desk.open("c.png").convert("RGBA").getpixel((1, 1)) == (76, 76, 76, 100)
    await desk("blur", "four.png", "d.png", 5)
    edge = desk.pixel("d.png", (20, 2))
    assert 60 < edge[0] < 195
    assert 60 < edge[1] < 195
    for radius in (0, 501):
        with pytest.raises(NodeError, match="radius must be"):
            await desk("blur", "four.png", "d.png", radius)


def bomb(width: int, height: int) -> bytes:
    """A PNG file of a few bytes that says it is very large."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + data


@pytest.mark.parametrize("size", [(8001, 8000), (12_000, 12_000), (50_000, 50_000)])
async def test_pixels_are_bounded(desk: Desk, size: tuple[int, int]) -> None:
    (desk.folder / "a.png").write_bytes(bomb(*size))
    for name, given in (("info", ()), ("convert", ("b.png",))):
        with pytest.raises(NodeError, match="more than 64,000,000 pixels") as caught:
            await desk(name, "a.png", *given)
        assert caught.value.code == "LIMIT_EXCEEDED"
    desk.make("c.png", (10, 10))
    with pytest.raises(NodeError, match="64,000,000 pixels"):
        await desk("resize", "c.png", "b.png", *size, fit="fill", enlarge=True)


async def test_what_is_no_picture(desk: Desk) -> None:
    (desk.folder / "a.png").write_bytes(b"no picture")
    with pytest.raises(NodeError, match=r"'a\.png' is not a picture of a format that is read here"):
        await desk("info", "a.png")
    stream = io.BytesIO()
    Image.effect_noise((64, 64), 90).save(stream, "PNG")
    (desk.folder / "b.png").write_bytes(stream.getvalue()[:500])
    with pytest.raises(NodeError, match="damaged picture"):
        await desk("convert", "b.png", "c.png")
    (desk.folder / "x.eps").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
    with pytest.raises(NodeError, match="not a picture"):  # nothing starts another program
        await desk("info", "x.eps")
    desk.make("d.png", (4, 4))
    for more, said in (
        ({"to": "x.svg"}, "does not end as a picture"),
        ({"to": "x.jpg", "quality": 0}, "quality must be"),
        ({"to": "noend"}, "does not end"),
    ):
        with pytest.raises(NodeError, match=said):
            await desk("convert", "d.png", **more)
    with pytest.raises(NotAllowed):
        await desk("convert", "d.png", "../x.png")
    with pytest.raises(NodeError, match="exists already"):
        await desk("convert", "d.png", "d.png", overwrite=False)


async def test_pictures_need_their_library(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.make("d.png", (4, 4))
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(NodeError, match=r"pip install 'atomiton\[image\]'") as caught:
        await desk("info", "d.png")
    assert caught.value.code == "NOT_SUPPORTED"
