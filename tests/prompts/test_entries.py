"""Vocabulary files that cannot be used: the message names the entry and the problem."""

from pathlib import Path

import pytest

from prompts.entries import VocabularyError
from prompts.vocabulary import load_vocabulary


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("liver: {term: [hepar]}", "liver: 'term' is not a key here; did you mean “terms”?"),
        ("liver: {terms: hepar}", "liver, terms: 'hepar' is not a list"),
        ("liver: {terms: [1]}", "liver, terms 1: 1 is not text"),
        ("liver: {snomed: 10200004}", "liver, snomed: "),
        ("liver: {side: middle}", "liver, side: "),
        ("liver:", "liver: None is not a set of keys and values"),
        ("- liver", "file: ['liver'] is not a set"),
        ("", "file: None is not a set"),
        ("liver: {}\nliver: {}", "liver: stands 2 times"),
        ("liver: {parents: [abdomen]}", "liver: unknown entry 'abdomen'"),
        ("liver: {around: spleen}", "liver: unknown entry 'spleen'"),
        ("liver: {beside: [hepar]}", "liver, beside: ['hepar'] is not a set of keys and values"),
        ("a: {parents: [b]}\nb: {parents: [c]}\nc: {parents: [a]}", "is its own ancestor (a > b > c > a)"),
        ("liver: {terms: [hepar]}\nspleen: {terms: [hepar]}", "spleen: 'hepar' is also a term of 'liver'"),
        ("liver: {terms: [hepar]}\nspleen: {adjectives: [Hepar]}", "spleen: 'Hepar' is also a term of 'liver'"),
        ("liver: {terms: [+hepar]}\nspleen: {terms: [hepar]}", "spleen: 'hepar' is also a term of 'liver'"),
        ("liver: {terms: [+hepar]}", "liver: 'hepar' is marked as shared"),
        ("liver: {terms: ['(a|b']}", "liver: cannot read the term '(a|b'"),
        ("liver: {terms: ['--']}", "liver: cannot read the term '--'"),
        ("liver: {terms: [hepar], not_in: [hepar]}", "liver: 'hepar' under 'not_in' is a term of 'liver'"),
        ("liver: {from: {liver: [my $]}}", "liver: 'from' goes in a circle"),
        ("liver: {from: {spleen: [my $]}}", "liver: unknown entry 'spleen'"),
        ("spleen: {}\nliver: {from: {spleen: [my]}}", "liver: 'my' under 'from' needs one $"),
        ("liver: {totalsegmentator: [liver]}\nspleen: {totalsegmentator: [liver]}", "TotalSegmentator class 'liver'"),
        ("lungs: {sides: [left lung]}", "lungs, sides"),
        ("lungs: {sides: [a, b]}\na: {}", "lungs: 'a' must have side: left and the parent 'lungs'"),
        ("lungs: {sides: [a, b]}\nc: {side: left, parents: [lungs]}", "c: has a side, but is none of the sides"),
        ("liver: {terms: [", "is not YAML"),
        ("liver: {terms: !!python/name:os.system [x]}", "is not YAML"),
    ],
)
def test_a_broken_file_names_the_entry_and_the_problem(tmp_path: Path, content: str, problem: str) -> None:
    path = tmp_path / "organs.yaml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(VocabularyError) as raised:
        load_vocabulary(path)
    assert str(raised.value).startswith(f"{path}: ")
    assert problem in str(raised.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(VocabularyError, match=r"none\.yaml: cannot be read"):
        load_vocabulary(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"liver: {terms: [f\xfcr]}")
    with pytest.raises(VocabularyError, match=r"latin\.yaml: is not YAML"):
        load_vocabulary(tmp_path / "latin.yaml")
