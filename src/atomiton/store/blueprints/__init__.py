"""Where blueprints are kept: stores behind the ``BlueprintStore`` port.

A map of the folder: ``open`` picks a store by its address; ``rules`` says what a change does, the
same in every store; ``base`` is what they all share; the others keep things: ``memory`` in this
process, ``sqlite`` beside the runs in one file.
"""

from atomiton.store.blueprints.open import create_storage as create_storage
