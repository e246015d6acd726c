"""Bodies of PUTs: sent from where they lie, piece by piece, so that others do not wait for a large one.

aiohttp's time-out of a silent server begins when all is sent. One that stops reading would keep a large body
on its way for ever, and with it the key and its share of the memory for changes.
"""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp.abc import AbstractStreamWriter
from aiohttp.payload import Payload

from hsds.store.base import Buffer

_AT_ONCE = 32 * 1024
"""Bytes up to which a body is taken by the connection whether the server reads or not."""
_PIECE = 256 * 1024
"""Bytes given to the connection at once."""


def body_of(data: Buffer, timeout: float) -> Any:
    """What to pass to aiohttp as ``data``. Each piece is to be gone within ``timeout`` seconds."""
    return data if len(data) <= _AT_ONCE else _Pieces(memoryview(data), timeout)


class _Pieces(Payload):
    """A body in memory."""

    _autoclose = True

    def __init__(self, data: memoryview, timeout: float) -> None:
        super().__init__(data, content_type="application/octet-stream")
        self._size = data.nbytes
        self._timeout = timeout

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return bytes(self._value).decode(encoding, errors)

    async def write(self, writer: AbstractStreamWriter) -> None:
        await self.write_with_length(writer, None)

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        size = self._value.nbytes if content_length is None else min(content_length, self._value.nbytes)
        for start in range(0, size, _PIECE):
            async with asyncio.timeout(self._timeout):
                await writer.write(self._value[start : min(start + _PIECE, size)])
