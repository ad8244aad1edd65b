"""Options that several verbs share."""

from __future__ import annotations

import click

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
store_option = click.option(
    "--store",
    metavar="URL",
    help="Where runs are kept: sqlite:PATH, a path or memory:. "
    "By default ATOMITON_STORE, else the user's data folder.",
)
nodes_option = click.option(
    "--nodes",
    "nodes",
    multiple=True,
    metavar="FILE.py",
    help="Python file of node types to add; may be given again.",
)
