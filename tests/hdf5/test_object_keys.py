"""Keys of the store against the worked examples of the contract (sections 2.2 and 2.4), and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hsds.errors import InvalidInput
from hsds.hdf5 import keys
from hsds.hdf5.ids import new_object_id, new_root_id
from hsds.hdf5.keys import StoredKey, parse_key

ROOT = "g-b03b24ef-69f244b6-38b3-ac67e1-7acc3e"
DATASET = "d-b03b24ef-69f244b6-56e5-25125a-89ba79"
PREFIX = "db/b03b24ef-69f244b6/"


def test_worked_examples() -> None:
    assert keys.domain_key("/home/joe/x.h5") == "home/joe/x.h5/.domain.json"
    assert keys.folder_prefix("/home/joe") == "home/joe/"
    assert keys.folder_prefix("/") == ""
    assert keys.object_key(ROOT) == PREFIX + ".group.json"
    assert keys.object_key(DATASET) == PREFIX + "d/56e5-25125a-89ba79/.dataset.json"
    assert keys.object_key("t" + DATASET[1:]) == PREFIX + "t/56e5-25125a-89ba79/.datatype.json"
    assert keys.object_key("g" + DATASET[1:]) == PREFIX + "g/56e5-25125a-89ba79/.group.json"
    assert keys.chunk_key(DATASET, (0, 2)) == PREFIX + "d/56e5-25125a-89ba79/0_2"
    assert keys.info_key(ROOT) == PREFIX + ".info.json"
    assert keys.summary_key(ROOT) == PREFIX + ".summary.json"


def test_partition_of_a_chunk() -> None:
    assert keys.chunk_name((3, 4, 5), 10) == f"p{(3 * 29 + 4 * 31 + 5 * 37) % 10}/3_4_5"
    eleven = tuple(range(11))
    primes = (29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 29)
    expected = sum(i * p for i, p in zip(eleven, primes, strict=True)) % 7
    assert keys.chunk_name(eleven, 7).startswith(f"p{expected}/")


@pytest.mark.parametrize("path", ["", "/", "home/x", "/home/"])
def test_paths_without_a_domain(path: str) -> None:
    with pytest.raises(InvalidInput):
        keys.domain_key(path)


@given(
    collection=st.sampled_from(["groups", "datasets", "datatypes"]),
    index=st.lists(st.integers(0, 10**12), min_size=1, max_size=32).map(tuple),
    partitions=st.integers(0, 20),
)
def test_keys_round_trip(collection: str, index: tuple[int, ...], partitions: int) -> None:
    root = new_root_id()
    id_ = new_object_id(root, collection)
    assert parse_key(keys.object_key(id_)) == StoredKey(collection[:-1], id_)
    assert parse_key(keys.object_key(root)) == StoredKey("group", root)
    assert parse_key(keys.info_key(root)) == StoredKey("info", root)
    assert parse_key(keys.summary_key(id_)) == StoredKey("summary", root)
    dataset = new_object_id(root, "datasets")
    key = keys.chunk_key(dataset, index, partitions)
    assert key.startswith(keys.dataset_prefix(dataset))
    assert key.startswith(keys.root_prefix(root))
    assert parse_key(key) == StoredKey("chunk", dataset, index)


def test_domains_round_trip() -> None:
    assert parse_key("home/joe/x.h5/.domain.json") == StoredKey("domain", "/home/joe/x.h5")


@pytest.mark.parametrize(
    "key",
    [
        "",
        ".domain.json",
        "home/joe/x.h5",
        PREFIX,
        PREFIX + "d/56e5-25125a-89ba79/",
        PREFIX + "d/56e5-25125a-89ba79/.group.json",
        PREFIX + "d/56e5-25125a-89ba79/0_",
        PREFIX + "g/56e5-25125a-89ba79/0_2",
        PREFIX + ".dataset.json",
        PREFIX + "x/56e5-25125a-89ba79/0_2",
    ],
)
def test_keys_of_others(key: str) -> None:
    assert parse_key(key) is None
