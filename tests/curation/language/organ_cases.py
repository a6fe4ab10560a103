"""Sentences with the organs that they are about: tables become parameters of tests."""

from __future__ import annotations

from functools import cache

import pytest
from _pytest.mark import ParameterSet

from curation.language.parser import StatementParser


@cache
def parser() -> StatementParser:
    return StatementParser()


def named(sentence: str) -> set[str]:
    """Return the organs that a sentence is about: neither places nor what encloses a more exact one."""
    return {
        name
        for segment in parser().parse(sentence).segments
        for term in segment.sites
        if term.mention
        for name in term.mention.names
    }


def cases(table: dict[str, str]) -> list[ParameterSet]:
    """Return sentences with the set of the organs, separated by a comma, that they name."""
    return [
        pytest.param(sentence, {name.strip() for name in organs.split(",") if name.strip()}, id=sentence)
        for sentence, organs in table.items()
    ]
