"""Random writes and reads over REST, beside the same on a numpy array."""

from __future__ import annotations

import asyncio
import json
from contextlib import ExitStack
from typing import Any
from unittest.mock import patch

import numpy as np
from aiohttp.test_utils import TestClient, TestServer
from hypothesis import given, settings
from hypothesis import strategies as st

from hsds.config import Settings
from hsds.datanode.node import LocalDataNode
from hsds.datanode.state import make_state
from hsds.hdf5.selection import numpy_index
from hsds.hdf5.selecttext import parse_select
from hsds.servicenode import slabs, valueread
from hsds.servicenode.app import make_app
from hsds.servicenode.auth import make_authenticator
from hsds.servicenode.homes import make_standing_folders
from hsds.servicenode.node import make_node
from hsds.store.memory import MemoryStore
from hsds.transport.nodes import DataNodes

DOMAIN = {"domain": "/home/joe/x.h5"}
BINARY = {"Accept": "application/octet-stream", "Content-Type": "application/octet-stream"}
TYPES: dict[str, Any] = {
    "<i2": "H5T_STD_I16LE",
    ">f4": "H5T_IEEE_F32BE",
    "record": {
        "class": "H5T_COMPOUND",
        "fields": [{"name": "a", "type": "H5T_STD_U8LE"}, {"name": "b", "type": "H5T_STD_I64LE"}],
    },
}
DTYPES = {"<i2": "<i2", ">f4": ">f4", "record": [("a", "u1"), ("b", "<i8")]}


@st.composite
def terms(draw, dims):
    """A ``select`` text of a dataspace of these extents."""
    count = draw(st.integers(1, 5))
    parts = []
    for dim in dims:
        index = st.integers(0, dim - 1)
        match draw(st.sampled_from(["slice", "slice", "index", "list"])):
            case "slice":
                start = draw(index)
                parts.append(f"{start}:{draw(st.integers(start + 1, dim))}:{draw(st.integers(1, 4))}")
            case "index":
                parts.append(str(draw(index)))
            case "list":
                parts.append(
                    str(
                        draw(
                            st.lists(index, min_size=count, max_size=count, unique=True)
                            if dim >= count
                            else st.lists(index, min_size=count, max_size=count)
                        )
                    )
                )
    return f"[{', '.join(parts)}]"


@st.composite
def stories(draw):
    dims = tuple(draw(st.lists(st.integers(1, 12), min_size=1, max_size=3)))
    chunks = [draw(st.integers(1, dim)) for dim in dims]
    steps = draw(st.lists(st.tuples(terms(dims), st.booleans(), st.booleans()), min_size=1, max_size=6))
    return draw(st.sampled_from(sorted(TYPES))), dims, chunks, steps


async def serve(run, configuration):
    """Call ``run`` with a client of a service of its own."""
    store = MemoryStore()
    await store.start()
    await store.create_bucket(configuration.bucket_name)
    node = LocalDataNode(
        make_state(store, metadata_cache=1 << 20, chunk_cache=500, write_budget=1 << 20, threads=1)
    )
    service = make_node(configuration, DataNodes(node), make_authenticator(configuration, local_user="joe"))
    await make_standing_folders(service, "joe")
    async with TestClient(TestServer(make_app(service))) as client:
        await run(client)
    await node.close()
    assert service.budget.used == 0


async def play(client, kind, dims, chunks, steps):
    layout = {"class": "H5D_CHUNKED", "dims": chunks}
    assert (await client.put("/", params=DOMAIN)).status == 201
    body = {"type": TYPES[kind], "shape": dims, "creationProperties": {"layout": layout}}
    reply = await client.post("/datasets", params=DOMAIN, json=body)
    path = f"/datasets/{(await reply.json())['id']}/value"
    model = np.zeros(dims, DTYPES[kind])
    value = 1
    for select, write, as_json in steps:
        index = numpy_index(parse_select(select, dims))
        params = DOMAIN | {"select": select}
        if write:
            data = np.arange(value, value + model[index].size).astype("<i2").reshape(model[index].shape)
            value += data.size
            records = np.empty(data.shape, model.dtype)
            if records.dtype.names:
                records["a"], records["b"] = data % 200, -data
            else:
                records[...] = data
            model[index] = records
            if as_json:
                text = json.dumps({"value": records.tolist()})
                reply = await client.put(
                    path, params=params, data=text, headers={"Content-Type": "application/json"}
                )
            else:
                reply = await client.put(path, params=params, data=records.tobytes(), headers=BINARY)
            assert reply.status == 200, await reply.text()
        elif as_json:
            reply = await client.get(path, params=params)
            assert (await reply.json())["value"] == json.loads(json.dumps(model[index].tolist()))
        else:
            reply = await client.get(path, params=params, headers=BINARY)
            assert await reply.read() == model[index].tobytes()
    reply = await client.get(path, params=DOMAIN, headers=BINARY)
    assert await reply.read() == model.tobytes()


@settings(max_examples=60, deadline=None)
@given(stories(), st.booleans())
def test_values_equal_numpy(story, streamed):
    """``streamed``: everything goes in slabs of a few bytes."""
    configuration = Settings(request_memory_size=64 if streamed else 1 << 20)
    with ExitStack() as stack:
        if streamed:
            for module, name in ((slabs, "SMALL"), (valueread, "JSON_BLOCK")):
                stack.enter_context(patch.object(module, name, 16))
        asyncio.run(serve(lambda client: play(client, *story), configuration))
