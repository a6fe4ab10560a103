"""Who is turned away before anybody looks at what they want"""

import pytest

from curation.audit.gate import LARGEST, Keys, cookie_value, refusal

POST = {
    "host": "127.0.0.1:8765",
    "origin": "http://127.0.0.1:8765",
    "content-type": "application/json",
    "content-length": "9",
}


@pytest.mark.parametrize("host", ["127.0.0.1:8765", "localhost:1", "localhost", "[::1]:8765"])
def test_our_own_page_may_read_and_write(host: str) -> None:
    assert refusal("GET", {"host": host}) is None
    assert refusal("POST", {**POST, "host": host, "origin": f"http://{host}"}) is None
    assert refusal("POST", {**POST, "sec-fetch-site": "same-origin"}) is None


@pytest.mark.parametrize("host", ["evil.test", "127.0.0.1.evil.test", "evil.test:8765", "", "[::1", "192.168.0.7:8765"])
def test_a_name_that_points_here_is_not_ours(host: str) -> None:
    assert refusal("GET", {"host": host})
    assert refusal("POST", {**POST, "host": host, "origin": f"http://{host}"})
    assert refusal("GET", {})


@pytest.mark.parametrize(
    "change",
    [
        {"origin": "http://evil.test"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:8766"},
        {"origin": "https://127.0.0.1:8765"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-length": str(LARGEST + 1)},
        {"content-length": "-1"},
    ],
)
def test_what_another_site_can_send_is_refused(change: dict[str, str]) -> None:
    assert refusal("POST", POST) is None
    assert refusal("POST", POST | change)
    assert refusal("DELETE", POST | change)


@pytest.mark.parametrize("missing", ["origin", "content-type", "content-length"])
def test_what_a_page_always_sends_must_be_there(missing: str) -> None:
    assert refusal("POST", {name: value for name, value in POST.items() if name != missing})


def test_each_reviewer_has_a_key_of_their_own() -> None:
    keys = Keys.for_reviewers(["ann", "ben"])
    again = Keys.for_reviewers(["ann", "ben"])
    assert len({*keys.tokens, *again.tokens}) == 4 and min(map(len, keys.tokens)) >= 32
    assert keys.opens(1, keys.tokens[0]) and keys.opens(2, keys.tokens[1])
    for number, token in [(1, keys.tokens[1]), (0, keys.tokens[0]), (3, keys.tokens[0]), (-1, keys.tokens[1]), (1, ""),
                          (1, None), (1, "é")]:  # fmt: skip
        assert not keys.opens(number, token)
    assert keys.tokens[0] not in repr(keys)


def test_cookies_are_told_apart_by_reviewer_and_port() -> None:
    assert len({Keys.cookie(number, port) for number in (1, 2) for port in (80, 81)}) == 4
    assert cookie_value("a=1; ovct-80-1=xyz", "ovct-80-1") == "xyz"
    assert cookie_value("", "a") is None and cookie_value("a", "a") is None
