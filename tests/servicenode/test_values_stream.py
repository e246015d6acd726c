"""Values larger than a slab: streamed both ways within the budget, and what happens when something breaks."""

from __future__ import annotations

import asyncio
import json
import zlib

import aiohttp
import numpy as np
import pytest

from hsds.config import Settings
from hsds.errors import StoreUnavailable
from tests.servicenode.conftest import BUCKET
from tests.servicenode.valuetools import BINARY, BINARY_BODY, DOMAIN, VARIABLE, compound, make_values

MIB = 1 << 20
DATA = np.random.default_rng(5).integers(0, 1 << 30, (1000, 500), "<i4")


@pytest.fixture
def settings():
    return Settings(bucket_name=BUCKET, request_memory_size=MIB, max_request_size=8 * MIB)


@pytest.fixture
async def big(service):
    values = await make_values(service, DATA.shape, "<i4", chunks=[90, 200])
    await values.write(DATA)
    yield values
    assert service.node.budget.used == 0


async def test_chunks_of_one_element(service):
    """Of which a slab by its bytes would have millions."""
    values = await make_values(service, (20_000,), "|i1", chunks=[1])
    some = np.arange(100, dtype="|i1")
    await values.write(some, select="[16350:16450]")
    expected = np.zeros(20_000, "|i1")
    expected[16350:16450] = some
    reply = await values.get(headers=BINARY)
    assert reply.body == expected.tobytes()
    reply = await values.get(select="[16350:16450]")
    assert reply.json["value"] == some.tolist()
    assert service.node.budget.used == 0


async def test_a_dataset_is_not_made_with_a_value_of_too_many_chunks(service):
    await make_values(service, (1,), "<i4")
    body = {"type": "H5T_STD_I8LE", "shape": [200_000], "value": [1] * 200_000}
    body["creationProperties"] = {"layout": {"class": "H5D_CHUNKED", "dims": [1]}}
    reply = await service.post("/datasets", domain=DOMAIN, json=body)
    assert reply.status == 413
    assert "touches 200000 chunks" in reply.reason


async def body_in_pieces(data, size=50_000):
    for start in range(0, len(data), size):
        yield data[start : start + size]


async def test_whole(big):
    reply = await big.get(headers=BINARY)
    assert reply.headers["Content-Length"] == str(DATA.nbytes)
    assert np.array_equal(big.array(reply, DATA.shape), DATA)


@pytest.mark.parametrize(
    ("select", "index"),
    [
        ("[7:991:3,2:]", np.s_[7:991:3, 2:]),
        ("[[3,999,0,500,501,502],:]", np.s_[[3, 999, 0, 500, 501, 502], :]),
        ("[:,[499,0,3]]", np.s_[:, [499, 0, 3]]),
    ],
)
async def test_selections(big, select, index):
    assert np.array_equal(await big.read(DATA[index].shape, select=select), DATA[index])
    assert await big.value(select=select) == DATA[index].tolist()
    await big.write(-DATA[index], select=select)
    expected = DATA.copy()
    expected[index] = -DATA[index]
    assert np.array_equal(await big.read(DATA.shape), expected)


async def test_json(big):
    reply = await big.get()
    assert reply.headers["Content-Type"] == "application/json"
    assert reply.json["value"] == DATA.tolist()
    assert len(reply.json["hrefs"]) == 4
    values = await big.value(select="[:,3]", reduce_dim=1)
    assert values == DATA[:, 3].tolist()


async def test_json_of_many_axes(service):
    data = np.arange(3 * 4 * 50 * 60, dtype="<f8").reshape(3, 4, 1, 50, 60)
    values = await make_values(service, data.shape, "<f8", chunks=[2, 3, 1, 20, 60])
    await values.write(data)
    assert await values.value() == data.tolist()
    assert await values.value(reduce_dim=1) == data[:, :, 0].tolist()


async def test_points(big):
    points = np.random.default_rng(1).integers(0, [1000, 500], (100_000, 2)).astype("<u8")
    reply = await big.post(data=points.tobytes(), headers=BINARY | BINARY_BODY)
    assert np.array_equal(big.array(reply), DATA[tuple(points.T)])


async def test_body_of_unknown_length(big):
    reply = await big.put(body_in_pieces((-DATA).tobytes()))
    assert reply.status == 200
    assert np.array_equal(await big.read(DATA.shape), -DATA)


@pytest.mark.parametrize("change", [-1, 4])
async def test_body_of_unknown_and_wrong_length(big, change):
    body = (DATA.tobytes() + b"\0" * 4)[: DATA.nbytes + change]
    reply = await big.put(body_in_pieces(body))
    assert reply.status == 400
    assert str(DATA.nbytes) in reply.reason


