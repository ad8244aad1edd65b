"""Writing cells as CSV, XLSX and ODS."""

from __future__ import annotations

import datetime
import importlib
import io
from collections.abc import Iterator
from typing import Any, cast

from atomiton.errors import NodeError
from atomiton.nodes import json
from atomiton.nodes.tables.layout import Cells

_ODS_TYPE = "application/vnd.oasis.opendocument.spreadsheet"
_FORBIDDEN = set("[]:*?/\\")
_XLSX_TEXT = 32_767
_SPACES = (
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'
)
#: What XML 1.0 cannot hold, not even escaped.
_CONTROLS = dict.fromkeys((*({*range(32)} - {9, 10, 13}), 0xFFFE, 0xFFFF))


def plain(cell: object) -> bool | int | float | str | None:
    """A cell as a spreadsheet holds it."""
    if cell is None or isinstance(cell, bool | int | float | str):
        return cell
    if isinstance(cell, datetime.datetime):
        return cell.isoformat().replace("+00:00", "Z")
    return json.encode(cell).decode()


def write_delimited(cells: Cells, delimiter: str) -> bytes:
    """Write CSV: UTF-8, lines ended as RFC 4180 says, quotes where needed."""
    import csv

    if len(delimiter) != 1 or delimiter in '"\r\n':
        raise NodeError("delimiter must be one character, and no quote", code="INVALID_INPUT")
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=delimiter)
    for row in cells:
        writer.writerow([_text(cell) for cell in row])
    return stream.getvalue().encode()


def _text(cell: object) -> str:
    value = plain(cell)
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else value if isinstance(value, str) else repr(value)


def write_xlsx(cells: Cells, sheet: str) -> bytes:
    """Write a workbook of one sheet."""
    try:
        xlsxwriter = cast("Any", importlib.import_module("xlsxwriter"))  # it has no types
    except ModuleNotFoundError:
        raise NodeError(
            "writing .xlsx needs XlsxWriter: pip install 'atomiton[sheets]'", code="NOT_SUPPORTED"
        ) from None
    if len(cells) > 1_048_576 or max(map(len, cells), default=0) > 16_384:
        raise NodeError(
            "the table is larger than an .xlsx sheet can be; write .csv", code="LIMIT_EXCEEDED"
        )
    stream = io.BytesIO()
    # Nothing in a cell is read as a formula, a number or a link: it is what it is.
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_numbers": False,
        "strings_to_urls": False,
    }
    book = xlsxwriter.Workbook(stream, options)
    # A fixed moment: the same rows give the same bytes.
    book.set_properties({"created": datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)})
    page = book.add_worksheet(_sheet_name(sheet))
    for y, row in enumerate(cells):
        for x, cell in enumerate(row):
            value = plain(cell)
            if isinstance(value, bool):
                page.write_boolean(y, x, value)
            elif isinstance(value, int | float) and abs(value) < 10**15:
                page.write_number(y, x, value)
            elif value is not None:
                text = str(value).translate(_CONTROLS)
                _check_length(text, x, y)
                page.write_string(y, x, text)
    book.close()
    return stream.getvalue()


def _check_length(text: str, x: int, y: int) -> None:
    if len(text) > _XLSX_TEXT:
        raise NodeError(
            f"the text in row {y + 1}, column {x + 1} is longer than {_XLSX_TEXT} characters, "
            "which .xlsx cannot hold; write .csv",
            code="LIMIT_EXCEEDED",
        )


def _sheet_name(name: str) -> str:
    if not 0 < len(name) <= 31 or _FORBIDDEN & set(name) or name[0] == "'" or name[-1] == "'":
        raise NodeError(
            f"{name!r} is not a name of a sheet: 1 to 31 characters, none of []:*?/\\",
            code="INVALID_INPUT",
        )
    return name


def write_ods(cells: Cells, sheet: str) -> bytes:
    """Write an OpenDocument spreadsheet of one sheet: the least that every reader takes."""
    import zipfile

    manifest = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<manifest:manifest '
        'xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" '
        f'manifest:version="1.3"><manifest:file-entry manifest:full-path="/" '
        f'manifest:version="1.3" manifest:media-type="{_ODS_TYPE}"/><manifest:file-entry '
        'manifest:full-path="content.xml" manifest:media-type="text/xml"/></manifest:manifest>'
    )
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        # First and unpacked, so that programs tell the type by the first bytes.
        _put(archive, "mimetype", _ODS_TYPE, packed=False)
        _put(archive, "content.xml", "".join(_content(cells, _sheet_name(sheet))), packed=True)
        _put(archive, "META-INF/manifest.xml", manifest, packed=True)
    return stream.getvalue()


def _put(archive: object, name: str, text: str, *, packed: bool) -> None:
    import zipfile

    # A fixed moment: the same rows give the same bytes.
    entry = zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    cast("zipfile.ZipFile", archive).writestr(entry, text.encode())


def _content(cells: Cells, sheet: str) -> Iterator[str]:
    yield f'<?xml version="1.0" encoding="UTF-8"?>\n<office:document-content {_SPACES} '
    yield 'office:version="1.3"><office:body><office:spreadsheet>'
    yield f'<table:table table:name="{_escape(sheet)}">'
    for row in cells:
        yield "<table:table-row>"
        yield "".join(map(_ods_cell, row)) or "<table:table-cell/>"
        yield "</table:table-row>"
    yield "</table:table></office:spreadsheet></office:body></office:document-content>"


def _ods_cell(cell: object) -> str:
    value = plain(cell)
    if value is None:
        return "<table:table-cell/>"
    if isinstance(value, bool):
        text = "true" if value else "false"
        attributes = f'office:value-type="boolean" office:boolean-value="{text}"'
    elif isinstance(value, int | float) and abs(value) < 10**15:
        text = repr(value)
        attributes = f'office:value-type="float" office:value="{text}"'
    else:
        text = str(value)
        attributes = 'office:value-type="string"'
    lines = "".join(f"<text:p>{_spaced(line)}</text:p>" for line in text.split("\n"))
    return f"<table:table-cell {attributes}>{lines}</table:table-cell>"


def _spaced(line: str) -> str:
    """Text whose spaces are kept: XML readers fold them."""
    text = _escape(line).replace("\t", "<text:tab/>")
    while "  " in text:
        text = text.replace("  ", " <text:s/>")
    return text.replace(" ", "<text:s/>", 1) if text.startswith(" ") else text


def _escape(text: str) -> str:
    clean = text.translate(_CONTROLS).replace("&", "&amp;").replace("<", "&lt;")
    return clean.replace(">", "&gt;").replace('"', "&quot;")
