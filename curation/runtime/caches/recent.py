"""Values that were made last, kept within a bound on memory: what comes again soon is not made again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

KeyT = TypeVar("KeyT", bound=Hashable)
ValueT = TypeVar("ValueT")

WEIGHT_OF_ENTRY = 500
"""What an entry weighs beside its text, in bytes: the objects of its key and value."""


class Recent(Generic[KeyT, ValueT]):
    """Keeps values by key, up to a weight of ``most`` together; the oldest make room for new ones.

    One that weighs more by itself is kept until the next is put, for rows behind each other often have the same text.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._weight = 0
        self._lock = threading.RLock()
        self._values: dict[KeyT, tuple[ValueT, int]] = {}

    def get(self, key: KeyT) -> ValueT | None:
        """Return the value of a key, None where it is not kept."""
        kept = self._values.get(key)
        return None if kept is None else kept[0]

    def made(self, key: KeyT, size: int, make: Callable[[], ValueT]) -> ValueT:
        """Return the value of a key, made where it is not kept; ``size`` as in ``put``."""
        kept = self._values.get(key)
        if kept is not None:
            return kept[0]
        value = make()
        self.put(key, value, size)
        return value

    def put(self, key: KeyT, value: ValueT, size: int) -> None:
        """Keep a value whose key and value have ``size`` characters or bytes, in place of an older one of that key."""
        weight = size + WEIGHT_OF_ENTRY
        with self._lock:
            self.drop(key)
            while self._values and self._weight + weight > self._most:
                self.drop(next(iter(self._values)))
            self._values[key] = value, weight
            self._weight += weight

    def drop(self, key: KeyT) -> None:
        """Keep a value no longer."""
        with self._lock:
            kept = self._values.pop(key, None)
            if kept is not None:
                self._weight -= kept[1]
