"""Object ids against the worked examples of the contract (section 2.1), and round trips of new ones."""

import pytest

from hsds.errors import InvalidInput
from hsds.hdf5.ids import (
    check_id,
    collection_of,
    is_object_id,
    is_root,
    new_object_id,
    new_root_id,
    reference_of,
    root_of,
    same_root,
)

ROOT = "g-b03b24ef-69f244b6-38b3-ac67e1-7acc3e"
GROUP = "g-b03b24ef-69f244b6-acd9-4df97b-37122a"
DATASET = "d-b03b24ef-69f244b6-56e5-25125a-89ba79"


def test_worked_examples() -> None:
    assert is_root(ROOT)
    assert not is_root(GROUP)
    assert not is_root("d" + ROOT[1:])
    assert root_of(DATASET) == root_of(GROUP) == root_of(ROOT) == ROOT
    assert collection_of(DATASET) == "datasets"
    assert reference_of(GROUP) == f"groups/{GROUP}"
    assert len(DATASET) == 38


@pytest.mark.parametrize("collection", ["groups", "datasets", "datatypes"])
def test_new_ids_belong_to_their_root(collection: str) -> None:
    root = new_root_id()
    assert is_root(root)
    id_ = new_object_id(root, collection)
    assert check_id(id_, collection) == id_
    assert root_of(id_) == root
    assert same_root(id_, root)
    assert not is_root(id_)
    assert collection_of(id_) == collection


@pytest.mark.parametrize(
    "text",
    [
        "",
        None,
        17,
        ["g"],
        ROOT[:-1],
        ROOT + "0",
        ROOT + "\n",
        "c" + ROOT[1:],
        ROOT.upper(),
        "g-b03b24ef-69f2-44b6-38b3-ac67e17acc3e",
        "g-b03b24ef-69f244b6-38b3-ac67e1-7acc3z",
    ],
)
def test_what_is_no_id(text: object) -> None:
    assert not is_object_id(text)
    with pytest.raises(InvalidInput, match="not an object id"):
        check_id(text)


def test_the_collection_is_checked() -> None:
    with pytest.raises(InvalidInput, match="not an id of groups"):
        check_id(DATASET, "groups")
