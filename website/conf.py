"""Settings of Sphinx for the site; `python -m website` builds it."""

from importlib.metadata import version as version_of

project = "ovct"
author = "The ovct authors"
project_copyright = "The ovct authors, Apache-2.0"
release = version = version_of("ovct")

extensions = ["myst_parser"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
suppress_warnings = ["myst.header", "misc.highlighting_failure"]

html_theme = "furo"
html_title = "ovct"
html_copy_source = False
html_show_sphinx = False
html_theme_options = {"navigation_with_keys": True}
# Nothing is loaded from elsewhere: the site can be read, and searched, without a network.
html_css_files: list[str] = []
add_module_names = False
toc_object_entries = False
python_maximum_signature_line_length = 88
pygments_style = "sphinx"
