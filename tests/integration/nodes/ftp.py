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
    from pyftpdlib.handlers import FTPHandler
    from pyftpdlib.servers import FTPServer


@contextlib.contextmanager
def ftp_server(folder: Path) -> Iterator[str]:
    """Serve a folder to ada, whose password is ``geheim``; gives the address."""
    authorizer = DummyAuthorizer()
    authorizer.add_user("ada", "geheim", str(folder), perm="elradfmwMT")

    class Handler(FTPHandler):
        auth_failed_timeout = 0

    Handler.authorizer = authorizer
    server = FTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"timeout": 0.05})
    thread.start()
    try:
        yield f"ftp+insecure://ada:geheim@127.0.0.1:{server.address[1]}"
    finally:
        server.close_all()
        thread.join(10)
