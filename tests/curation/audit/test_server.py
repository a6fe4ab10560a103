"""What the server answers to the page, also when something is wrong."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from curation.audit.access import SECURITY_HEADERS, ReviewerTokens
from curation.audit.reviewer import Reviewer
from curation.audit.sample import SampleRequest
from curation.audit.server import CorrectionCheck, ReviewContext, create_app
from curation.audit.store import AuditStore
from curation.caption import RefusedCaption
from curation.runtime.sqlite_integrity import SUMS
from tests.curation.audit.builders import accepted_caption, make_report, open_audit, plain_reports, write_set

ORIGIN = {"Origin": "http://127.0.0.1:8765"}
SECRET = "carried by nothing"


def check(text: str, sections: Sequence[tuple[str, int, int]], organ: str, caption: str) -> CorrectionCheck:
    """Verify as a verifier would that knows two organs, and accepts what stands in the report word for word."""
    if organ not in ("liver", "spleen"):
        return CorrectionCheck(f"“{organ}” is not in the vocabulary", None)
    start = text.find(caption)
    if start < 0:
        return CorrectionCheck(SECRET, organ)
    return CorrectionCheck(None, organ, "normal", start, start + len(caption), 100.0, sections[0][0])


class Page:
    """A reviewer's page, as a client."""

    def __init__(self, context: ReviewContext, number: int = 1, app: Any = None) -> None:
        self.client = TestClient(
            app or create_app(context), base_url="http://127.0.0.1:8765", raise_server_exceptions=False
        )
        self.base = f"/r/{number}/"
        self.link = f"{self.base}?token={context.tokens.tokens[number - 1]}"
        self.client.get(self.link)

    def get(self, path: str) -> Any:
        answer = self.client.get(f"{self.base}api/{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, status: int = 200, **body: Any) -> Any:
        answer = self.client.post(f"{self.base}api/{path}", json=body, headers=ORIGIN)
        assert answer.status_code == status, answer.text
        return answer.json()


def context_of(root: Path, store: AuditStore, *names: str, blind: bool = False) -> ReviewContext:
    reviewers = [Reviewer(store, name, blind=blind) for name in names]
    guideline = root / "audit/guideline.md"
    tokens = ReviewerTokens.create(len(names))
    return ReviewContext(
        root, store, reviewers, tokens, 8765, guideline, ["liver", "spleen"], check, lambda organ: "digestive"
    )


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_set(tmp_path / "set", plain_reports(6, refused_each=2))
    return tmp_path / "set"


@pytest.fixture
def context(root: Path) -> Iterator[ReviewContext]:
    with open_audit(root, "ann", "ben", sample=SampleRequest(accepted=18, refused=12)) as store:
        yield context_of(root, store, "ann", "ben")


@pytest.fixture
def page(context: ReviewContext) -> Page:
    return Page(context)


def marks_of(item: dict[str, Any]) -> list[list[int]]:
    """Return the passages of the caption that is judged."""
    (current,) = (caption for caption in item["captions"] if caption["current"])
    marks: list[list[int]] = current["marks"]
    return marks


def test_a_session_tells_who_what_and_how_far(page: Page) -> None:
    session = page.get("session")
    assert (session["set"], session["reviewer"], session["total"], session["reviewed"]) == ("set", "ann", 30, 0)
    assert session["choices"]["kind"] == {"accepted": 18, "refused": 12}
    assert session["choices"]["organ"] == {"left kidney": 6, "liver": 6, "spleen": 18}
    assert [verdict["key"] for verdict in session["verdicts"]] == list("shopmiu")
    assert session["place"] == 1


def test_a_caption_stands_beside_its_report(page: Page) -> None:
    place = page.get("find?place=0&kind=accepted&organ=left%20kidney")["place"]
    item = page.get(f"item/{place}")
    ((start, end),) = marks_of(item)
    assert item["report"]["text"][start:end].startswith("There is an") and item["status"] == "abnormal"
    assert [caption["kind"] for caption in item["captions"]].count("refused") == 2
    assert sum(caption["current"] for caption in item["captions"]) == 1
    assert all(page.get(f"item/{caption['place']}")["caption"] == caption["caption"] for caption in item["captions"])
    assert item["review"]["event"] == 0 and "judges" not in item


def test_what_is_said_is_kept_and_taken_back(page: Page) -> None:
    first = page.post("review", place=3, last_event=0, verdict="wrong_organ", note="  of the spleen ")
    assert first["review"]["verdict"] == "wrong_organ" and first["review"]["note"] == "of the spleen"
    assert first["counts"] == {"wrong_organ": 1} and first["reviewed"] == 1
    event = first["review"]["event"]
    second = page.post("review", place=3, last_event=event, verdict="supported")
    assert second["counts"] == {"supported": 1}
    assert page.post("undo")["place"] == 3
    assert page.get("item/3")["review"]["verdict"] == "wrong_organ"
    assert page.post("undo")["place"] == 3 and page.get("session")["reviewed"] == 0
    assert page.post("undo")["place"] is None


def test_a_note_alone_is_no_verdict(page: Page) -> None:
    answer = page.post("review", place=1, last_event=0, note="ask the chief")
    assert answer["reviewed"] == 0 and answer["review"]["note"] == "ask the chief"
    assert page.get("find?place=0&verdict=none")["place"] == 1


def test_another_tab_is_not_overwritten(page: Page) -> None:
    page.post("review", place=1, last_event=0, verdict="supported")
    answer = page.post("review", status=409, place=1, last_event=0, verdict="hallucinated")
    assert "another tab" in answer["detail"]
    assert page.get("item/1")["review"]["verdict"] == "supported"


def test_a_correction_is_held_against_the_report(page: Page) -> None:
    place = page.get("find?place=0&organ=liver")["place"]
    assert page.post("check", place=place, organ="liver", caption="nothing")["problem"] == SECRET
    assert page.post("check", place=place, organ="liver", caption="liver is normal") == {
        "problem": None, "organ": "liver", "status": "normal",
    }  # fmt: skip
    put_right = {"organ": "liver", "caption": "liver is normal"}
    review = page.post("review", place=place, last_event=0, verdict="incomplete", correction=put_right)["review"]
    assert review["correction"] | {"start": 0, "end": 0} == {
        "organ": "liver", "caption": "liver is normal", "status": "normal", "start": 0, "end": 0, "score": 100.0,
        "section": "findings", "spans": [], "found": True,
    }  # fmt: skip
    own_words = {"organ": "spleen", "caption": "my own words", "status": "uncertain"}
    review = page.post("review", place=place, last_event=review["event"], verdict="incomplete", correction=own_words)[
        "review"
    ]
    assert (review["correction"]["found"], review["correction"]["status"]) == (False, "uncertain")
    wrong = {"organ": "soul", "caption": "heavy"}
    answer = page.post(
        "review", status=422, place=place, last_event=review["event"], verdict="wrong_organ", correction=wrong
    )
    assert "soul" in answer["detail"] and "not saved" in answer["detail"]
    assert page.get(f"item/{place}")["review"]["event"] == review["event"]


@pytest.mark.parametrize(
    ("path", "body", "status", "message"),
    [
        ("review", {"place": 0, "last_event": 0, "verdict": "supported"}, 404, "from 1 to 30"),
        ("review", {"place": 31, "last_event": 0, "verdict": "supported"}, 404, "from 1 to 30"),
        ("review", {"place": 1, "last_event": 0, "verdict": "fine"}, 422, "verdict"),
        ("review", {"place": 1, "last_event": 0, "verdict": "supported", "reviewer": "ben"}, 422, "reviewer"),
        ("review", {"place": 1, "last_event": 0, "note": "x" * 4001}, 422, "note"),
        ("review", {"place": 1, "last_event": 0, "correction": {"organ": " ", "caption": "x"}}, 422, "organ"),
        ("check", {"place": 99, "organ": "liver", "caption": "x"}, 404, "from 1 to 30"),
    ],
)
def test_what_cannot_be_is_told(page: Page, path: str, body: dict[str, Any], status: int, message: str) -> None:
    assert message in page.post(path, status=status, **body)["detail"]
    assert page.get("session")["reviewed"] == 0


def test_filters_lead_from_caption_to_caption_in_both_directions(page: Page) -> None:
    seen, place = [], 0
    while (place := page.get(f"find?place={place}&step=1&organ=liver")["place"]) is not None:
        seen.append(place)
    back, place = [], 31
    while (place := page.get(f"find?place={place}&step=-1&organ=liver")["place"]) is not None:
        back.append(place)
    assert len(seen) == 6 and back == seen[::-1]
    page.post("review", place=seen[0], last_event=0, verdict="unsure")
    assert page.get("find?place=0&verdict=unsure")["place"] == seen[0]
    assert page.get("find?place=0&organ=liver&verdict=none")["place"] == seen[1]
    assert page.get("find?place=0&kind=refused&status=normal")["place"] is None
    assert page.get("find?place=0&organ=%27%3B%20DROP%20TABLE%20item")["place"] is None
    assert page.get("find?place=99&step=1")["place"] is None


def test_reviewers_do_not_see_each_other(context: ReviewContext) -> None:
    app = create_app(context)
    ann, ben = Page(context, 1, app), Page(context, 2, app)
    ann.post("review", place=1, last_event=0, verdict="hallucinated", note="ann was here")
    assert "ann was here" not in str(ben.get("item/1")) and ben.get("session")["reviewed"] == 0
    ben.post("review", place=1, last_event=0, verdict="supported")
    assert ann.get("item/1")["review"]["verdict"] == "hallucinated"
    assert ben.post("undo")["place"] == 1 and ann.get("session")["reviewed"] == 1


def test_judges_are_shown_after_the_own_verdict_only(page: Page, context: ReviewContext) -> None:
    context.store.connection.execute(
        "INSERT INTO judgement VALUES ('llm', ?, 'hallucinated', 'here', 'WHY', 'now')",
        (context.reviewers[0].item_at(2),),
    )
    assert "WHY" not in str(page.get("item/2"))
    review = page.post("review", place=2, last_event=0, verdict="supported")["review"]
    assert page.get("item/2")["judges"] == [
        {"judge": "llm", "verdict": "hallucinated", "passage": "here", "why": "WHY"}
    ]
    page.post("review", place=2, last_event=review["event"], note="no verdict any more")
    assert "WHY" not in str(page.get("item/2"))


def test_all_passages_of_the_evidence_are_marked(tmp_path: Path) -> None:
    text = "A nodule in the left lung. The spleen is normal. The nodule is new."
    caption = accepted_caption(text, "A nodule in the left lung.", "left lung", "New nodule", "abnormal")
    caption = caption._replace(spans=((0, 26), (49, 67)))
    write_set(tmp_path / "set", [(make_report(1, text), [caption], [])])
    with open_audit(tmp_path / "set") as store:
        item = Page(context_of(tmp_path / "set", store, "ann")).get("item/1")
    assert [text[start:end] for start, end in marks_of(item)] == ["A nodule in the left lung.", "The nodule is new."]
    assert [text[start:end] for start, end in item["report"]["bare"]] == ["The spleen is normal."]


def test_an_audit_of_an_earlier_version_goes_on(root: Path) -> None:
    with open_audit(root, "ann") as store:
        path = store.path
    # That version knew neither these columns nor any digest.
    connection = sqlite3.connect(path)
    for name in ("basis", "spans"):
        connection.execute(f"ALTER TABLE caption DROP COLUMN {name}")
    connection.execute(f"DROP TABLE {SUMS}")
    connection.close()
    path.with_name(f"{path.name}.sha256").unlink()
    store = AuditStore(path)
    item = Page(context_of(root, store, "ann")).get("item/1")
    store.close()
    assert len(marks_of(item)) == 1 and item["basis"] is None


def test_blind_the_answer_has_nothing_of_the_verifier(root: Path) -> None:
    with open_audit(root, "ann", sample=SampleRequest(accepted=18, refused=12)) as store:
        page = Page(context_of(root, store, "ann", blind=True))
        for place in range(1, 31):
            item = page.get(f"item/{place}")
            assert item.keys() == {
                "place", "total", "is_omission", "statement", "organ", "system", "caption", "report",
                "captions", "review",
            }  # fmt: skip
            assert all(
                caption.keys() == {"organ", "system", "caption", "marks", "place", "current"}
                for caption in item["captions"]
            )
            assert item["report"]["bare"] == []
        assert page.get("session")["choices"].keys() == {"organ", "engine"}
        assert page.get("find?place=0&kind=refused")["place"] == page.get("find?place=0&kind=accepted")["place"] == 1
        page.post("review", place=1, last_event=0, verdict="supported")
        assert page.get("item/1")["verifier"]["kind"] in ("accepted", "refused")


def test_places_count_as_the_browser_does(tmp_path: Path) -> None:
    text = "\N{GRINNING FACE} a\N{COMBINING ACUTE ACCENT} Liver is normal."
    caption = accepted_caption(text, "Liver is normal.", "liver", "Liver is normal")
    reject = RefusedCaption("liver", "Liver \N{GRINNING FACE}", "schema", "", None)
    write_set(tmp_path / "set", [(make_report(1, text), [caption], [reject])])
    with open_audit(tmp_path / "set") as store:
        item = Page(context_of(tmp_path / "set", store, "ann")).get("item/1")
    ((start, end),) = marks_of(item)
    assert text.encode("utf-16-le")[2 * start : 2 * end].decode("utf-16-le") == "Liver is normal."
    assert item["report"]["sections"] == [["findings", 0, len(text) + 1, True]]


@pytest.mark.parametrize("path", ["session", "item/1", "find?place=0", "guideline"])
def test_without_the_token_nothing_is_told(context: ReviewContext, path: str) -> None:
    app = create_app(context)
    client = TestClient(app, base_url="http://127.0.0.1:8765")
    assert client.get(f"/r/1/api/{path}").status_code == 401
    assert client.get("/r/1/?token=wrong").status_code == 401
    assert client.get(f"/r/1/?token={context.tokens.tokens[1]}").status_code == 401
    assert client.get("/r/9/?token=x").status_code == 401
    assert client.get(f"/r/2/?token={context.tokens.tokens[1]}").status_code == 200
    assert client.get(f"/r/1/api/{path}").status_code == 401  # ben's key does not open ann's door
    assert client.get(f"/r/2/api/{path}").status_code == 200
    posted = client.post("/r/1/api/review", json={"place": 1, "last_event": 0, "verdict": "supported"}, headers=ORIGIN)
    assert posted.status_code == 401 and "link" in posted.json()["detail"]


def test_the_cookie_is_for_this_page_alone(context: ReviewContext, page: Page) -> None:
    set_cookie = page.client.get(page.link).headers["set-cookie"].lower()
    assert all(part in set_cookie for part in ("httponly", "samesite=strict", "path=/r/1/"))
    for path in (page.link, "/app.js", "/r/1/api/session", "/nowhere", "/r/1/?token=no"):
        answer = page.client.get(path)
        assert {name: answer.headers[name] for name in SECURITY_HEADERS} == SECURITY_HEADERS
    assert "unsafe" not in SECURITY_HEADERS["Content-Security-Policy"]


@pytest.mark.parametrize(
    "path",
    ["/../store.py", "/static/../store.py", "/%2e%2e/store.py", "/r/1/../../etc/passwd", "/..%2f..%2fetc/passwd",
     "/r/1/api/item/..%2f..%2fmanifest.json", "/app.js/../style.css%00", "/docs", "/openapi.json", "/index.html",
     "/r/1/api/item/1.5", "/r/1/api/item/-1", "/r/1/api/item/99999999999999999999"],
)  # fmt: skip
def test_paths_of_the_address_never_reach_the_disk(page: Page, path: str) -> None:
    answer = page.client.get(path)
    assert answer.status_code in (404, 422) and "root:" not in answer.text and "import" not in answer.text


@pytest.mark.parametrize(
    "error", [sqlite3.OperationalError("database or disk is full"), OSError(28, "No space left on device")]
)
def test_a_full_disk_is_told_and_loses_nothing(
    page: Page, context: ReviewContext, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    page.post("review", place=1, last_event=0, verdict="supported")

    def full(*_: Any, **__: Any) -> None:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(Reviewer, "save_review", full)
        answer = page.post("review", status=503, place=2, last_event=0, verdict="supported")
    told = f"not saved: {error} ({context.store.path}). What was saved before is kept; see to its disk, then "
    assert answer["detail"].startswith(told)
    assert page.post("review", place=2, last_event=0, verdict="supported")["reviewed"] == 2


def test_the_guideline_is_read_when_it_is_asked_for(page: Page, root: Path) -> None:
    assert "How to judge" in page.get("guideline")["text"]
    (root / "audit/guideline.md").write_text("Ours.", encoding="utf-8")
    assert page.get("guideline")["text"] == "Ours."
    (root / "audit/guideline.md").unlink()
    assert "cannot be read" in page.get("guideline")["text"]
