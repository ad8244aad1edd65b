"""A Ctrl-C that is not lost, whenever it is pressed."""

from __future__ import annotations

import _thread
import sys
import time

#: Seconds after which a Ctrl-C that was dropped is pressed again.
_AGAIN = 0.01


def keep_interrupts() -> None:
    """Press Ctrl-C again when Python drops it.

    An interrupt that comes while a callback of the interpreter is at work, such as the one that
    clears the lock of an import, is reported and dropped with everything else that such a callback
    raises. At the start of a program, which is mostly imports, one of a hundred is. To be called
    by the main thread.
    """
    main = _thread.get_ident()

    def look(dropped: sys.UnraisableHookArgs) -> None:
        if issubclass(dropped.exc_type, KeyboardInterrupt):
            # Not from here: whatever is raised in here would be dropped as well.
            _thread.start_new_thread(_press_again, (main,))
        else:
            sys.__unraisablehook__(dropped)

    sys.unraisablehook = look


def _press_again(thread: int) -> None:
    import signal  # nearly always not needed

    time.sleep(_AGAIN)
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(thread, signal.SIGINT)  # so that whatever it waits for is interrupted
    else:
        _thread.interrupt_main()
