"""The ``sheet`` family: what is written is read again."""

from __future__ import annotations

import datetime
import os

import pytest

from atomiton.errors import NodeError
from atomiton.nodes import sheet
from atomiton.nodes.guard.files import FilesGuard
from atomiton.nodes.tables.layout import parse_range

ROWS = [
    {"id": "00123", "name": 'Grüße, "Ada"\nLovelace', "total": 12, "rate": 3.5, "ok": True},
    {"id": "=1+1", "name": "  two  spaces ", "total": -7, "rate": 0.1, "ok": False, "more": "x"},
]
ALL = ["csv", "tsv", "xlsx", "ods"]


@pytest.fixture
def files(tmp_path):
    return FilesGuard(base=tmp_path)


@pytest.mark.parametrize("kind", ALL)
async def test_round_trip(files, kind) -> None:
    saved = await sheet.write(f"t.{kind}", ROWS, sheet="Größen", files=files)
    assert saved["count"] == 2
    got = await sheet.read(f"t.{kind}", files=files)
    assert got["headers"] == ["id", "name", "total", "rate", "ok", "more"]
    assert got["count"] == 2
    empty = "" if kind in ("csv", "tsv") else None
    yes, no = ("true", "false") if empty == "" else (True, False)
    assert got["rows"] == [{**ROWS[0], "ok": yes, "more": empty}, {**ROWS[1], "ok": no}]
    assert got["sheets"] == ([] if empty == "" else ["Größen"])
    assert got["sheet"] == ("" if empty == "" else "Größen")


async def test_a_quote_that_is_never_closed(files, tmp_path) -> None:
    (tmp_path / "t.csv").write_text('a,b\n1,2\n"x,3\n4,5\n')
    with pytest.raises(NodeError, match="a quote in row 3 is never closed") as caught:
        await sheet.read("t.csv", files=files)
    assert caught.value.code == "INVALID_INPUT"
    (tmp_path / "t.csv").write_text('a,b\n1,"x\ny"')
    assert (await sheet.read("t.csv", files=files))["rows"] == [{"a": 1, "b": "x\ny"}]


@pytest.mark.parametrize("kind", ALL)
async def test_nothing_and_headers_only(files, kind) -> None:
    await sheet.write(f"t.{kind}", [], files=files)
    got = await sheet.read(f"t.{kind}", files=files)
    assert (got["rows"], got["headers"], got["count"]) == ([], [], 0)
    await sheet.write(f"t.{kind}", [], headers=["a", "b"], files=files)
    got = await sheet.read(f"t.{kind}", files=files)
    assert (got["rows"], got["headers"]) == ([], ["a", "b"])


@pytest.mark.parametrize("kind", ALL)
async def test_lists_without_headers(files, kind) -> None:
    rows = [[1, "a"], [2, "b"]]
    await sheet.write(f"t.{kind}", rows, files=files)
    got = await sheet.read(f"t.{kind}", headers=False, files=files)
    assert got["rows"] == rows
    assert got["headers"] == []


@pytest.mark.parametrize("kind", ALL)
async def test_ten_thousand_rows(files, kind) -> None:
    rows = [{"n": n, "text": f"row {n}", "half": n + 0.5} for n in range(10_000)]
    await sheet.write(f"t.{kind}", rows, files=files)
    assert (await sheet.read(f"t.{kind}", files=files))["rows"] == rows


@pytest.mark.parametrize("kind", ALL)
async def test_date_times_lists_and_controls(files, kind) -> None:
    moment = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)
    rows = [{"at": moment, "list": [1, {"a": 2}], "bell": "a<&>b"}]
    await sheet.write(f"t.{kind}", rows, files=files)
    (row,) = (await sheet.read(f"t.{kind}", files=files))["rows"]
    assert row == {"at": "2026-01-02T03:04:05Z", "list": '[1,{"a":2}]', "bell": "a<&>b"}


