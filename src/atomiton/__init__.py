"""Atomiton."""
