"""``atomiton export``."""

from __future__ import annotations

import sys

import click

from atomiton.cli.options import complete_file
from atomiton.cli.status import COMPLETED, REFUSED


@click.command("export")
@click.argument("file", metavar="FILE", shell_complete=complete_file)
@click.option(
    "--to",
    "form",
    type=click.Choice(["python", "yaml", "json"]),
    default="python",
    show_default=True,
    help="What to write it as.",
)
def command(file: str, form: str) -> int:
    """Write a blueprint in another form: as Python that builds it, as tidy YAML, as JSON.

    FILE is YAML or JSON, or - for standard input. What is written means the same; comments, and in
    Python the places of the nodes on the canvas, are left out. Whether the blueprint can be run is
    not looked at.
    """
    from atomiton.blueprint.document import read_blueprint
    from atomiton.cli.prepare import read_source
    from atomiton.cli.refusal import Refused, problems_of, show_problems
    from atomiton.errors import AtomitonError

    try:
        text = sys.stdin.buffer.read() if file == "-" else read_source(file)
        blueprint, _ = read_blueprint(text, filename=file)
    except Refused as refused:
        show_problems(refused.problems, refused.file, err=True)
        return REFUSED
    except AtomitonError as error:
        show_problems(problems_of(error), file, err=True)
        return REFUSED
    if form == "python":
        from atomiton.blueprint.python import to_python
        from atomiton.nodes.functions import function_of

        click.echo(to_python(blueprint, function_of), nl=False)
    elif form == "yaml":
        from atomiton.blueprint.emit import to_yaml

        click.echo(to_yaml(blueprint.document), nl=False)
    else:
        import json

        click.echo(json.dumps(blueprint.document, indent=2, ensure_ascii=False))
    return COMPLETED
