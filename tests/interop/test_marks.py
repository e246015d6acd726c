"""Chunks with a mark behind what is compressed: HSDS reads them, and writes them again without."""

from __future__ import annotations

import pytest

from hsds.hdf5.filters import MARK_BYTES
from tests.interop.contents import filter_cases, type_cases
from tests.interop.test_buckets import chunks_of, flush

pytestmark = pytest.mark.timeout(300)
DOMAIN = "/home/interop/file.h5"
COMPRESSORS = {f"H5Z_FILTER_{name}" for name in ("DEFLATE", "LZ4", "LZ4HC", "BLOSC", "ZSTD")}
TYPES = {"record_shuffled", "fixed_ascii", "text_gzip", "text_shuffle_zstd"}


def is_compressed(case):
    return any(item["class"] in COMPRESSORS for item in case.filters)


async def test_marks_are_nothing_to_hsds(there, here, version, tmp_path):
    cases = [*filter_cases(version), *(case for case in type_cases() if case.name in TYPES)]
    async with there() as rest:
        await rest.folder("/home")
        await rest.folder("/home/interop")
    async with here() as rest:
        root = await rest.create(DOMAIN)
        for case in cases:
            await case.create(rest, DOMAIN, root)
            first = sizes(tmp_path, case)
            await case.write(rest, DOMAIN, (slice(0, -(-3 * case.dims[0] // 4)),), 1)
            growth = {size - first[name] for name, size in sizes(tmp_path, case).items()}
            marked = {MARK_BYTES, MARK_BYTES + 1} if is_compressed(case) else {0}
            assert growth, case.name
            assert growth <= marked, case.name
            await case.check(rest, DOMAIN)
    async with there() as rest:
        for case in cases:
            await case.check(rest, DOMAIN)
            await case.change(rest, DOMAIN, 2)
            await case.check(rest, DOMAIN)
        await flush(rest)
    async with here() as rest:
        for case in cases:
            if not case.lossy_there:
                await case.check(rest, DOMAIN)
                await case.change(rest, DOMAIN, 3)
                await case.check(rest, DOMAIN)


def sizes(tmp_path, case):
    """Bytes of each stored chunk."""
    return {path.name: path.stat().st_size for path in chunks_of(tmp_path, case, "[0-9]*")}
