"""Workflows of other kinds, as blueprints: what cannot be mapped is said, and marked."""

from atomiton.interop.importing import FORMATS, Imported, import_workflow
from atomiton.interop.report import Entry, Report

__all__ = ["FORMATS", "Entry", "Imported", "Report", "import_workflow"]
