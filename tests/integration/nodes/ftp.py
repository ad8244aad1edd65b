"""A real FTP server with one folder, for one user."""

from __future__ import annotations

import contextlib
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # of asyncore, where Python still has it
    from pyftpdlib.authorizers import DummyAuthorizer
    from pyftpdlib.handlers import FTPHandler, TLS_FTPHandler
    from pyftpdlib.servers import FTPServer


@contextlib.contextmanager
def ftp_server(folder: Path, certificate: tuple[Path, Path] | None = None) -> Iterator[str]:
    """Serve a folder to ada, whose password is ``geheim``; gives the address.

    With a certificate and its key it speaks TLS, and nothing else.
    """
    authorizer = DummyAuthorizer()
    authorizer.add_user("ada", "geheim", str(folder), perm="elradfmwMT")

    class Handler(FTPHandler if certificate is None else TLS_FTPHandler):  # type: ignore[misc]
        auth_failed_timeout = 0

    if certificate is not None:
        Handler.certfile, Handler.keyfile = map(str, certificate)
        Handler.tls_control_required = Handler.tls_data_required = True
    Handler.authorizer = authorizer
    server = FTPServer(("127.0.0.1", 0), Handler)
    done = threading.Event()

    def serve() -> None:  # all of it in one thread: the library has no locks
        while not done.is_set():
            server.serve_forever(timeout=0.05, blocking=False, handle_exit=False)
        server.close_all()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        scheme = "ftp+insecure" if certificate is None else "ftps"
        yield f"{scheme}://ada:geheim@127.0.0.1:{server.address[1]}"
    finally:
        done.set()
        thread.join(10)
