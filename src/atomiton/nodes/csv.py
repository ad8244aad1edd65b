"""The ``csv`` family: tables as text; whole files are read by ``sheet``."""

from __future__ import annotations

from typing import TypedDict

from atomiton.nodes.guard.threads import aside
from atomiton.nodes.spec import node


class Rows(TypedDict):
    """A table; `headers` is empty when rows are lists.

    Attributes:
        rows: Objects by the names of the columns, or lists of cells.
        headers: Names of the columns; empty when rows are lists.
        count: How many rows.
    """

    rows: list[object]
    headers: list[str]
    count: int


class Formatted(TypedDict):
    """A table as text.

    Attributes:
        text: The text, which ends with a line end.
        count: How many rows, without the one of names.
    """

    text: str
    count: int


@node(
    "csv.parse",
    effect="pure",
    title="Parse CSV",
    icon="table",
    plain=True,
    example="""
    atomiton: 1
    id: csv-parse-example
    nodes:
      orders:
        uses: csv.parse
        with:
          text: |
            id;total
            007;120.5
            008;80
    output: ${{ orders.rows }}
    """,
)
async def parse(
    text: str | bytes,
    *,
    headers: bool = True,
    delimiter: str | None = None,
    numbers: bool = True,
) -> Rows:
    """The rows of a CSV text. With headers each row is an object, without them a list.

    A cell becomes a number only if the number, written again, is the same text: `12` and `3.5` do,
    `00123` and `1.50` do not. Cells that a short row lacks are null; rows without any content are
    left out. A repeated or missing header gets a number: `name_2`.

    Args:
        text: The text; bytes are UTF-8, UTF-16 with a mark, or else Windows' Latin.
        headers: Whether the first row names the columns.
        delimiter: What stands between cells; found out by default, of `,`, `;`, tab and `|`.
        numbers: Whether cells become numbers at all.
    """
    titles, rows = await aside(len(text), _table, text, headers, delimiter, numbers)
    return {"rows": rows, "headers": titles, "count": len(rows)}


def _table(
    text: str | bytes,
    headers: bool,  # noqa: FBT001
    delimiter: str | None,
    numbers: bool,  # noqa: FBT001
) -> tuple[list[str], list[object]]:
    from atomiton.nodes.tables.layout import table
    from atomiton.nodes.tables.reading import read_delimited

    data = text.encode() if isinstance(text, str) else text
    cells = read_delimited(data, delimiter, "the text", numbers=numbers)
    return table(cells, headers, None)


@node(
    "csv.format",
    effect="pure",
    title="Format CSV",
    icon="table",
    plain=True,
    example="""
    atomiton: 1
    id: csv-format-example
    nodes:
      text:
        uses: csv.format
        with:
          rows: [{id: "007", total: 120.5}, {id: "008", total: 80}]
          delimiter: ;
    output: ${{ text.text }}
    """,
)
async def format_(
    rows: list[object], *, headers: bool | list[str] = True, delimiter: str = ","
) -> Formatted:
    """Rows as CSV text, its lines ended as RFC 4180 says, with quotes where they are needed.

    Columns are the fields of the rows, in the order in which they first appear. Lists and objects
    are written as JSON, null as nothing.

    Args:
        rows: Objects, or lists of cells.
        headers: Whether to write the names of the columns; or the columns to write, in order.
        delimiter: What stands between the cells.
    """
    return {
        "text": await aside(64 * len(rows), _text, rows, headers, delimiter),
        "count": len(rows),
    }


def _text(rows: list[object], headers: bool | list[str], delimiter: str) -> str:  # noqa: FBT001
    from atomiton.nodes.tables.layout import grid
    from atomiton.nodes.tables.writing import write_delimited

    return write_delimited(grid(rows, headers), delimiter).decode()
