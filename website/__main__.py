"""Build the site: `python -m website [FOLDER]`, by default into build/site. Each warning is an error."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from .pages import ROOT, write_pages


def main() -> int:
    """Write the pages, have Sphinx build them, and return its exit code."""
    site = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build" / "site"
    source = ROOT / "build" / "site-pages"
    write_pages(source)
    command = [sys.executable, "-m", "sphinx", "-b", "html", "-W", "--keep-going", "-q", "-E", str(source), str(site)]
    code = subprocess.run(command, cwd=ROOT).returncode
    if code == 0:
        print(f"In {site}: python -m http.server --directory {site}")
    return code


if __name__ == "__main__":
    sys.exit(main())
