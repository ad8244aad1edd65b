"""Where plain functions run: on threads, or in processes of their own."""

from atomiton.runtimes.outcome import cancel_requested as cancel_requested
from atomiton.runtimes.process import ProcessRuntime as ProcessRuntime
from atomiton.runtimes.thread import ThreadRuntime as ThreadRuntime

__all__ = ["ProcessRuntime", "ThreadRuntime", "cancel_requested"]
