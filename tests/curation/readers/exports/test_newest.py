"""Which of two versions of a report is the newer one, and an index that does not grow in memory."""

from __future__ import annotations

import pytest

from curation.readers.exports.newest import NewestVersions, Version, replaces

FIRST = Version(1, rank=2, time="20240102")


@pytest.mark.parametrize(
    ("later", "replaced", "by_time"),
    [
        (Version(2, rank=2, time="20240102"), True, True),
        (Version(2, rank=2, time="202401021130"), True, True),
        (Version(2, rank=2, time="20240101"), False, False),
        (Version(2, rank=2), True, True),
        (Version(2, rank=3, time="20240101"), True, False),
        (Version(2, rank=1, time="20240103"), False, True),
        (Version(2, rank=1, time="20240103", withdrawn=True), True, True),
        (Version(2, rank=1, time="20240101", withdrawn=True), False, False),
    ],
)
def test_a_version_replaces_another(later: Version, replaced: bool, by_time: bool) -> None:
    assert replaces(later, FIRST) is replaced
    assert replaces(later, FIRST, time_first=True) is by_time


def test_versions_of_a_record_are_counted() -> None:
    assert replaces(Version(2, rank=1, serial=10), Version(1, rank=3, serial=9))
    assert not replaces(Version(2, rank=3, serial=9), Version(1, rank=1, serial=10))


def test_the_newest_of_many() -> None:
    with NewestVersions() as newest:
        for number in range(1000):
            newest.offer(f"report {number % 10}\ud800", Version(number, rank=number // 500))
        assert newest.newest("report 3\ud800") == Version(993, rank=1)
        assert newest.newest("report 10") is None
