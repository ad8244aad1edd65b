"""What is remembered: stores of runs behind the ``Journal`` port.

A map of the folder: ``open`` picks a store by its address; ``memory`` keeps runs in this process;
``sqlite`` keeps them in one file, with ``writer`` (one thread, group commit), ``tables`` (what is
written), ``reader`` (a second connection), ``schema`` (files and migrations), ``owners`` (who is
alive), ``records`` (checksums) and ``doctor`` (is all well?) behind it.
"""

from atomiton.store.memory import MemoryJournal as MemoryJournal
from atomiton.store.open import default_path as default_path
from atomiton.store.open import open_journal as open_journal
