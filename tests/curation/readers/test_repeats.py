"""Unique ids."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from curation.readers.repeats import ReportIds


def test_same_text_is_a_repeat_and_another_gets_a_number() -> None:
    with ReportIds() as ids:
        assert ids.claim("a", "x") == "a"
        assert ids.claim("a", "x") is None
        assert ids.claim("a", "y") == "a#2"
        assert ids.claim("a", "y") is None
        assert ids.claim("b", "x") == "b"
        assert ids.claim("a#3", "z") == "a#3"
        assert ids.claim("a", "z") == "a#4"
        assert ids.claim("a#2", "w") == "a#2#2"


def test_one_id_for_all() -> None:
    with ReportIds() as ids:
        assert [ids.claim("study", str(number)) for number in range(3000)][-1] == "study#3000"


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["a", "a#2", "a#3", "b"]), st.sampled_from("xyz"))))
def test_ids_are_unique_and_no_text_is_lost(rows: list[tuple[str, str]]) -> None:
    with ReportIds() as ids:
        given_out = [report_id for row in rows if (report_id := ids.claim(*row))]
    assert len(given_out) == len(set(given_out)) == len(set(rows))
