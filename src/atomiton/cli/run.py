"""``atomiton run``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from atomiton.cli.options import complete_file, json_option, nodes_option, store_option
from atomiton.cli.status import REFUSED

if TYPE_CHECKING:
    from atomiton.blueprint.model import Durability


@click.command("run")
@click.argument("file", metavar="FILE|ID", shell_complete=complete_file)
@click.option(
    "--input", "-i", "given", multiple=True, metavar="NAME=VALUE", help="An input; may be repeated."
)
@click.option(
    "--inputs",
    "inputs_file",
    metavar="FILE",
    shell_complete=complete_file,
    help="YAML or JSON of inputs; - for stdin.",
)
@json_option
@nodes_option
@click.option(
    "--durability",
    type=click.Choice(["sync", "async", "none"]),
    help="How much of the run a crash may lose, instead of what the blueprint says.",
)
@click.option("--timeout", metavar="TIME", help="Longest time for the run, such as 5m.")
@click.option("--step", is_flag=True, help="Start paused and ask before each attempt.")
@click.option(
    "--break",
    "stops",
    multiple=True,
    metavar="NODE",
    help="Stop before a node and ask; 'NODE if CONDITION' only when it holds. May be repeated.",
)
@store_option
@click.option("--key", metavar="KEY", help="Run only once under this key; later runs get its end.")
@click.option(
    "--priority", type=int, default=0, metavar="N", help="Higher ones that wait begin earlier."
)
@click.option("--lane", default="", metavar="NAME", help="Runs of a lane share a bound.")
@click.option("--delay", metavar="TIME", help="Time before which it does not begin, such as 5m.")
@click.option("--detach", is_flag=True, help="Leave the run on record once it only waits.")
@click.option("--quiet", "-q", is_flag=True, help="Show no progress.")
def command(
    file: str,
    given: tuple[str, ...],
    inputs_file: str | None,
    nodes: tuple[str, ...],
    durability: Durability | None,
    timeout: str | None,
    stops: tuple[str, ...],
    store: str | None,
    key: str | None,
    priority: int,
    lane: str,
    delay: str | None,
    *,
    as_json: bool,
    step: bool,
    detach: bool,
    quiet: bool,
) -> int:
    """Run a blueprint, a file or one that is kept, and print its output.

    Progress goes to standard error, the output to standard output. Ctrl-C cancels the run and
    waits for it; a second one stops at once.

    Exit status: 0 completed, 1 failed, 2 refused before it ran, 3 cancelled, 4 left waiting.
    """
    from atomiton.cli.prepare import is_kept, make_library, prepare, read_turn
    from atomiton.cli.refusal import Refused, print_refusal, show_problems

    try:
        turn = read_turn(priority, lane, delay)
        library = make_library(nodes)
        prepared = prepare(file, library, given, inputs_file, durability, timeout, store)
    except Refused as refused:
        if as_json:
            print_refusal(refused.problems, refused.blueprint)
        else:
            show_problems(refused.problems, refused.file, err=True)
        return REFUSED
    from atomiton.cli.perform import Wishes, perform

    main = None
    if is_kept(file) and not nodes:
        from atomiton.conductor.places import main_process

        main = main_process(store)
    wishes = Wishes(file, store, key, as_json, step, detach, quiet, main, stops, turn)
    return perform(prepared, wishes)
