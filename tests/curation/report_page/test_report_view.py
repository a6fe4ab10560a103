"""A report with all of its captions, as a page is told of it."""

from typing import Any

from curation.report_page.report_view import (
    ShownCaption,
    in_reading_order,
    refused_words,
    report_view,
    uncovered_statements,
)

TEXT = "CT of the chest. The liver is normal. The spleen is large. No effusion."
SECTIONS = [("technique", 0, 16), ("findings", 17, 71)]


def view(*captions: ShownCaption, text: str = TEXT) -> dict[str, Any]:
    return report_view("a", text, SECTIONS, captions, lambda organ: "digestive")


def test_statements_that_no_accepted_caption_rests_on_are_told() -> None:
    liver = ShownCaption("liver", "The liver is normal", "accepted", [(17, 37)], "normal", 100.0)
    spleen = ShownCaption("spleen", "Spleen is small", "refused", [(38, 58)], reason="negation", detail="no")
    content = view(liver, spleen)
    assert [TEXT[start:end] for start, end in content["bare"]] == ["The spleen is large.", "No effusion."]
    assert content["sections"] == [["technique", 0, 16, False], ["findings", 17, 71, True]]
    assert content["captions"][0] == {
        "organ": "liver", "system": "digestive", "caption": "The liver is normal", "marks": [[17, 37]],
        "kind": "accepted", "status": "normal", "score": 100.0,
    }  # fmt: skip


def test_blind_a_refused_caption_covers_what_it_is_like() -> None:
    content = view(ShownCaption("spleen", "Spleen is small", None, [(38, 58)]))
    assert [TEXT[start:end] for start, end in content["bare"]] == ["The liver is normal.", "No effusion."]
    assert content["captions"][0].keys() == {"organ", "system", "caption", "marks"}


def test_a_part_of_a_statement_covers_it() -> None:
    assert uncovered_statements(TEXT, SECTIONS, [(50, 55)]) == [(17, 37), (59, 71)]


def test_offsets_count_as_the_browser_does() -> None:
    smile = "\N{GRINNING FACE}"
    text = f"{smile * 17}The liver is normal."
    caption = ShownCaption("liver", f"{smile} liver", "refused", [(17, 37)], detail="“liver” is not in the evidence")
    content = report_view("a", text, [("findings", 0, 37)], [caption], str)
    assert content["captions"][0]["marks"] == [[34, 54]]
    assert content["captions"][0]["wrong"] == [[3, 8]]


def test_the_words_that_a_refusal_names_are_found_in_the_caption() -> None:
    caption = "Aneurysm of 45 mm in the right lung"
    assert refused_words(caption, "“45 mm” is not in the evidence") == [(12, 17)]
    assert refused_words(caption, "“Right lung” where the evidence has “left lung”") == [(25, 35)]
    assert refused_words(caption, "no statement carries it") == []


def test_captions_come_in_the_order_of_their_passages() -> None:
    captions = [
        ShownCaption("spleen", "c", "accepted", [(38, 58)]),
        ShownCaption("lung", "none", "refused", []),
        ShownCaption("liver", "a", "accepted", [(17, 37), (59, 71)]),
    ]
    assert [caption.caption for caption in in_reading_order(captions, len(TEXT))] == ["a", "c", "none"]
