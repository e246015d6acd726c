"""A bucket goes from HSDS to here and back, or the other way: every value right, and changed at each stop.

The services run one after another over one directory, never together.
"""

from __future__ import annotations

import pytest

from hsds.hdf5.keys import dataset_prefix, info_key, summary_key
from tests.interop.contents import File
from tests.interop.model import DEFLATE, F64, I32, TEXT, Case

pytestmark = pytest.mark.timeout(300)
DOMAIN = "/home/interop/file.h5"


async def test_to_and_fro(there, here, version):
    """One file that begins at HSDS, and one that begins here."""
    theirs, ours = File(DOMAIN, version), File("/home/ours/file.h5", version)
    async with there() as rest:
        await rest.folder("/home")
        await rest.folder("/home/interop")
        await theirs.create(rest)
        await theirs.check(rest)
        await flush(rest)
    async with here() as rest:
        await theirs.check(rest)
        await theirs.change(rest, 2)
        await theirs.check(rest)
        await rest.folder("/home/ours")
        await ours.create(rest)
    async with there() as rest:
        await theirs.check(rest, there_again=True)
        await theirs.change(rest, 3)
        await flush(rest)
        await ours.check(rest)
        await ours.change(rest, 2)
        await flush(rest, ours.domain)
    async with here() as rest:
        await theirs.check(rest, there_again=True)
        await ours.check(rest)
        await ours.change(rest, 3)
    async with there() as rest:
        await ours.check(rest)


async def flush(rest, domain=DOMAIN):
    await rest.ask("PUT", "/", domain, params={"flush": 1})


async def test_partitioned_chunks(there, here, version, tmp_path):
    """With ``max_chunks_per_folder`` chunks lie in folders of their own; both services may make such."""
    made_there = [Case("automatic", F64, (1500, 600), "<f8")]  # 1.0 parts no layout that a client chose
    made_here = [
        Case("parted", I32, (50, 35), chunks=(10, 10), filters=(DEFLATE,), maxdims=(200, 35)),
        Case("parted_text", TEXT, (40,), None, chunks=(4,)),
    ]
    async with there(MAX_CHUNKS_PER_FOLDER="1") as rest:
        await rest.folder("/home")
        await rest.folder("/home/interop")
        root = await rest.create(DOMAIN)
        for case in made_there:
            await case.create(rest, DOMAIN, root)
        await flush(rest)
    async with here("--max-chunks-per-folder", "4") as rest:
        for case in made_here:
            await case.create(rest, DOMAIN, root)
        for case in made_there:
            await case.check(rest, DOMAIN)
            await case.change(rest, DOMAIN, 2)
    assert all(chunks_of(tmp_path, case, "p*/*") for case in (*made_there, *made_here))
    assert not any(chunks_of(tmp_path, case, "[0-9]*") for case in (*made_there, *made_here))
    async with there(MAX_CHUNKS_PER_FOLDER="1") as rest:
        for case in (*made_there, *made_here):
            await case.check(rest, DOMAIN)
            await case.change(rest, DOMAIN, 3)
        await flush(rest)
    async with here() as rest:
        for case in (*made_there, *made_here):
            await case.check(rest, DOMAIN)


async def test_scan_results(there, here, version, tmp_path):
    """What HSDS learnt by scanning is gone with the first change here; it reads what a rescan here wrote."""
    case = Case("d", I32, (50,), chunks=(10,))
    async with there() as rest:
        await rest.folder("/home")
        await rest.folder("/home/interop")
        root = await rest.create(DOMAIN)
        await case.create(rest, DOMAIN, root)
        await flush(rest)
        await rest.ask("PUT", "/", DOMAIN, params={"rescan": 1})
        before = await verbose(rest)
    results = [tmp_path / "data" / "hsdstest" / key(root) for key in (info_key, summary_key)]
    assert results[0].exists()
    assert results[1].exists() == (version != "0.9.4")

    async with here() as rest:
        shown = await verbose(rest)
        assert {name: shown[name] for name in FIGURES} == {name: before[name] for name in FIGURES}
        assert results[0].exists(), "reading changes nothing"
        await rest.ask("POST", "/groups", DOMAIN, json={"link": {"id": root, "name": "g"}})
        assert not any(path.exists() for path in results)
        await case.write(rest, DOMAIN, (slice(40, 50),), 3)
        shown = await verbose(rest)
        assert (shown["num_groups"], shown["num_chunks"]) == (2, len(chunks_of(tmp_path, case, "[0-9]*")))
        await rest.ask("PUT", "/", DOMAIN, params={"rescan": 1})
        assert results[0].exists()
    async with there() as rest:
        again = await verbose(rest)
        assert {name: again[name] for name in FIGURES} == {name: shown[name] for name in FIGURES}
        assert again["md5_sum"] == shown["md5_sum"]
        assert again["scan_info"]["datasets"][case.id]["logical_bytes"] == 200
        await case.check(rest, DOMAIN)


def chunks_of(tmp_path, case, pattern):
    """Files that hold chunks of a dataset."""
    return list((tmp_path / "data" / "hsdstest" / dataset_prefix(case.id)).glob(pattern))


FIGURES = (
    "num_groups", "num_datasets", "num_datatypes", "num_objects", "num_chunks", "num_linked_chunks",
    "allocated_bytes", "metadata_bytes", "linked_bytes",
)  # fmt: skip


async def verbose(rest):
    return await rest.ask("GET", "/", DOMAIN, params={"verbose": 1})
