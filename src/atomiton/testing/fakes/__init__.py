"""Capabilities that stand in for the world: files, servers, programs, time, chance."""
