"""Tokens and stems."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.language import tokens
from curation.language.tokens import stem, tokenize


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("The liver is normal.", ["the", "liver", "is", "normal", "."], id="words and stop"),
        pytest.param("12x9mm", ["12", "x", "9", "mm"], id="glued dimensions"),
        pytest.param("12 x 9 mm", ["12", "x", "9", "mm"], id="dimensions with blanks"),
        pytest.param("12×9", ["12", "×", "9"], id="multiplication sign"),
        pytest.param("1.5cm", ["1.5", "cm"], id="decimal point glued to its unit"),
        pytest.param("1,5 cm", ["1,5", "cm"], id="decimal comma"),
        pytest.param("L4-L5", ["l4", "-", "l5"], id="vertebral levels"),
        pytest.param("segment 4a", ["segment", "4a"], id="segment with a letter"),
        pytest.param("patient's", ["patient's"], id="apostrophe"),
        pytest.param("isn't, CAN’T", ["is", "not", ",", "cannot"], id="contracted denial"),
        pytest.param("isnt seen, nt", ["is", "not", "seen", ",", "nt"], id="contracted denial without its apostrophe"),
        pytest.param("ground-glass", ["ground", "-", "glass"], id="hyphen"),
        pytest.param("and/or", ["and", "/", "or"], id="slash"),
        pytest.param("-50 HU", ["-", "50", "hu"], id="minus"),
        pytest.param("", [], id="nothing"),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    assert [token.word for token in tokenize(text)] == words


@given(st.text(max_size=60))
def test_tokens_point_at_the_text_and_leave_out_only_white_space_and_underscores(text: str) -> None:
    at = 0
    for token in tokenize(text):
        assert text[token.start : token.end].lower() == token.word or token.word in ("not", "cannot")
        assert not text[at : token.start].replace("_", "").strip()
        at = token.end
    assert not text[at:].replace("_", "").strip()


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("nodule", "nodules"), ("opacity", "opacities"), ("mass", "masses"), ("thickened", "thickening"),
        ("calcifies", "calcified"), ("dilated", "dilate"), ("haemorrhage", "hemorrhage"), ("oedema", "edema"),
        ("oesophageal", "esophageal"), ("tumour", "tumor"), ("tumours", "tumors"), ("calibre", "caliber"),
        ("centre", "center"), ("visualised", "visualized"), ("characterisation", "characterization"),
        ("grey", "gray"), ("ischaemic", "ischemic"), ("anaemia", "anemia"), ("labelled", "labeled"),
    ],
)  # fmt: skip
def test_inflections_and_spellings_share_a_stem(first: str, second: str) -> None:
    assert stem(first) == stem(second)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("severe", "several"), ("like", "likely"), ("likely", "unlikely"), ("sinus", "sinusitis"),
        ("marked", "markings"),
        ("extension", "extensive"), ("left", "right"), ("mild", "mid"), ("cyst", "cystic"), ("thrombus", "thrombosed"),
        ("increase", "decrease"), ("hypodense", "hyperdense"), ("hyper", "hypo"), ("four", "for"), ("liver", "live"),
        ("ileum", "ilium"), ("ureter", "urethra"), ("renal", "adrenal"), ("one", "on"),
    ],
)  # fmt: skip
def test_words_of_different_meaning_do_not(first: str, second: str) -> None:
    assert stem(first) != stem(second)


@given(st.text(min_size=1, max_size=20).filter(lambda word: not word.isspace()))
def test_any_word_has_a_stem(word: str) -> None:
    for token in tokenize(word):
        assert token.stem


@pytest.fixture
def threads_that_take_turns_often() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    tokens._cached_stem.cache_clear()
    yield
    sys.setswitchinterval(before)
    tokens._cached_stem.cache_clear()


@pytest.mark.usefixtures("threads_that_take_turns_often")
def test_threads_get_the_stems_that_one_gets() -> None:
    words = [
        f"{start}{end}" for start in ("nodul", "enlarg", "calcif", "measur") for end in ("es", "ing", "ations", "ed")
    ]
    words = [f"{letter}{word}" for letter in "abcdefghijklmnopqrst" for word in words]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(stem, words))
    tokens._cached_stem.cache_clear()
    assert together == [stem(word) for word in words]
