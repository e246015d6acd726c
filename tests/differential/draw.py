"""Where the randomness of cases comes from, and the requests of one domain.

Both services get the same ids from the client wherever the contract allows that, so that ids that sort, or
stand in binary data, are the same.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from tests.differential.exchange import ABSENT, BINARY, Request

T = TypeVar("T")
FOLDER = "/home/test_user1"
CHOSEN = "c05e"
"""Digits 16 to 20 of every id that is chosen here (that is no root)."""
CHOSEN_ROOT = "5977"
"""The same digits of roots, which follow from their first four, d1ff."""
STRANGER = "d1ffdead"
"""How the ids of roots begin that are never made."""
_TURN = str.maketrans("0123456789abcdef", "89abcdef01234567")


class Draw(random.Random):
    """A source of random choices, ids and names."""

    def __init__(self, seed: str) -> None:
        super().__init__(seed)
        self._case = seed.replace("/", "-")
        self._number = 0

    def path(self, kind: str, folder: str = FOLDER) -> str:
        """A path that no other case uses."""
        self._number += 1
        return f"{folder}/{kind}{self._case}-{self._number}"

    def maybe(self, chance: float = 0.5) -> bool:
        return self.random() < chance

    def some(self, items: Sequence[T], most: int | None = None) -> list[T]:
        """One or more of the items, in their order."""
        count = self.randint(1, min(most or len(items), len(items)))
        chosen = set(self.sample(range(len(items)), count))
        return [item for index, item in enumerate(items) if index in chosen]

    def hex(self, digits: int) -> str:
        return "".join(self.choices("0123456789abcdef", k=digits))

    def root(self) -> str:
        """An id for a root group."""
        half = "d1ff" + self.hex(12)
        return _formatted("g", half + half.translate(_TURN))

    def stranger(self) -> str:
        """An id for a root group that is nowhere."""
        half = STRANGER + self.hex(8)
        return _formatted("g", half + half.translate(_TURN))

    def file(self, folder: str = FOLDER) -> File:
        """A new file, to be made by its ``create``."""
        return File(self, self.path("f", folder) + ".h5", self.root())

    def word(self) -> str:
        """A name: plain ones, and those that need quoting somewhere."""
        plain = self.choice(["a", "b", "data", "x1", "Temp", "lat_lon", "zz", "name.with.dots", "m-n", "0"])
        odd = self.choice(
            ["with space", "ümlaut", "100%", "a&b=c", "{brace}", "q?", "hash#tag", "日本", "a+b", "'q'"]
        )
        return (odd if self.maybe(0.3) else plain) + str(self.randint(0, 99))


class File:
    """A domain: its path, and requests to it."""

    def __init__(self, draw: Draw, path: str, root: str) -> None:
        self.draw = draw
        self.path = path
        self.root = root

    def id(self, letter: str = "d") -> str:
        """A new id for an object of this domain."""
        return _formatted(letter, self.root[2:].replace("-", "")[:16] + CHOSEN + self.draw.hex(12))

    def ask(self, method: str, path: str, **more: Any) -> Request:
        """A request to this domain; ``params`` in ``more`` are added to it."""
        params = {"domain": self.path, **more.pop("params", {})}
        if "json" in more and method != "POST":
            more["headers"] = {"Content-Type": "application/json", **more.get("headers", {})}
        if more.get("data") is not None:
            more["headers"] = {"Content-Type": BINARY, **more.get("headers", {})}
        if more.pop("binary", False):
            more["headers"] = {"accept": BINARY, **more.get("headers", {})}
        if "tags" in more:
            more["tags"] = frozenset(more["tags"])
        return Request(method, path, {name: str(value) for name, value in params.items()}, **more)

    def get(self, path: str, **more: Any) -> Request:
        return self.ask("GET", path, **more)

    def put(self, path: str, json: Any = ABSENT, **more: Any) -> Request:
        return (
            self.ask("PUT", path, json=json, **more) if json is not ABSENT else self.ask("PUT", path, **more)
        )

    def post(self, path: str, json: Any = ABSENT, **more: Any) -> Request:
        return (
            self.ask("POST", path, json=json, **more)
            if json is not ABSENT
            else self.ask("POST", path, **more)
        )

    def delete(self, path: str, **more: Any) -> Request:
        return self.ask("DELETE", path, **more)

    def create(self) -> Request:
        return self.put("/", {"root_id": self.root}, vital=True)

    def group(self, parent: str | None = None, name: str | None = None) -> tuple[str, Request]:
        """A new group, linked where a parent is given."""
        return self._new("groups", "g", {}, parent, name)

    def dataset(
        self, shape: Any, type_: Any, *, name: str | None = None, parent: str | None = None, **more: Any
    ) -> tuple[str, Request]:
        """A new dataset."""
        body = {"type": type_, **({} if shape is None else {"shape": shape}), **more}
        return self._new("datasets", "d", body, parent or (self.root if name else None), name)

    def datatype(self, type_: Any, *, name: str | None = None) -> tuple[str, Request]:
        """A new committed datatype."""
        return self._new("datatypes", "t", {"type": type_}, self.root if name else None, name)

    def _new(
        self, collection: str, letter: str, body: dict[str, Any], parent: str | None, name: str | None
    ) -> tuple[str, Request]:
        id_ = self.id(letter)
        link = {"link": {"id": parent, "name": name or self.draw.word()}} if parent else {}
        return id_, self.post(f"/{collection}", {"id": id_, **body, **link}, vital=True)


Case = Iterator[Request]


def _formatted(letter: str, digits: str) -> str:
    return f"{letter}-{digits[:8]}-{digits[8:16]}-{digits[16:20]}-{digits[20:26]}-{digits[26:]}"
