"""What a node is told of the attempt that it is called for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atomiton.machine.commands import StartAttempt
from atomiton.ports.calls import Attempt

if TYPE_CHECKING:
    from atomiton.drivers.execution import Execution


def new_attempt(execution: Execution, command: StartAttempt) -> Attempt:
    """The attempt of a command; what the node reports of it goes to the driver."""
    driver, state = execution.driver, execution.state
    frame, node = command.frame, command.node
    path = state.frames[frame].path(node)

    def report(fraction: float, message: str) -> None:
        execution.meter.report(frame, node, fraction)
        driver.progressed(execution, path, fraction, message)

    def log(level: str, message: str) -> None:
        driver.log(execution, path, level, message)

    return Attempt(
        state.id,
        path,
        command.attempt,
        command.deadline,
        driver.now,
        report,
        log,
        state.secrets,
        (frame, node),
    )