@pytest.mark.parametrize("kind", ["xlsx", "ods"])
async def test_the_same_rows_give_the_same_bytes(files, tmp_path, kind) -> None:
    await sheet.write(f"a.{kind}", ROWS, files=files)
    await sheet.write(f"b.{kind}", ROWS, files=files)
    assert (tmp_path / f"a.{kind}").read_bytes() == (tmp_path / f"b.{kind}").read_bytes()


async def test_formulas_are_text(files, tmp_path) -> None:
    import zipfile

    rows = [{"a": '=HYPERLINK("http://x")', "b": "+1", "c": "http://x", "d": "@x"}]
    await sheet.write("t.xlsx", rows, files=files)
    with zipfile.ZipFile(tmp_path / "t.xlsx") as archive:
        page = archive.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in page
    assert "hyperlink" not in page
    assert (await sheet.read("t.xlsx", files=files))["rows"] == rows


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12),
        ("-7", -7),
        ("0", 0),
        ("3.5", 3.5),
        ("0.1", 0.1),
        ("00123", "00123"),
        ("1e5", "1e5"),
        ("1.50", "1.50"),
        ("-0", "-0"),
        ("+1", "+1"),
        (" 1", " 1"),
        ("1_000", "1_000"),
        ("12345678901234567890", "12345678901234567890"),
        ("0.1234567890123456789", "0.1234567890123456789"),
        ("nan", "nan"),
        ("inf", "inf"),
        ("٣", "٣"),
        ("1.", "1."),
        ("true", "true"),
        ("2026-01-02", "2026-01-02"),
    ],
)
async def test_only_plain_numbers_become_numbers(files, tmp_path, text, value) -> None:
    (tmp_path / "t.csv").write_text(f"a,b\n{text},x\n")
    (row,) = (await sheet.read("t.csv", files=files))["rows"]
    assert row["a"] == value
    assert type(row["a"]) is type(value)


@pytest.mark.parametrize(
    ("data", "delimiter"),
    [
        (b"a;b\n1;x,y\n", None),
        (b"a\tb\n1\tx,y\n", None),
        (b'a,b\n1,"x,y"\n', None),
        (b"a|b\n1|x,y\n", None),
        (b'"a;q",b\n1,"x,y"\n', None),
        (b"a#b\n1#x,y\n", "#"),
        (b'\xef\xbb\xbfa,b\r\n1,"x,y"\r\n', None),
        ('a,b\n1,"x,y"\n'.encode("utf-16"), None),
    ],
)
async def test_delimiters_and_encodings(files, tmp_path, data, delimiter) -> None:
    (tmp_path / "t.csv").write_bytes(data)
    (row,) = (await sheet.read("t.csv", delimiter=delimiter, files=files))["rows"]
    assert list(row.values()) == [1, "x,y"]


async def test_old_encodings_ragged_rows_and_repeated_headers(files, tmp_path) -> None:
    (tmp_path / "t.csv").write_bytes("name,name,,x\nMüller,1\n\n,,,\n1,2,3,4,5\n".encode("cp1252"))
    got = await sheet.read("t.csv", files=files)
    assert got["headers"] == ["name", "name_2", "column_3", "x", "column_5"]
    assert list(got["rows"][0].values()) == ["Müller", 1, None, None, None]
    assert got["count"] == 2


@pytest.mark.parametrize("kind", ALL)
async def test_ranges(files, kind) -> None:
    rows = [{"a": 1, "b": 2, "c": 3}, {"a": 4, "b": 5, "c": 6}, {"a": 7, "b": 8, "c": 9}]
    await sheet.write(f"t.{kind}", rows, files=files)
    cut = await sheet.read(f"t.{kind}", range="B1:C3", files=files)
    assert cut["rows"] == [{"b": 2, "c": 3}, {"b": 5, "c": 6}]
    column = await sheet.read(f"t.{kind}", range="B:B", files=files)
    assert column["rows"] == [{"b": 2}, {"b": 5}, {"b": 8}]
    tail = await sheet.read(f"t.{kind}", range="A3:", headers=False, files=files)
    assert tail["rows"] == [[4, 5, 6], [7, 8, 9]]