async def test_append_of_unknown_length(service):
    values = await make_values(service, [0, 500], "<i4", maxdims=[0, 500], chunks=[90, 200])
    reply = await values.put(body_in_pieces(DATA.tobytes()), append=1000)
    assert reply.status == 200
    assert np.array_equal(await values.read(DATA.shape), DATA)
    await values.write(DATA, append=1000)
    assert np.array_equal(await values.read((2000, 500)), np.concatenate([DATA, DATA]))
    assert (await values.put(body_in_pieces(DATA.tobytes()[4:]), append=1000)).status == 400
    assert len(await values.read((2000, 500))) == 2000
    assert service.node.budget.used == 0


async def test_fields(service):
    dtype = np.dtype([("a", "<i4"), ("b", "<f8")])
    values = await make_values(
        service, [50_000], dtype, type_json=compound(a="H5T_STD_I32LE", b="H5T_IEEE_F64LE"), chunks=[7000]
    )
    numbers = np.arange(50_000)
    await values.write(numbers.astype("<f8"), fields="b")
    await values.write(numbers.astype("<i4"), fields="a")
    reply = await values.get(headers=BINARY, fields="b")
    assert reply.headers["Content-Length"] == "400000"
    assert np.array_equal(np.frombuffer(reply.body, "<f8"), numbers)
    table = await values.read()
    assert np.array_equal(table["a"], numbers)
    assert np.array_equal(table["b"], numbers)


async def test_variable_length(service):
    texts = [f"{'ä' * (i % 7)}{i}" for i in range(20_000)]
    values = await make_values(service, [20_000], object, type_json=VARIABLE, chunks=[3000])
    parts = [text.encode() for text in texts]
    body = b"".join(len(part).to_bytes(4, "little") + part for part in parts)
    await values.write(body)
    reply = await values.get(headers=BINARY)
    assert reply.headers["Content-Type"] == "application/octet-stream"
    assert reply.body == body
    assert await values.value() == texts


async def test_repeated_data(service):
    values = await make_values(service, DATA.shape, "<i4", chunks=[90, 200])
    await values.write(DATA[5], element_count=500)
    assert np.array_equal(await values.read(DATA.shape), np.broadcast_to(DATA[5], DATA.shape))


async def test_queries(big):
    rows, columns = np.nonzero(DATA > 1 << 29)
    reply = await big.get(query=f"_ > {1 << 29}", headers=BINARY)
    assert np.array_equal(big.array(reply), DATA[rows, columns])
    reply = await big.service.get(f"{big.path}/query", domain=DOMAIN, query=f"_ > {1 << 29}", headers=BINARY)
    assert np.array_equal(np.frombuffer(reply.body, "<i8").reshape(-1, 2), np.stack([rows, columns], axis=1))
    reply = await big.get(query=f"_ > {1 << 29}")
    assert reply.json["value"] == DATA[rows, columns].tolist()
    assert reply.json["index"] == np.stack([rows, columns], axis=1).tolist()
    reply = await big.get(query=f"_ > {1 << 29}", Limit=60_000, headers=BINARY)
    assert np.array_equal(big.array(reply), DATA[rows, columns][:60_000])
    reply = await big.put(json={"value": 0}, query="_ > 0", Limit=400_000)
    assert len(reply.json["indices"]) == 400_000
    assert np.count_nonzero(await big.read()) == np.count_nonzero(DATA) - 400_000


async def test_too_large(service):
    values = await make_values(service, [3000, 1000], "<i4", chunks=[1000, 1000])
    assert (await values.get()).status == 413
    assert (await values.get(headers=BINARY)).status == 200
    assert (await values.post(json={"select": "[:,:]"}, headers=BINARY)).status == 413
    assert (await values.get(select="[0:2000,:]")).status == 200
    await values.write(np.zeros(12_000_000, "u1"))
    query = await service.get(f"{values.path}/query", domain=DOMAIN, query="_ == 0")
    assert query.status == 413
    assert (await values.get(query="_ == 0")).status == 413
    assert (await values.get(query="_ == 0", Limit=3)).json["value"] == [0, 0, 0]
    assert (await values.put(b" " * 9_000_000, headers={"Content-Type": "application/json"})).status == 413
    assert (await values.put(np.zeros(3_000_000, "<i4"), element_count=3_000_000)).status == 200
    texts = await make_values(service, [10], object, type_json=VARIABLE)
    assert (await texts.put(b"\0" * 9_000_000)).status == 413


