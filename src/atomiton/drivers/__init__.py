"""Who makes a run happen: append the facts, feed them to the machine, perform its commands."""
