"""How Sphinx makes the site. Nothing is loaded from elsewhere, neither here nor by who reads it."""

from importlib.metadata import version as version_of

from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx

project = "Atomiton"
author = "The Atomiton authors"
project_copyright = author
version = release = version_of("atomiton")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
html_theme = "furo"
html_title = f"Atomiton {release}"
html_copy_source = False
html_show_sphinx = False
html_last_updated_fmt = None  # the same pages give the same site
pygments_style = "default"
pygments_dark_style = "monokai"
exclude_patterns = ["files/**"]

# Anchors as code hosts make them, so that links hold there and here.
myst_heading_anchors = 4
myst_enable_extensions = ["attrs_inline"]
suppress_warnings = ["myst.header"]  # the parts of a changelog begin at the third level

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False
python_use_unqualified_type_names = True


def setup(app: Sphinx) -> None:
    """Tables in the pages need no colours."""
    app.add_lexer("csv", TextLexer)
