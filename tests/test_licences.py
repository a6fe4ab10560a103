"""What the plain install brings along: few packages, all under licences that allow any use; and what was tried."""

import re
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
MOST_PACKAGES = 50
PERMISSIVE = {
    "0BSD", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC0-1.0",
    "CNRI-Python", "ISC", "MIT", "MIT-0", "MIT-CMU", "PSF-2.0", "Zlib",
    # Packages of an older kind say it in their own words, or by a class of PyPI's.
    "3-Clause BSD License", "Apache", "Apache 2.0", "Apache 2.0 License", "Apache License 2.0", "BSD",
    "Apache Software License", "BSD License", "ISC License (ISCL)", "MIT License", "Python Software Foundation License",
}  # fmt: skip
WEAK_COPYLEFT = {"MPL-2.0", "Mozilla Public License 2.0 (MPL 2.0)"}
"""Fine to use as it is; in the plain install there is none."""
EXTRAS = ("dicom", "mcp", "ray", "serve", "storage", "train")


def requirements(project: str, extras: Iterable[str]) -> Iterator[Requirement]:
    """Yield what a package that is installed needs here; of ours, what pyproject.toml says."""
    if project == "ovct":
        declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
        names = [declared["dependencies"], *(declared["optional-dependencies"][extra] for extra in extras)]
        yield from (Requirement(text) for texts in names for text in texts)
        return
    for requirement in map(Requirement, distribution(project).requires or []):
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            yield requirement


def packages(*extras: str) -> set[str]:
    """Return all packages that come with ovct and some of its extras."""
    seen: dict[str, frozenset[str]] = {}
    waiting = [("ovct", frozenset(extras))]
    while waiting:
        name, wanted = waiting.pop()
        if name in seen and wanted <= seen[name]:
            continue
        seen[name] = wanted | seen.get(name, frozenset())
        try:
            waiting += [(canonicalize_name(one.name), frozenset(one.extras)) for one in requirements(name, wanted)]
        except PackageNotFoundError:  # of an extra that is not installed here
            del seen[name]
    return seen.keys() - {"ovct"}


def licence(project: str) -> str:
    """Return the licence of a package: its SPDX expression, else its class, else the first line of its text."""
    metadata = distribution(project).metadata
    fields = {name: metadata.get_all(name) or [] for name in ("License-Expression", "Classifier", "License")}
    classes = [name.rpartition(" :: ")[2] for name in fields["Classifier"] if name.startswith("License")]
    text = "".join(fields["License"]).strip().partition("\n")[0]
    return "".join(fields["License-Expression"]) or " OR ".join(classes) or text


def is_allowed(expression: str, allowed: set[str]) -> bool:
    """Return whether each part of "A AND (B OR C)" may be used under an allowed licence."""
    parts = re.split(r"\s+AND\s+", expression.replace("(MPL 2.0)", "[MPL 2.0]").replace("(ISCL)", "[ISCL]"))
    choices = [re.split(r"\s+OR\s+", part.strip("() ")) for part in parts]
    names = [[name.strip("() ").replace("[", "(").replace("]", ")") for name in choice] for choice in choices]
    return all(any(name in allowed for name in choice) for choice in names)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("MIT", True), ("GPL-3.0-only", False), ("", False), ("MIT OR GPL-2.0", True), ("MIT AND GPL-2.0", False),
        ("(MIT OR GPL-2.0) AND (BSD-3-Clause)", True), ("ISC License (ISCL)", True), ("AGPL-3.0", False),
        ("Dual Licensed - GNU AFFERO GPL 3.0 or Artifex Commercial License", False),
    ],
)  # fmt: skip
def test_expressions(expression: str, expected: bool) -> None:
    assert is_allowed(expression, PERMISSIVE) == expected


def test_the_plain_install_is_small_and_permissive() -> None:
    names = packages()
    assert 10 < len(names) <= MOST_PACKAGES
    assert {name: found for name in names if not is_allowed(found := licence(name), PERMISSIVE)} == {}


@pytest.mark.parametrize("extra", EXTRAS)
def test_an_extra_brings_no_strong_copyleft(extra: str) -> None:
    allowed = PERMISSIVE | WEAK_COPYLEFT
    assert {name: found for name in packages(extra) if not is_allowed(found := licence(name), allowed)} == {}


def test_what_is_for_tests_alone_is_no_part_of_an_extra() -> None:
    names = packages(*EXTRAS)
    assert not [name for name in names if "mpnet" in name or "minilm" in name or name in ("moto", "playwright")]


def test_the_plain_install_is_pinned() -> None:
    """`make constraints` writes the versions anew."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    listed = [Requirement(line) for line in lines if not line.startswith("#")]
    pins = {canonicalize_name(pin.name): pin for pin in listed}
    assert packages() <= pins.keys()
    assert all(re.fullmatch("==[^*+]+", str(pin.specifier)) and pin.url is None for pin in pins.values())
    for one in requirements("ovct", EXTRAS):
        pin = pins.get(canonicalize_name(one.name))
        assert pin is None or str(pin.specifier)[2:] in one.specifier, f"{one}: tried with {pin}"
