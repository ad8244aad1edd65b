"""Node types: what a step can do."""
