"""Expressions of other languages, translated to those of blueprints where that is exact."""
