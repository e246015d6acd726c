"""A memory store whose answers a test decides, call by call."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

from hsds.errors import KeyNotFound, StoreBusy, StoreError, StoreUnavailable
from hsds.store.memory import MemoryStore


class ScriptedStore(MemoryStore):
    """Follows ``script`` (one word a PUT or conditional delete) and counts calls.

    ``ok``; ``busy``: declined; ``lost``: no answer and no effect; ``done``: the effect, but no answer;
    ``late``: no answer, and the effect when ``land`` is called. Beyond the script all is well. While
    ``down`` nothing is answered at all. ``before_put`` is called before each PUT takes effect.
    """

    conditional_delete = False
    late_creates = True
    """Whether what is ``late`` may land where there was nothing (it is ``lost`` otherwise)."""

    def __init__(self, *script: str, conditional_delete: bool = False) -> None:
        super().__init__(("b",))
        self.conditional_delete = conditional_delete
        self.script = deque(script)
        self.calls: list[str] = []
        self.down = False
        self.before_put: Callable[[], Any] = lambda: None
        self._late: list[Callable[[], Any]] = []

    def count(self, kind: str) -> int:
        return self.calls.count(kind)

    async def land(self) -> None:
        """PUTs on their way arrive; their conditions may fail by now."""
        late, self._late = self._late, []
        for put in late:
            try:
                await put()
            except StoreError as error:
                self.calls.append(f"late {type(error).__name__}")

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
        await asyncio.sleep(0)
        self.before_put()
        match self.script.popleft() if self.script else "ok":
            case "busy":
                raise StoreBusy("slow down")
            case "lost":
                raise StoreUnavailable("no answer")
            case "done":
                await write(*args, **kwargs)
                raise StoreUnavailable("no answer")
            case "late":
                replaces = not kwargs.get("if_none_match") and await self._replaces(*args[:2])
                if self.late_creates or replaces:
                    self._late.append(lambda: write(*args, **kwargs))
                raise StoreUnavailable("no answer")
            case _:
                return await write(*args, **kwargs)

    async def _replaces(self, bucket: str, key: str) -> bool:
        """Whether there is something other than a tombstone."""
        try:
            return bool((await super().head(bucket, key)).size)
        except KeyNotFound:
            return False

    def _called(self, kind: str) -> None:
        self.calls.append(kind)
        if self.down:
            raise StoreUnavailable("nobody there")
