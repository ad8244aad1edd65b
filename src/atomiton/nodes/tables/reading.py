"""Reading CSV, TSV and workbooks as cells."""

from __future__ import annotations

import datetime
import io
import itertools
import re

from atomiton.errors import NodeError
from atomiton.nodes.tables.layout import Cells

_INTEGER = re.compile(r"-?(?:0|[1-9]\d{0,14})")
_DECIMAL = re.compile(r"-?(?:0|[1-9]\d{0,14})\.\d{1,15}")
_DELIMITERS = ",;\t|"
#: Stands for the end of the text; the mark is no character that text may hold.
_END = "\uffff"
#: Largest cell, far beyond what a spreadsheet program can show.
_LARGEST_CELL = 16 * 1024 * 1024


def number_or_text(text: str) -> object:
    """A number if it would be written exactly so, the text otherwise: ``00123`` stays text."""
    # Most cells are words; their first character tells without a pattern.
    if not text or text[0] not in "-0123456789":
        return text
    if _INTEGER.fullmatch(text):
        return text if text == "-0" else int(text)
    if _DECIMAL.fullmatch(text):
        number = float(text)
        return number if repr(number) == text else text
    return text


def read_delimited(
    data: bytes, delimiter: str | None, shown: str, *, numbers: bool = True
) -> Cells:
    """Read CSV or a relative of it; UTF-8, UTF-16 with a mark, or else Windows' Latin.

    Args:
        data: The text.
        delimiter: What stands between cells; None to find it out.
        shown: What the text is called in errors.
        numbers: Whether cells that are written like one become numbers.
    """
    import csv

    text = _text(data)
    if delimiter is not None and len(delimiter) != 1:
        raise NodeError("delimiter must be one character", code="INVALID_INPUT")
    mark = _delimiter(text) if delimiter is None else delimiter
    old = csv.field_size_limit(_LARGEST_CELL)
    try:
        # The line after the last is a row of its own, unless a quote is still open there.
        lines = itertools.chain(io.StringIO(text, newline=""), (_END,))
        rows = list(csv.reader(lines, delimiter=mark, strict=False))
        if rows.pop() != [_END]:
            at = f"row {len(rows) + 1}"
            raise NodeError(
                f"{shown} is not a table: a quote in {at} is never closed", code="INVALID_INPUT"
            )
        if not numbers:
            return [[*row] for row in rows]
        return [[number_or_text(cell) for cell in row] for row in rows]
    except csv.Error as error:
        raise NodeError(f"{shown} is not a table: {error}", code="INVALID_INPUT") from None
    finally:
        csv.field_size_limit(old)


def _text(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def _delimiter(text: str) -> str:
    """The mark that is most frequent outside of quotes in the first line that has any."""
    quoted = False
    counts = dict.fromkeys(_DELIMITERS, 0)
    for character in text[: 1 << 16]:
        if character == '"':
            quoted = not quoted
        elif not quoted and character in counts:
            counts[character] += 1
        elif not quoted and character == "\n" and any(counts.values()):
            break
    return max(_DELIMITERS, key=lambda mark: counts[mark])


def read_workbook(data: bytes, sheet: str | int | None, path: str) -> tuple[str, list[str], Cells]:
    """Read one sheet of an XLSX, XLS or ODS file: its name, all names, and its cells."""
    try:
        from python_calamine import CalamineError, CalamineWorkbook
    except ModuleNotFoundError:
        raise NodeError(
            "workbooks need python-calamine: pip install 'atomiton[sheets]'", code="NOT_SUPPORTED"
        ) from None
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        names = list(book.sheet_names)
        name = _pick(names, sheet)
        rows = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
    except CalamineError as error:
        raise NodeError(f"{path!r} is not a workbook: {error}", code="INVALID_INPUT") from None
    return name, names, [[_cell(cell) for cell in row] for row in rows]


def _pick(names: list[str], sheet: str | int | None) -> str:
    if isinstance(sheet, str):
        if sheet in names:
            return sheet
        raise NodeError(
            f"there is no sheet {sheet!r}; there is {', '.join(map(repr, names))}",
            code="NOT_FOUND",
        )
    index = sheet or 0
    if not 0 <= index < len(names):
        raise NodeError(f"there is no sheet {index}; there are {len(names)}", code="NOT_FOUND")
    return names[index]


def _cell(cell: object) -> object:
    """A cell as a JSON value; whole numbers are integers, as a spreadsheet shows them."""
    if isinstance(cell, str):
        return cell or None
    if isinstance(cell, float):
        return int(cell) if cell.is_integer() and abs(cell) < 1e15 else cell
    if isinstance(cell, datetime.datetime):
        midnight = cell.time() == datetime.time()
        return cell.date().isoformat() if midnight else cell.isoformat()
    if isinstance(cell, datetime.date | datetime.time):
        return cell.isoformat()
    if isinstance(cell, datetime.timedelta):
        return cell.total_seconds()
    return cell
