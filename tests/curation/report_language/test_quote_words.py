"""Sides and denials in other languages."""

import pytest

from curation.report_language.quote_words import quote_words, sides_in


@pytest.mark.parametrize(
    ("code", "text", "sides"),
    [
        ("de", "Zyste der linken Niere", {"left"}),
        ("de", "Erguss re. basal", {"right"}),
        ("de", "Pleuraerguss bds.", {"left", "right"}),
        ("de", "Leber regelrecht", set()),
        ("fr", "rein gauche", {"left"}),
        ("es", "riñón derecho", {"right"}),
        ("it", "rene sinistro e destro", {"left", "right"}),
        ("pt", "à esquerda", {"left"}),
        ("nl", "rechter bovenkwab", {"right"}),
        ("tr", "Sol böbrekte", {"left"}),
        ("tr", "sağ akciğer", {"right"}),
        ("pl", "nerka lewa, prawidłowa", {"left"}),
        ("cs", "levé ledviny", {"left"}),
        ("sv", "vänster njure", {"left"}),
        ("no", "høyre side", {"right"}),
        ("fi", "oikealla", {"right"}),
        ("hu", "bal vesében", {"left"}),
        ("ro", "pe dreapta", {"right"}),
        ("ru", "левой почки", {"left"}),
        ("zh", "右肺上叶", {"right"}),
        ("ja", "両側胸水", {"left", "right"}),
        ("ko", "좌측 신장 종양", {"left"}),
        ("ar", "الكلية اليسرى", {"left"}),
        ("he", "בכליה שמאל", {"left"}),
    ],
)
def test_sides_are_told(code: str, text: str, sides: set[str]) -> None:
    words = quote_words(code)
    assert words is not None and sides_in(text, words) == sides


@pytest.mark.parametrize(
    ("code", "text", "denies"),
    [
        ("de", "Kein Erguss", True),
        ("de", "Erguss", False),
        ("fr", "pas d'ascite", True),
        ("tr", "taş izlenmedi", True),
        ("cs", "nefrolitiáza", False),
        ("zh", "未见结石", True),
        ("ru", "очаг", False),
    ],
)
def test_denials_are_told(code: str, text: str, denies: bool) -> None:
    words = quote_words(code)
    assert words is not None and (words.denial.search(text.lower()) is not None) == denies


def test_of_other_languages_nothing_is_known() -> None:
    assert quote_words("vi") is None
