"""Protocols between the engine and its surroundings; no behaviour."""
