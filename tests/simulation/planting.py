"""Planting bugs on purpose, and looking whether they are found."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from atomiton.drivers.simulated_world import Violation

Plant = Callable[[pytest.MonkeyPatch], None]


def found_by(trial: Callable[[], object]) -> Violation:
    """The violation that a trial finds; it must find one, and tell its story."""
    with pytest.raises(Violation) as caught:
        trial()
    assert caught.value.story
    return caught.value
