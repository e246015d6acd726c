"""A memory store whose answers a test decides, call by call."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hsds.errors import KeyNotFound, StoreBusy, StoreError, StoreRefused, StoreUnavailable
from hsds.store.memory import MemoryStore


@dataclass
class Late:
    """A PUT or conditional delete that is on its way."""

    write: Callable[[], Any]
    key: tuple[str, str]
    data: bytes
    creates: bool
    """Whether there was nothing, or a tombstone, when it was sent."""
    changes: int
    """How often the key had been changed by then."""


class ScriptedStore(MemoryStore):
    """Follows ``script`` (one word a PUT or conditional delete) and counts calls.

    ``ok``; ``busy``: declined; ``refused``: for good; ``lost``: no answer and no effect; ``done``: the
    effect, but no answer; ``late``: no answer, and the effect when ``land`` is called. Beyond the script all
    is well. While ``down`` nothing is answered at all. ``before_put`` is called before each PUT takes effect.
    """

    conditional_delete = False
    absences_alike = True
    """Whether a late PUT of a new object meets its condition where the key was made and deleted meanwhile.

    It does in S3, where nothing tells one absence from the next: the case that docs/reliability.md names.
    """

    def __init__(self, *script: str, conditional_delete: bool = False) -> None:
        super().__init__(("b",))
        self.conditional_delete = conditional_delete
        self.script = deque(script)
        self.calls: list[str] = []
        self.down = False
        self.before_put: Callable[[], Any] = lambda: None
        self._late: list[Late] = []
        self._changes: Counter[tuple[str, str]] = Counter()
        """How often each key was changed."""

    def count(self, kind: str) -> int:
        return self.calls.count(kind)

    async def land(self) -> None:
        """PUTs on their way arrive; their conditions may fail by now."""
        late, self._late = self._late, []
        for put in late:
            if not self.absences_alike and self._overtaken(put) and await self._absent(put.key):
                self.calls.append("late left out")
                continue
            try:
                await put.write()
            except StoreError as error:
                self.calls.append(f"late {type(error).__name__}")

    def late_creates(self) -> list[bytes]:
        """What may still come to be where there was nothing, and has been nothing ever since."""
        return [put.data for put in self._late if put.creates and not self._overtaken(put)]

    def _overtaken(self, put: Late) -> bool:
        return put.changes != self._changes[put.key]

    async def _absent(self, key: tuple[str, str]) -> bool:
        """Whether there is nothing, or a tombstone."""
        try:
            return not (await super().head(*key)).size
        except KeyNotFound:
            return True

    async def get(self, *args: Any, **kwargs: Any) -> Any:
        self._called("get")
        return await super().get(*args, **kwargs)

    async def head(self, *args: Any, **kwargs: Any) -> Any:
        self._called("head")
        return await super().head(*args, **kwargs)

    async def put(self, *args: Any, **kwargs: Any) -> str:
        self._called("put")
        etag: str = await self._write(super().put, *args, **kwargs)
        return etag

    async def delete(self, *args: Any, **kwargs: Any) -> None:
        self._called("delete")
        await self._write(super().delete, *args, **kwargs)

    async def _write(self, write: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        async def carry_out() -> Any:
            result = await write(*args, **kwargs)
            self._changes[args[:2]] += 1
            return result

        await asyncio.sleep(0)
        self.before_put()
        match self.script.popleft() if self.script else "ok":
            case "busy":
                raise StoreBusy("slow down")
            case "refused":
                raise StoreRefused("403")
            case "lost":
                raise StoreUnavailable("no answer")
            case "done":
                await carry_out()
                raise StoreUnavailable("no answer")
            case "late":
                await self._send_late(carry_out, args)
                raise StoreUnavailable("no answer")
            case _:
                return await carry_out()

    async def _send_late(self, write: Callable[[], Any], args: tuple[Any, ...]) -> None:
        key, data = args[:2], b"".join(args[2:])
        creates = bool(data) and await self._absent(key)
        self._late.append(Late(write, key, data, creates, self._changes[key]))

    def _called(self, kind: str) -> None:
        self.calls.append(kind)
        if self.down:
            raise StoreUnavailable("nobody there")
