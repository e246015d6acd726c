"""Bodies of PUTs: sent from where they lie, piece by piece, so that others do not wait for a large one."""

from __future__ import annotations

from typing import Any

from aiohttp.abc import AbstractStreamWriter
from aiohttp.payload import Payload

from hsds.store.base import Buffer

_PIECE = 256 * 1024
"""Bytes given to the connection at once."""


def body_of(data: Buffer) -> Any:
    """What to pass to aiohttp as ``data``."""
    return data if len(data) <= _PIECE else _Pieces(memoryview(data))


class _Pieces(Payload):
    """A body in memory."""

    _autoclose = True

    def __init__(self, data: memoryview) -> None:
        super().__init__(data, content_type="application/octet-stream")
        self._size = data.nbytes

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return bytes(self._value).decode(encoding, errors)

    async def write(self, writer: AbstractStreamWriter) -> None:
        await self.write_with_length(writer, None)

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        size = self._value.nbytes if content_length is None else min(content_length, self._value.nbytes)
        for start in range(0, size, _PIECE):
            await writer.write(self._value[start : min(start + _PIECE, size)])
