"""Options that several verbs share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


def complete_file(
    context: click.Context,  # noqa: ARG001 - as click has it
    parameter: click.Parameter,  # noqa: ARG001 - as click has it
    incomplete: str,
) -> list[CompletionItem]:
    """Leave it to the shell to complete the name of a file.

    Example:
        >>> [(found.value, found.type) for found in complete_file(None, None, "ord")]
        [('ord', 'file')]
    """
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="file")]


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
store_option = click.option(
    "--store",
    metavar="URL",
    help="Where runs are kept: sqlite:PATH, a path, postgresql://..., temporal://HOST or memory:. "
    "By default ATOMITON_STORE, else the user's data folder.",
)
blueprints_option = click.option(
    "--blueprints",
    metavar="URL",
    help="Where blueprints are kept: a folder, sqlite:PATH, postgresql://... or s3://... "
    "By default beside the runs; for runs on Temporal, in the user's data folder.",
)
nodes_option = click.option(
    "--nodes",
    "nodes",
    multiple=True,
    metavar="FILE",
    shell_complete=complete_file,
    help="File of node types to add: Python, or YAML that declares programs; may be given again.",
)
node_option = click.option(
    "--node",
    metavar="PATH",
    help="Only this node and what is in it, such as group.inner or orders[1234].",
)


def is_within(path: str | None, node: str | None) -> bool:
    """Whether a node is the one that was asked for, or stands in it; None asks for all.

    Example:
        >>> [is_within(path, "a[1]") for path in ("a[1]", "a[1].b", "a[12]", "a[1]:compensate")]
        [True, True, False, True]
    """
    if node is None or path == node:
        return True
    return path is not None and path.startswith((f"{node}.", f"{node}[", f"{node}:"))
