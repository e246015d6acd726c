"""Where this service is more tolerant than HSDS 1.0.2: thirteen points of the contract (1.x, section 6)."""

import base64
import math
import time

import numpy as np
import pytest

from hsds.config import Settings
from hsds.errors import StoreUnavailable
from tests.behaviours.client import (
    BYTES,
    CONTIGUOUS,
    F64,
    I32,
    NULL,
    WANTS_BYTES,
    attribute,
    chunked,
    compound,
)
from tests.servicenode.objectfile import make_file

RECORD = compound(a=I32, b=F64)
DTYPE = np.dtype([("a", "<i4"), ("b", "<f8")])
OPAQUE = {"class": "H5T_OPAQUE", "size": 3}


async def table(file):
    id_ = await file.dataset(type=RECORD, shape=[30], creationProperties=chunked(8))
    rows = np.zeros(30, DTYPE)
    rows["a"] = np.arange(30) % 10
    await file.write(id_, rows)
    return id_, rows


async def test_6_1_idempotent_create(file):
    item = {"type": I32, "shape": [4], "creationProperties": CONTIGUOUS, "id": file.new_id("datasets")}
    group = {"id": file.new_id("groups"), "creationProperties": {}}
    for _ in range(2):
        assert (await file.post("/datasets", json=[item])).status == 201
        assert (await file.post("/groups", json=[group, {"id": file.new_id("groups")}])).status == 201
    assert (await file.post("/datasets", json=[item | {"shape": [5]}])).status == 409


async def test_6_2_nan_equals_nan(file):
    vector = {"class": "H5S_SIMPLE", "dims": [2]}
    sent = {"nan": attribute(F64, math.nan), "nans": attribute(F64, [1.0, math.nan], vector)}
    assert (await file.put_attributes({file.root: sent})).status == 201
    assert (await file.put_attributes({file.root: sent})).status == 200
    single = f"/groups/{file.root}/attributes/nan"
    assert (await file.put(single, json=sent["nan"])).status == 200


@pytest.mark.parametrize("key", ["file", "h5domain"])
async def test_6_3_external_links_have_both_keys(file, key):
    link = {"class": "H5L_TYPE_EXTERNAL", "h5path": "/x", key: "/home/other.h5", "created": time.time()}
    body = {"grp_ids": {file.root: {"links": {"batched": link}}}}
    assert (await file.put(f"/groups/{file.root}/links", json=body)).status == 201
    assert (await file.put(f"/groups/{file.root}/links/single", json=link)).status == 201
    listed = (await file.get(f"/groups/{file.root}/links")).json["links"]
    shown = [*listed, *(await file.shown(file.root))["links"].values()]
    assert len(shown) == 4
    for each in shown:
        assert each["file"] == each["h5domain"] == "/home/other.h5"


async def test_6_4_opaque_zeros_as_no_text(file):
    sent = {
        "zero": attribute(OPAQUE, "", encoding="base64"),
        "set": attribute(OPAQUE, "AQID", encoding="base64"),
    }
    assert (await file.put_attributes({file.root: sent})).status == 201
    raw = await file.get(f"/groups/{file.root}/attributes/zero/value", headers=WANTS_BYTES)
    assert raw.body == bytes(3)
    assert (await file.shown(file.root))["attributes"]["set"]["value"] == "AQID"


async def test_6_5_undecodable_attributes_do_not_spoil_a_listing(file):
    fixed = {"class": "H5T_STRING", "length": 4, "charSet": "H5T_CSET_ASCII", "strPad": "H5T_STR_NULLPAD"}
    raw = b"\xff\xfe\x00\x01"
    sent = {
        "bytes": attribute(fixed, base64.b64encode(raw).decode(), encoding="base64"),
        "plain": attribute(I32, 1),
    }
    assert (await file.put_attributes({file.root: sent})).status == 201
    shown = (await file.shown(file.root))["attributes"]
    assert shown["plain"]["value"] == 1
    assert shown["bytes"]["encoding"] == "base64"
    assert base64.b64decode(shown["bytes"]["value"]) == raw
    assert (await file.get(f"/groups/{file.root}/attributes", IncludeData=1)).status == 200


@pytest.mark.parametrize(
    "query", ["a > 3 AND a < 6", "a > 3 & a < 6", "where a in (4, 5)", "a IN (4, 5)", "a.isin(4, 5)"]
)
async def test_6_6_the_union_of_both_query_grammars(file, query):
    id_, rows = await table(file)
    hits = np.flatnonzero((rows["a"] > 3) & (rows["a"] < 6))
    reply = (await file.get(f"/datasets/{id_}/value", query=query)).json
    assert reply["index"] == hits.tolist()
    assert reply["value"] == [list(row) for row in rows[hits].tolist()]
    binary = await file.get(f"/datasets/{id_}/value", query=query, headers=WANTS_BYTES)
    assert binary.body == rows[hits].tobytes(), "bare records"


async def test_6_6_no_hits_are_json_and_updates_tell_both(file):
    id_, _ = await table(file)
    nothing = await file.get(f"/datasets/{id_}/value", query="a > 400", headers=WANTS_BYTES)
    assert nothing.headers["Content-Type"].startswith("application/json")
    assert nothing.json["value"] == []
    updated = (await file.put(f"/datasets/{id_}/value", query="a == 4", json={"b": 1.5})).json
    assert updated["indices"] == [[4], [14], [24]]
    assert [row[-2:] for row in updated["value"]] == [[4, 1.5]] * 3


