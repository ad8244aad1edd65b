"""Where in the user's code something happens."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final

from atomiton.errors import TracingError

_PACKAGE: Final = str(Path(__file__).resolve().parents[1]) + os.sep


def is_ours(file: str) -> bool:
    """Whether code of a file is no user's."""
    return file.startswith((_PACKAGE, "<frozen"))


def _user_frame() -> FrameType | None:
    frame = inspect.currentframe()
    while frame is not None and is_ours(frame.f_code.co_filename):
        frame = frame.f_back
    return frame


def caller() -> tuple[str, int]:
    """File and line of the innermost code that is not ours."""
    frame = _user_frame()
    return ("<unknown>", 1) if frame is None else (frame.f_code.co_filename, frame.f_lineno)


def local_names() -> dict[str, object]:
    """The local variables of the innermost code that is not ours."""
    frame = _user_frame()
    return {} if frame is None else dict(frame.f_locals)


def wrong(message: str, hint: str | None = None) -> TracingError:
    """An error that names the user's file and line; to be raised.

    Args:
        message: What is wrong, in one sentence.
        hint: What to do instead.
    """
    file, line = caller()
    return TracingError(message, file=shown(file), line=line, hint=hint)


@contextmanager
def placed_at(function: Callable[..., object]) -> Generator[None, None, None]:
    """Errors are about a whole function: they name the line it begins in."""
    try:
        yield
    except TracingError as error:
        problem = error.problems[0]
        code = inspect.unwrap(function).__code__
        raise TracingError(
            problem.message,
            file=shown(code.co_filename),
            line=code.co_firstlineno,
            hint=problem.hint,
        ) from None


def shown(file: str) -> str:
    """A path as people write it: relative where that is shorter."""
    try:
        relative = os.path.relpath(file)
    except ValueError:  # another drive
        return file
    return file if file.startswith("<") or relative.startswith("..") else relative
