"""What is announced: the facts of runs, to listeners in this process."""

from atomiton.events.bus import Announcement, Bus, RunEvent, Subscription

__all__ = ["Announcement", "Bus", "RunEvent", "Subscription"]
