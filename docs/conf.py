"""Configuration of the documentation: `make docs` builds it without a network and fails on a broken internal link."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # autodoc imports the rooms from the checkout

project = "Podium"
copyright = "2026, the Podium authors"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
html_theme = "furo"
html_title = "Podium"
html_show_sphinx = False
exclude_patterns = ["generate"]
myst_heading_anchors = 3
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True, "show-inheritance": True}