async def test_many_at_once(big):
    answers = await asyncio.gather(*(big.read(DATA.shape) for _ in range(20)))
    assert all(np.array_equal(answer, DATA) for answer in answers)
    await asyncio.gather(*(big.write(DATA) for _ in range(5)), *(big.value() for _ in range(3)))


def break_store(service, data_node, monkeypatch, *, after):
    """Let reads of chunks fail after so many chunks."""
    data_node.state.chunks.cache.drop(lambda _key: True)
    store, left = service.store, after
    get_many, get = store.get_many, store.get

    def count(keys):
        nonlocal left
        left -= len(keys)
        if left < 0:
            raise StoreUnavailable("the store is away")

    async def failing_many(bucket, keys):
        count(keys)
        return await get_many(bucket, keys)

    async def failing(bucket, key, **options):
        if not key.endswith(".json"):
            count([key])
        return await get(bucket, key, **options)

    monkeypatch.setattr(store, "get_many", failing_many)
    monkeypatch.setattr(store, "get", failing)


@pytest.mark.parametrize("headers", [{}, BINARY])
async def test_a_fault_before_the_first_byte_has_its_status(big, service, data_node, monkeypatch, headers):
    break_store(service, data_node, monkeypatch, after=0)
    reply = await big.get(headers=headers)
    assert (reply.status, reply.reason) == (503, "the store is away")
    assert "Retry-After" in reply.headers


@pytest.mark.parametrize("headers", [{}, BINARY])
async def test_a_fault_later_on_breaks_the_connection(big, service, data_node, monkeypatch, headers):
    break_store(service, data_node, monkeypatch, after=34)
    with pytest.raises(aiohttp.ClientError):
        await big.get(headers=headers)


async def test_a_client_that_leaves(big, service):
    for _ in range(3):
        response = await service.client.get(
            f"{big.path}/value",
            params={"domain": DOMAIN},
            headers=BINARY,
            auth=aiohttp.BasicAuth("test_user1", "test"),
        )
        await response.content.read(1000)
        response.close()

    async def half():
        yield DATA.tobytes()[: DATA.nbytes // 2]
        await asyncio.sleep(0.05)
        raise RuntimeError("enough")

    for _ in range(3):
        with pytest.raises((RuntimeError, aiohttp.ClientError)):
            await big.put(half())
    await asyncio.sleep(0.2)
    assert np.array_equal(await big.read(DATA.shape), DATA)


async def test_json_text_is_one_document(big):
    reply = await big.get(select="[0:300,:]")
    assert json.loads(reply.body)["value"] == DATA[:300].tolist()


async def test_compressed_on_the_wire(big, service):
    service.node.settings = service.node.settings.model_copy(update={"http_compression": True})
    for headers in (BINARY, BINARY | {"Accept-Encoding": "gzip"}, BINARY | {"Accept-Encoding": "identity"}):
        reply = await big.get(headers=headers)
        assert np.array_equal(big.array(reply, DATA.shape), DATA)
        assert ("Content-Encoding" in reply.headers) == ("identity" not in headers.values())
        reply = await big.get(select="[0:2,0:2]", headers=headers)
        assert np.array_equal(big.array(reply, (2, 2)), DATA[:2, :2])


async def test_compressed_body(big):
    body = zlib.compress((-DATA).tobytes())
    await big.write(body, headers={"Content-Encoding": "deflate"})
    assert np.array_equal(await big.read(DATA.shape), -DATA)
    reply = await big.put(body[:1000], headers={"Content-Encoding": "deflate"})
    assert reply.status == 400


@pytest.fixture
async def impatient(service):
    """Values of a service that waits for its store for a fifth of a second."""
    service.node.settings = service.node.settings.model_copy(update={"hold_timeout": 0.2})
    return await make_values(service, DATA.shape, "<i4", chunks=[90, 200])


async def test_a_slow_client_does_not_use_up_the_time_to_wait(impatient):
    async def slowly(data, pieces):
        async for piece in body_in_pieces(data, -(-len(data) // pieces)):
            yield piece
            await asyncio.sleep(0.1)

    assert (await impatient.put(slowly(DATA.tobytes(), 6))).status == 200
    body = json.dumps({"value": DATA[:2].tolist()}).encode()
    as_json = {"Content-Type": "application/json"}
    assert (await impatient.put(slowly(body, 4), headers=as_json, select="[0:2,:]")).status == 200
    assert np.array_equal(await impatient.read(DATA.shape), DATA)
