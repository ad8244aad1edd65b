"""Where blueprints are kept: stores behind the ``BlueprintStore`` port.

A map of the folder: ``open`` picks a store by its address; ``rules`` says what a change does, the
same in every store; ``base`` is what they all share; the others keep things: ``memory`` in this
process, ``folder`` (and ``files``) in files that people edit, ``sqlite`` and ``postgres`` beside
the runs, ``objects`` in a bucket.
"""

from atomiton.store.blueprints.open import create_storage as create_storage
