"""What is announced: the facts of runs, to listeners in this process."""

from atomiton.events.bus import Bus, RunEvent, Subscription

__all__ = ["Bus", "RunEvent", "Subscription"]
