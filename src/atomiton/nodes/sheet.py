"""The ``sheet`` family: tables in CSV, TSV, XLSX and ODS files."""

from __future__ import annotations

from typing import TypedDict, cast

from atomiton.errors import NodeError
from atomiton.nodes.guard.threads import in_thread
from atomiton.nodes.spec import node
from atomiton.ports.capabilities import Files, injected


class Table(TypedDict):
    """A table that was read; `headers` is empty when rows are lists.

    Attributes:
        rows: Objects by the names of the columns, or lists of cells.
        headers: Names of the columns; empty when rows are lists.
        count: How many rows.
        sheet: Name of the sheet that was read.
        sheets: Names of all sheets.
    """

    rows: list[object]
    headers: list[str]
    count: int
    sheet: str
    sheets: list[str]


class Saved(TypedDict):
    """A table that was written.

    Attributes:
        path: The file.
        count: How many rows, without the one of names.
        size: Its bytes.
    """

    path: str
    count: int
    size: int


@node(
    "sheet.read",
    title="Read sheet",
    icon="table",
    plain=True,
    example="""
    atomiton: 1
    id: sheet-read-example
    nodes:
      save:
        uses: sheet.write
        with:
          path: orders.csv
          rows: [{id: "007", total: 120.5}, {id: "008", total: 80}]
      load:
        uses: sheet.read
        with:
          path: ${{ save.path }}
    output: ${{ load.rows }}
    """,
)
async def read(
    path: str,
    *,
    sheet: str | int | None = None,
    headers: bool = True,
    delimiter: str | None = None,
    range: str | None = None,  # noqa: A002 - the name of the port
    files: Files = injected,
) -> Table:
    """Read a table. With headers each row is an object, without them a list.

    Text stays text: a CSV cell becomes a number only if the number, written again, is the same
    text and has at most 15 digits before the point, so `12` and `3.5` do but `00123`, `1.50`,
    `1e5` and numbers of cards do not. Dates of XLSX and ODS files become ISO 8601 text. Empty
    cells are null in XLSX and ODS, and empty text in CSV, where cells that a short row lacks are
    null. Rows without any content are left out. A repeated or missing header gets a number:
    `name_2`.

    Args:
        path: The file; its ending says what it is: .csv, .tsv, .xlsx, .xlsm, .xls or .ods.
        sheet: Name of the sheet, or its number from 0; the first by default. A CSV file has one.
        headers: Whether the first row names the columns.
        delimiter: What stands between the cells of a CSV file; found out by default.
        range: Part of the sheet to read, such as `A1:D20` or `B:C`.
        files: The door to files.
    """
    from atomiton.nodes.tables.layout import table
    from atomiton.nodes.tables.reading import read_delimited, read_workbook

    kind = _kind(path, ("csv", "tsv", "txt", "xlsx", "xlsm", "xlsb", "xls", "ods"))
    data = await files.read(path)
    if kind in ("csv", "tsv", "txt"):
        if sheet not in (None, 0):
            message = f"{path!r} has no sheet {sheet!r}: a {kind.upper()} file is one table"
            raise NodeError(message, code="NOT_FOUND")
        mark = "\t" if kind == "tsv" and delimiter is None else delimiter
        cells = await in_thread(read_delimited, data, mark, repr(path))
        name, names = "", cast("list[str]", [])
    else:
        name, names, cells = await in_thread(read_workbook, data, sheet, path)
    titles, rows = await in_thread(table, cells, headers, range)
    return {"rows": rows, "headers": titles, "count": len(rows), "sheet": name, "sheets": names}


@node(
    "sheet.write",
    title="Write sheet",
    icon="table",
    plain=True,
    example="""
    atomiton: 1
    id: sheet-write-example
    nodes:
      save:
        uses: sheet.write
        with:
          path: orders.xlsx
          rows: [{id: "007", total: 120.5}, {id: "008", total: 80}]
    output: ${{ save.count }}
    """,
)
async def write(
    path: str,
    rows: list[object],
    *,
    sheet: str = "Sheet1",
    headers: bool | list[str] = True,
    delimiter: str | None = None,
    overwrite: bool = True,
    create_folders: bool = True,
    files: Files = injected,
) -> Saved:
    """Write a table. The file is replaced in one step.

    Columns are the fields of the rows, in the order in which they first appear. Text is written as
    text, also if it begins with `=`; date-times as ISO 8601; lists and objects as JSON.

    Args:
        path: The file; its ending says what it becomes: .csv, .tsv, .xlsx or .ods.
        rows: Objects, or lists of cells.
        sheet: Name of the sheet, in XLSX and ODS.
        headers: Whether to write the names of the columns; or the columns to write, in order.
        delimiter: What stands between the cells of a CSV file; a comma by default.
        overwrite: Replace a file that exists; otherwise that is an error.
        create_folders: Make missing folders.
        files: The door to files.
    """
    from atomiton.nodes.tables.layout import grid
    from atomiton.nodes.tables.writing import write_delimited, write_ods, write_xlsx

    kind = _kind(path, ("csv", "tsv", "txt", "xlsx", "ods"))
    cells = await in_thread(grid, rows, headers)
    if kind in ("csv", "tsv", "txt"):
        usual = "\t" if kind == "tsv" else ","
        mark = usual if delimiter is None else delimiter
        data = await in_thread(write_delimited, cells, mark)
    else:
        data = await in_thread(write_xlsx if kind == "xlsx" else write_ods, cells, sheet)
    size = await files.write(
        path, data, append=False, overwrite=overwrite, create_folders=create_folders
    )
    return {"path": str(files.resolve(path)), "count": len(rows), "size": size}


def _kind(path: str, known: tuple[str, ...]) -> str:
    kind = path.rpartition(".")[2].lower()
    if kind not in known:
        raise NodeError(
            f"{path!r} is not a table this node knows: {', '.join(known)}", code="NOT_SUPPORTED"
        )
    return kind
