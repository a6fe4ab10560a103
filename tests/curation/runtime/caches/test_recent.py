"""What came a short while ago is kept, within a bound."""

from curation.runtime.caches.recent import WEIGHT_OF_ENTRY, Recent


def test_the_oldest_makes_room_and_one_that_is_too_heavy_stays_until_the_next() -> None:
    recent: Recent[str, str] = Recent(3 * (WEIGHT_OF_ENTRY + 10))
    for key in "abc":
        recent.put(key, key.upper(), 10)
    assert [recent.get(key) for key in "abcd"] == ["A", "B", "C", None]
    recent.put("d", "D", 10)
    assert [recent.get(key) for key in "abcd"] == [None, "B", "C", "D"]
    recent.put("e", "E", 1_000_000)
    assert [recent.get(key) for key in "bcde"] == [None, None, None, "E"]
    recent.put("f", "F", 10)
    assert [recent.get(key) for key in "ef"] == [None, "F"]


def test_a_value_is_replaced_or_dropped_with_its_weight() -> None:
    recent: Recent[str, str] = Recent(2 * (WEIGHT_OF_ENTRY + 10))
    recent.put("a", "A", 10)
    for _ in range(5):
        recent.put("b", "B", 10)
    assert (recent.get("a"), recent.get("b")) == ("A", "B")
    recent.drop("b")
    recent.drop("b")
    recent.put("c", "C", 10)
    assert (recent.get("a"), recent.get("b"), recent.get("c")) == ("A", None, "C")
