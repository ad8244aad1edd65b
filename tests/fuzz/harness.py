"""One target under a coverage-guided fuzzer; a process of its own, since that never comes back.

    python -m tests.fuzz.harness TARGET SLOW [options of libFuzzer] [folders of inputs]

What takes long is put into the folder SLOW, to be measured without the instruments.
"""

from __future__ import annotations

import hashlib
import sys
import time
from pathlib import Path

#: Seconds of the processor, under instruments, from which on an input is looked at again.
SUSPECT = 0.1


def main(arguments: list[str]) -> None:
    import atheris

    name, slow = arguments[1], Path(arguments[2])
    with atheris.instrument_imports(include=["atomiton"], enable_loader_override=False):
        from tests.fuzz.targets import TARGETS

        TARGETS[name](b"")  # imports what it needs, instrumented

    target = TARGETS[name]

    def once(data: bytes) -> None:
        before = time.process_time()
        target(data)
        if time.process_time() - before > SUSPECT and len(list(slow.iterdir())) < 50:
            (slow / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)

    atheris.Setup([arguments[0], *arguments[3:]], once)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv)
