"""Whether and when a failed attempt is made again."""

from __future__ import annotations

from atomiton.blueprint.model import Retry
from atomiton.errors import ErrorInfo

_MASK = (1 << 64) - 1


def should_retry(rule: Retry | None, error: ErrorInfo, attempt: int) -> bool:
    """Whether another attempt follows.

    Args:
        rule: The node's rule; None for one attempt.
        error: How the attempt failed.
        attempt: Its number, from 1.
    """
    if rule is None or attempt >= rule.attempts or error.code in rule.not_on:
        return False
    return error.code in rule.on if rule.on else error.retryable


def retry_delay(rule: Retry, attempt: int, seed: int, salt: int) -> float:
    """Seconds to wait after an attempt: exponential, bounded, with jitter from the run's seed.

    Args:
        rule: The node's rule.
        attempt: Number of the attempt that failed, from 1.
        seed: Seed of the run.
        salt: Tells nodes of one run apart.

    Example:
        >>> retry_delay(Retry(attempts=3, delay=1, factor=2, jitter=0), 2, seed=0, salt=0)
        2.0
    """
    try:
        wait = rule.delay * rule.factor ** (attempt - 1)
    except OverflowError:
        wait = rule.max_delay
    wait = min(wait, rule.max_delay)
    if rule.jitter:
        wait *= 1 + rule.jitter * (2 * _unit(seed, salt, attempt) - 1)
    return min(max(0.0, float(wait)), rule.max_delay)


def _unit(seed: int, salt: int, attempt: int) -> float:
    """A number from 0 up to 1, the same for the same arguments (SplitMix64's finaliser)."""
    value = (seed * 0x9E3779B97F4A7C15 + salt * 0xD1342543DE82EF95 + attempt) & _MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return ((value ^ (value >> 31)) >> 11) / (1 << 53)
