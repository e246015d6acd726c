"""What this service does not do: each answered clearly."""

import pytest
from objectfile import I32, make_file

from hsds.config import Settings
from hsds.configsources import load_settings
from hsds.errors import InvalidSettings
from hsds.hdf5.jsontext import dumps
from hsds.hdf5.keys import domain_key

V1_ROOT = "g-314d61b8-9954-11e6-a733-3c15c2da029e"
OLD = "/home/test_user1/old.h5"
REFERENCES = {
    "H5D_CONTIGUOUS_REF": {"file_uri": "bucket/file.h5", "offset": 4096, "size": 400},
    "H5D_CHUNKED_REF": {"file_uri": "file.h5", "dims": [10], "chunks": {"0": [4096, 40], "3": [8192, 40]}},
    "H5D_CHUNKED_REF_INDIRECT": {"dims": [10], "chunk_table": None},
}
TEXT = {
    "class": "H5T_STRING",
    "charSet": "H5T_CSET_UTF8",
    "strPad": "H5T_STR_NULLTERM",
    "length": "H5T_VARIABLE",
}


@pytest.fixture
async def file(service):
    return await make_file(service)


@pytest.fixture
async def references(file):
    """A layout of each class that refers to HDF5 files."""
    made = {cls: {"class": cls, **layout} for cls, layout in REFERENCES.items()}
    made["H5D_CHUNKED_REF_INDIRECT"]["chunk_table"] = await file.make("datasets", shape=[10])
    return made


@pytest.mark.parametrize("cls", REFERENCES)
async def test_reference_layouts_are_reported_and_501_to_read(file, references, cls):
    layout = references[cls]
    id_ = await file.make("datasets", shape=[100], creationProperties={"layout": layout})
    shown = (await file.get(f"/datasets/{id_}")).json
    assert shown["creationProperties"]["layout"] == layout
    for reply in (
        await file.get(f"/datasets/{id_}/value"),
        await file.get(f"/datasets/{id_}/value", headers={"Accept": "application/octet-stream"}),
        await file.get(f"/datasets/{id_}/value", query="_ > 1"),
        await file.post(f"/datasets/{id_}/value", json={"points": [1, 2]}),
        await file.put(f"/datasets/{id_}/value", json={"value": [0] * 100}),
    ):
        assert reply.status == 501
        assert cls in reply.reason
    assert (await file.delete(f"/datasets/{id_}")).status == 200


@pytest.mark.parametrize("cls", REFERENCES)
async def test_reference_layouts_are_validated(file, references, cls):
    layout = references[cls]
    bad = [{**layout, key: None} for key in layout if key not in ("class", "file_uri")]
    bad += [{k: v for k, v in layout.items() if k != key} for key in layout]
    for wrong in bad:
        body = {"type": I32, "shape": [100], "creationProperties": {"layout": wrong}}
        assert (await file.post("/datasets", json=body)).status == 400, wrong
    body = {"type": TEXT, "shape": [100], "creationProperties": {"layout": layout}}
    reply = await file.post("/datasets", json=body)
    assert (reply.status, cls in reply.reason) == (400, True)


async def test_schema_v1_ids(file):
    reply = await file.get(f"/groups/{V1_ROOT}")
    assert reply.status == 400
    assert "schema v1" in reply.reason


async def test_schema_v1_domains(service, file):
    json = {"root": V1_ROOT, "owner": "test_user1", "acls": {"test_user1": {"read": True, "delete": True}}}
    await service.store.put("hsdstest", domain_key(OLD), dumps(json | {"created": 1.0, "lastModified": 1.0}))
    for reply in (
        await service.get("/", domain=OLD),
        await service.get("/", domain=OLD, verbose=1),
        await service.get(f"/groups/{V1_ROOT}", domain=OLD),
        await service.get("/groups", domain=OLD),
        await service.delete("/", domain=OLD),
    ):
        assert reply.status == 501
        assert reply.reason == f"{OLD} is stored in HSDS's schema v1, which is not supported"
    for options in ({}, {"verbose": 1}, {"query": "a > 1"}):
        reply = await service.get("/domains", domain="/home/test_user1/", **options)
        assert reply.status == 200
        names = [item["name"] for item in reply.json["domains"]]
        assert (file.path in names) != ("query" in options), "the others in the folder can be listed"


async def test_azure_buckets(service):
    reply = await service.get("/", domain="https://account.blob.core.windows.net/bucket/home/x.h5")
    assert reply.status == 501
    assert "Azure storage" in reply.reason


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("azure_connection_string", "Azure storage is not supported"),
        ("aws_dynamodb_gateway", "users in DynamoDB are not supported"),
        ("aws_dynamodb_users_table", "users in DynamoDB are not supported"),
    ],
)
def test_settings_that_ask_for_another_service(key, words):
    with pytest.raises(InvalidSettings, match=words) as caught:
        load_settings(flags={key: "secret"}, environ={})
    assert "secret" not in str(caught.value)


def test_azure_settings_beside_another_storage_are_ignored():
    loaded = load_settings(flags={"root_dir": "x"}, environ={"AZURE_CONNECTION_STRING": "y"})
    assert loaded.ignored
    assert isinstance(loaded.settings, Settings)
