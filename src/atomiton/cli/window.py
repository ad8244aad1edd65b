"""A window of its own for the studio: a web view, else a browser without its bars, else a tab."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import webbrowser
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from atomiton.server.serve import Serving, Settings

TITLE: Final = "Atomiton"
SIZE: Final = (1440, 900)
#: Browsers that show a page as a window of its own, by the names of their programs.
BROWSERS: Final = (
    *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge"),
    *("brave-browser", "msedge", "chrome"),
)
_MACOS: Final = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
)
#: Seconds for a window to close by itself.
PATIENCE: Final = 5.0

Tell = Callable[["Serving"], None]


def serve_in_window(settings: Settings, tell: Tell) -> None:
    """Serve the studio and show it in a window; ends when either ends.

    Args:
        settings: Of the server.
        tell: Called once it can be reached.
    """
    view = _web_view()
    if view is not None:
        _serve_beside(settings, tell, view)
        return
    program = find_browser()
    if program is None:
        note = "no web view (atomiton[window]) and no Chromium here: it opens in the browser"
        click.echo(note, err=True)
    _serve_with_browser(settings, tell, program)


def find_browser() -> str | None:
    """The program of a browser that has windows of its own for pages; None if there is none."""
    for name in BROWSERS:
        found = shutil.which(name)
        if found is not None:
            return found
    if sys.platform == "darwin":
        return next((path for path in _MACOS if os.path.exists(path)), None)
    return None


def browser_command(program: str, link: str, profile: str) -> list[str]:
    """What shows a page as a window of its own.

    Args:
        program: The browser.
        link: Address of the page.
        profile: An empty folder, so that the window is a process of its own: it ends with it.
    """
    width, height = SIZE
    command = [program, f"--app={link}", f"--user-data-dir={profile}", "--no-first-run"]
    command += ["--no-default-browser-check", f"--window-size={width},{height}"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--no-sandbox")  # there is none for root, and Chromium would not start
    return command


def _serve_with_browser(settings: Settings, tell: Tell, program: str | None) -> None:
    from atomiton.server.serve import run_server

    with contextlib.ExitStack() as held:

        def started(serving: Serving) -> None:
            tell(serving)
            if serving.login is None:
                return
            if program is None:
                # Apart: some browsers keep whoever opens them until they are closed.
                link = serving.login
                threading.Thread(target=webbrowser.open, args=(link,), daemon=True).start()
                return
            profile = held.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
            quiet = subprocess.DEVNULL
            command = browser_command(program, serving.login, profile)
            window = subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet)  # noqa: S603 - what was found, and our own link
            held.callback(_close, window)
            args = (window, asyncio.get_running_loop())
            threading.Thread(target=_end_with, args=args, daemon=True).start()

        run_server(settings, started)


def _end_with(window: subprocess.Popen[bytes], loop: asyncio.AbstractEventLoop) -> None:
    """Stop the server when its window is closed, as a signal does."""
    window.wait()
    with contextlib.suppress(RuntimeError):  # it has stopped before its window
        loop.call_soon_threadsafe(_stop)


def _stop() -> None:
    """Called where the server runs: it heeds signals until it stops, and then none is sent."""
    if signal.getsignal(signal.SIGTERM) not in (signal.SIG_DFL, None):
        signal.raise_signal(signal.SIGTERM)


def _close(window: subprocess.Popen[bytes]) -> None:
    """Close a window when its server has stopped."""
    if window.poll() is None:
        window.terminate()
        try:
            window.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            window.kill()
            window.wait()


def _web_view() -> Any:  # noqa: ANN401 - a module that may not be there
    """The module of web views, if it is installed and has something to draw with here."""
    try:
        view = importlib.import_module("webview")
        importlib.import_module("webview.guilib").initialize()
    except Exception:  # what draws for it may fail in any way: there are others
        return None
    return view


def _serve_beside(settings: Settings, tell: Tell, view: Any) -> None:  # noqa: ANN401 - as above
    """Serve in a thread: windows belong to the first one."""
    from atomiton.server.serve import serve

    links: list[str] = []
    failures: list[BaseException] = []
    ready = threading.Event()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    def started(serving: Serving) -> None:
        tell(serving)
        links.extend([serving.login] if serving.login is not None else [])
        ready.set()

    def run() -> None:
        try:
            loop.run_until_complete(serve(settings, started, stop))
        except BaseException as error:  # raised again where somebody waits for it
            failures.append(error)
        finally:
            ready.set()

    thread = threading.Thread(target=run, name="atomiton-server")
    thread.start()
    ready.wait()
    try:
        if links:
            width, height = SIZE
            window = view.create_window(TITLE, links[0], width=width, height=height)

            def close(_number: int, _frame: object) -> None:
                window.destroy()

            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, close)
            view.start()
    finally:
        if thread.is_alive():
            loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
    if failures:
        raise failures[0]