async def test_6_7_query_fields_and_limit_in_post_bodies(file):
    id_, rows = await table(file)
    body = {"select": "[0:20]", "query": "a == 4", "fields": "b", "Limit": 1}
    reply = await file.post(f"/datasets/{id_}/value", json=body)
    assert reply.json["value"] == [[0.0]]
    binary = await file.post(
        f"/datasets/{id_}/value", json={"select": "[5:30]", "query": "a == 4"}, headers=WANTS_BYTES
    )
    assert binary.body == rows[[14, 24]].tobytes()


@pytest.mark.parametrize(("upsert", "status"), [(True, 201), (False, 409)])
async def test_6_8_batched_attributes_replace(file, service, upsert, status):
    service.node.settings = service.node.settings.model_copy(update={"batch_attr_upsert": upsert})
    await file.put_attributes({file.root: {"a": attribute(I32, 1)}})
    assert (await file.put_attributes({file.root: {"a": attribute(I32, 2)}})).status == status
    value = (await file.shown(file.root))["attributes"]["a"]["value"]
    assert value == (2 if upsert else 1)
    single = await file.put(f"/groups/{file.root}/attributes/a", json=attribute(I32, 3))
    assert single.status == 409, "the single form is HSDS's"


@pytest.mark.parametrize(("infer", "shape"), [(True, "H5S_NULL"), (False, "H5S_SCALAR")])
async def test_6_9_no_shape_and_no_layout_is_a_null_space(file, service, infer, shape):
    service.node.settings = service.node.settings.model_copy(update={"infer_null_space": infer})
    (empty,) = await file.create("datasets", {"type": I32})
    assert (await file.shown(empty))["shape"]["class"] == shape
    (scalar,) = await file.create("datasets", {"type": I32, "creationProperties": CONTIGUOUS})
    assert (await file.shown(scalar))["shape"]["class"] == "H5S_SCALAR"
    single = (await file.post("/datasets", json={"type": I32})).json
    assert single["shape"]["class"] == "H5S_SCALAR"
    assert (await file.post("/datasets", json=[{"type": I32, "shape": "H5S_NULL"}])).json["shape"] == NULL


@pytest.mark.parametrize(
    "bad", [{"type": "nonsense"}, {"type": I32, "shape": [-1]}, {"type": I32, "id": "d-1"}, {}, 7]
)
async def test_6_10_client_errors_in_lists_are_400(file, bad):
    reply = await file.post("/datasets", json=[{"type": I32}, bad])
    assert reply.status == 400
    assert (await file.get("/datasets")).json["datasets"] == []


async def test_6_11_503_says_when_to_come_back(service, monkeypatch):
    async def silent(*_, **__):
        raise StoreUnavailable("the store does not answer")

    for method in ("get", "get_many"):
        monkeypatch.setattr(service.store, method, silent)
    reply = await service.get("/", domain="/home/test_user1/not-cached.h5")
    assert (reply.status, reply.reason) == (503, "the store does not answer")
    assert float(reply.headers["Retry-After"]) > 0


async def test_6_11_puts_and_deletes_can_be_repeated(file):
    id_ = await file.dataset(shape=[4], maxdims=[0], creationProperties=chunked(4))
    for _ in range(2):
        assert (await file.put(f"/datasets/{id_}/shape", json={"shape": [9]})).status == 201
        assert (await file.write(id_, np.arange(9, dtype="<i4"))).status == 200
        assert (await file.put("/acls/test_user2", json={"read": True})).status == 201
    assert (await file.delete(f"/datasets/{id_}")).status == 200
    assert (await file.delete(f"/datasets/{id_}")).status == 410


async def test_6_12_content_length_of_binary_answers(file):
    id_, rows = await table(file)
    whole = await file.get(f"/datasets/{id_}/value", headers=WANTS_BYTES)
    assert whole.headers["Content-Length"] == str(rows.nbytes)
    part = await file.get(f"/datasets/{id_}/value", select="[3:9]", headers=WANTS_BYTES)
    assert part.headers["Content-Length"] == str(6 * DTYPE.itemsize)
    points = await file.post(
        f"/datasets/{id_}/value", data=np.array([1, 5], "<u8").tobytes(), headers=BYTES | WANTS_BYTES
    )
    assert points.headers["Content-Length"] == str(2 * DTYPE.itemsize)


async def test_6_13_query_hits_in_row_major_order(file):
    id_ = await file.dataset(shape=[20, 20], creationProperties=chunked(7, 3))
    data = np.arange(400, dtype="<i4").reshape(20, 20)
    await file.write(id_, data)
    hits = (await file.get(f"/datasets/{id_}/value", query="_ >= 37", headers=WANTS_BYTES)).body
    assert np.frombuffer(hits, "<i4").tolist() == list(range(37, 400))
    first = (await file.get(f"/datasets/{id_}/value", query="_ >= 37", Limit=5, headers=WANTS_BYTES)).body
    assert np.frombuffer(first, "<i4").tolist() == list(range(37, 42))
    found = (await file.get(f"/datasets/{id_}/query", query="_ >= 37", Limit=2)).json["indices"]
    assert found == [[1, 17], [1, 18]]


async def test_defaults_are_the_tolerant_ones(service):
    assert Settings().batch_attr_upsert
    assert Settings().infer_null_space
    assert (await make_file(service, "/home/test_user1/default.h5")).root
