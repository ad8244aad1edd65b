"""The table of verbs, and the one place where errors become messages and exit statuses."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from atomiton.cli.group import LazyGroup
from atomiton.cli.status import FAILED, HUNG_UP, INTERNAL, INTERRUPTED, REFUSED

if TYPE_CHECKING:
    from atomiton.errors import AtomitonError

VERBS = {
    "run": "Run a blueprint and print its output.",
    "new": "Begin with a template, or with a package of node types.",
    "validate": "Check blueprints and print every problem.",
    "test": "Run the tests beside blueprints.",
    "runs": "Look at runs on record, and steer them.",
    "top": "Watch the runs that are under way.",
    "queue": "Look at runs that wait for their turn, and replay what failed.",
    "triggers": "Look at what starts runs by itself, pause it, fire it.",
    "nodes": "Look up what a node can do.",
    "graph": "Draw a blueprint, as Mermaid or SVG, or what would be undone.",
    "export": "Write a blueprint in another form, such as Python.",
    "import": "Make a blueprint of a workflow of n8n, Node-RED, AWS or another kind.",
    "refactor": "Change a blueprint without changing what it means.",
    "studio": "Open the studio in the browser.",
    "serve": "Serve the runs and blueprints of a store.",
    "worker": "Drive runs and run nodes for a Temporal server.",
    "mcp": "Serve blueprints as tools of an assistant.",
    "tokens": "Say who may use a server.",
    "secrets": "Keep secrets for blueprints, sealed.",
    "cache": "Look at results of nodes that are kept, and forget them.",
    "schema": "Print the JSON Schema of blueprints.",
    "doctor": "Check the installation and the store.",
    "version": "Print the version.",
}
"""Every verb and what it does; its module has the same name."""


def _print_version(context: click.Context, _parameter: click.Parameter, value: object) -> None:
    if value and not context.resilient_parsing:
        from atomiton.cli.version import own_version

        click.echo(f"atomiton {own_version()}")
        context.exit()


@click.group(
    cls=LazyGroup,
    package="atomiton.cli",
    verbs=VERBS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Print the version.",
)
@click.option("--debug", is_flag=True, expose_value=False, help="Show where an error came from.")
def app() -> None:
    """Run workflows: blueprints in YAML, on this machine.

    Exit status: 0 completed, 1 failed, 2 refused before anything ran, 3 cancelled, 4 left waiting.
    """


def run_app(arguments: list[str]) -> int:
    """Run the command line.

    Args:
        arguments: What follows the name of the program.

    Returns:
        The exit status.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # the caller has closed it: nobody wants to read it
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - for good
    debug = "--debug" in arguments or bool(os.environ.get("ATOMITON_DEBUG"))
    arguments = [argument for argument in arguments if argument != "--debug"]
    try:
        try:
            code = app.main(arguments, prog_name="atomiton", standalone_mode=False)
            sys.stdout.flush()
        except BaseException:
            if debug:
                import traceback

                traceback.print_exc()
            raise
        return code if isinstance(code, int) else 0
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.ClickException as error:
        return _refuse(error, arguments)
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        return INTERRUPTED
    except (BrokenPipeError, SystemExit) as end:  # click makes the one of the other
        if getattr(end, "code", 1) == 0:  # but for completion, which ends so
            return 0
        _hang_up()
        return HUNG_UP
    except OSError as error:
        _hang_up()
        click.echo(f"error: {error.strerror or error}", err=True)
        return FAILED
    except Exception as error:  # the user is owed one clear message, whatever it was
        return _explain(error, arguments)


def _refuse(error: click.ClickException, arguments: list[str]) -> int:
    """The command line itself is wrong."""
    if _wants_json(arguments) and arguments[:1] == ["run"]:
        from atomiton.cli.refusal import print_refusal
        from atomiton.errors import Problem

        print_refusal([Problem("INVALID_INPUT", error.format_message())])
    elif _wants_json(arguments):
        _tell_json("INVALID_INPUT", error.format_message(), None, arguments)
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.format_message())
    else:
        error.show()
    return REFUSED


def _explain(error: Exception, arguments: list[str]) -> int:
    from atomiton.errors import AtomitonError

    if isinstance(error, AtomitonError):
        if _wants_json(arguments):
            _tell_json(error.code, error.message, error.details, arguments)
        click.echo(f"error: {error.message} [{error.code}]", err=True)
        return _status(error)
    message = f"internal error: {type(error).__name__}: {error}"
    click.echo(f"{message}\nThis is a bug in Atomiton; --debug shows where.", err=True)
    return INTERNAL


def _wants_json(arguments: list[str]) -> bool:
    """Whether whoever reads standard output expects an object there."""
    before = arguments[: arguments.index("--")] if "--" in arguments else arguments
    return "--json" in before


def _tell_json(code: str, message: str, details: object, arguments: list[str]) -> None:
    from atomiton.cli.output import print_json

    stream = arguments[:2] in (["runs", "events"], ["runs", "watch"])
    error = {"code": code, "message": message, "details": details}
    print_json({"error": error}, line=stream)


def _status(error: AtomitonError) -> int:
    """A store that broke is a failure; everything else was refused before it began."""
    return 1 if error.code == "STORE_ERROR" else REFUSED


def _hang_up() -> None:
    """Whoever read the output has gone: nothing more is written, not even at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            os.dup2(nowhere, stream.fileno())
