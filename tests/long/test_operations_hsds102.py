"""What a dataset remembers of operations goes unseen through HSDS 1.0.2, which changes the dataset."""

from __future__ import annotations

import asyncio
import os

import numpy as np
import pytest

from tests.integration.rest import Rest
from tests.integration.service import Service
from tests.tools.hsds102 import USER, Hsds102

DOMAIN = "/home/operations.h5"


async def append(rest: Rest, dataset: str, value: int, key: str) -> None:
    body = {"value": [value], "append": 1}
    path, headers = f"/datasets/{dataset}/value", {"Idempotency-Key": key}
    await rest.ask("PUT", path, DOMAIN, json=body, headers=headers)


@pytest.mark.timeout(300)
@pytest.mark.skipif("HSDS_TEST_HSDS102" not in os.environ, reason="HSDS_TEST_HSDS102 is not set")
async def test_keys_survive_hsds(tmp_path):
    root = tmp_path / "data"
    (root / "b").mkdir(parents=True)
    (tmp_path / "passwd").write_text(f"{USER}:{USER}\n")
    flags = ("--root-dir", str(root), "--bucket", "b", "--password-file", str(tmp_path / "passwd"))
    with Service(tmp_path, *flags) as ours:
        async with Rest(ours.url, user=USER, password=USER) as rest:
            await rest.create(DOMAIN)
            dataset = await rest.dataset(DOMAIN, [0], chunks=[8], maxdims=[0])
            await append(rest, dataset, 1, "one")
            await append(rest, dataset, 2, "two")
        assert ours.stop() == 0
    with Hsds102(os.environ["HSDS_TEST_HSDS102"], ROOT_DIR=str(root), BUCKET_NAME="b") as theirs:
        await theirs.wait()
        async with theirs.rest() as rest:
            shown = await rest.ask("GET", f"/datasets/{dataset}", DOMAIN)
            assert "operations" not in shown
            body = {"type": "H5T_STD_I32LE", "shape": [1], "value": [5]}
            await rest.ask("PUT", f"/datasets/{dataset}/attributes/a", DOMAIN, json=body)
            await append(rest, dataset, 3, "three")
            await asyncio.sleep(4)
    with Service(tmp_path, *flags) as ours:
        async with Rest(ours.url, user=USER, password=USER) as rest:
            await append(rest, dataset, 2, "two")
            values = np.frombuffer(await rest.read(DOMAIN, dataset), "<i4")
            assert values.tolist() == [1, 2, 3]
            listed = await rest.ask("GET", f"/datasets/{dataset}/attributes/a", DOMAIN)
            assert listed["value"] == [5]