def test_what_is_no_range() -> None:
    assert parse_range("$A$1:$D$20") == (0, 0, 19, 3)
    assert parse_range("AA5") == (4, 26, 4, 26)
    for text in ("", "1A", "A1:B2:C3", "D1:A1", "A0", "A5:A2"):
        with pytest.raises(NodeError, match="range"):
            parse_range(text)


async def test_sheets_by_name_and_number(files) -> None:
    await sheet.write("t.ods", [{"a": 1}], sheet="One", files=files)
    assert (await sheet.read("t.ods", sheet="One", files=files))["count"] == 1
    assert (await sheet.read("t.ods", sheet=0, files=files))["count"] == 1
    for wanted in ("Two", 1, -1):
        with pytest.raises(NodeError, match="there is no sheet") as caught:
            await sheet.read("t.ods", sheet=wanted, files=files)
        assert caught.value.code == "NOT_FOUND"


async def test_what_cannot_be_read_or_written(files, tmp_path) -> None:
    (tmp_path / "bad.xlsx").write_bytes(b"not a zip")
    (tmp_path / "bad.ods").write_bytes(b"PK\x03\x04" + os.urandom(100))
    for name in ("bad.xlsx", "bad.ods"):
        with pytest.raises(NodeError, match="is not a workbook"):
            await sheet.read(name, files=files)
    for work in (sheet.read("x.pdf", files=files), sheet.write("x.pdf", [], files=files)):
        with pytest.raises(NodeError, match="not a table this node knows"):
            await work
    with pytest.raises(NodeError, match="rows must all be"):
        await sheet.write("x.csv", [{"a": 1}, [1]], files=files)
    with pytest.raises(NodeError, match="rows must all be"):
        await sheet.write("x.csv", ["text"], files=files)
    with pytest.raises(NodeError, match="not a name of a sheet"):
        await sheet.write("x.xlsx", [], sheet="a/b", files=files)
    with pytest.raises(NodeError, match="longer than 32767"):
        await sheet.write("x.xlsx", [{"a": "x" * 40_000}], files=files)
    with pytest.raises(NodeError, match="delimiter"):
        await sheet.write("x.csv", [], delimiter="", files=files)
    with pytest.raises(NodeError, match="exists already"):
        await sheet.write("bad.xlsx", [], overwrite=False, files=files)
    assert not (tmp_path / "x.csv").exists()


@pytest.mark.parametrize("name", ["t.csv", "t.tsv"])
async def test_a_table_of_text_has_one_sheet(files, name) -> None:
    await sheet.write(name, [{"a": 1}], files=files)
    assert (await sheet.read(name, sheet=0, files=files))["rows"] == [{"a": 1}]
    for wrong in (3, "Orders"):
        with pytest.raises(NodeError, match=f"has no sheet {wrong!r}: a ... file") as caught:
            await sheet.read(name, sheet=wrong, files=files)
        assert caught.value.code == "NOT_FOUND"


async def test_cells_that_are_empty_and_cells_that_are_not_there(files, tmp_path) -> None:
    (tmp_path / "t.csv").write_text("a,b,c\n1,,\n1\n")
    rows = (await sheet.read("t.csv", files=files))["rows"]
    assert rows == [{"a": 1, "b": "", "c": ""}, {"a": 1, "b": None, "c": None}]


async def test_numbers_with_more_digits_than_a_spreadsheet_keeps_stay_text(files, tmp_path) -> None:
    (tmp_path / "t.csv").write_text("a,b\n999999999999999,1000000000000000\n")
    rows = (await sheet.read("t.csv", files=files))["rows"]
    assert rows == [{"a": 999_999_999_999_999, "b": "1000000000000000"}]
