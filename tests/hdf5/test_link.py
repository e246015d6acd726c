"""Links in all the forms that clients and buckets have."""

from typing import Any

import pytest
from typed import DATASET

from hsds.errors import InvalidInput
from hsds.hdf5.link import check_title, equal_links, normalize_link, present_link

NOW = 1_795_206_605.5
HARD = {"class": "H5L_TYPE_HARD", "id": DATASET}
SOFT = {"class": "H5L_TYPE_SOFT", "h5path": "/g1/d1"}
EXTERNAL = {"class": "H5L_TYPE_EXTERNAL", "h5path": "/x", "file": "/home/y.h5", "h5domain": "/home/y.h5"}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"id": DATASET}, HARD),
        (HARD, HARD),
        ({"h5path": "/g1/d1"}, SOFT),
        (SOFT | {"title": "ignored"}, SOFT),
        ({"h5path": "/x", "h5domain": "/home/y.h5"}, EXTERNAL),
        ({"h5path": "/x", "file": "/home/y.h5"}, EXTERNAL),
        ({"class": "H5L_TYPE_EXTERNAL", "h5path": "/x", "h5domain": "/home/y.h5"}, EXTERNAL),
        (EXTERNAL, EXTERNAL),
    ],
)
def test_one_stored_form(body: dict[str, Any], expected: dict[str, Any]) -> None:
    link = normalize_link(body, now=NOW)
    assert link == expected | {"created": NOW}
    assert present_link("t", link) == {"title": "t"} | link
    assert equal_links(link, body | {"created": 1})


@pytest.mark.parametrize(
    "body",
    [
        None,
        {},
        {"id": "g-1"},
        {"id": 5},
        {"id": DATASET, "h5path": "/x"},
        {"id": DATASET, "class": "H5L_TYPE_SOFT"},
        {"h5path": ""},
        {"h5path": 5},
        {"h5path": "/x", "class": "H5L_TYPE_HARD"},
        {"h5path": "/x", "class": "H5L_TYPE_EXTERNAL"},
        {"h5path": "/x", "file": ""},
        {"file": "/x"},
        {"id": DATASET, "class": "H5L_TYPE_USER_DEFINED"},
        {"id": DATASET, "class": []},
    ],
)
def test_what_is_no_link_is_refused(body: Any) -> None:
    with pytest.raises(InvalidInput, match=r"link|id"):
        normalize_link(body, now=NOW)


@pytest.mark.parametrize(
    ("offset", "batched", "single"),
    [(-5, True, True), (100, True, True), (-20, True, False), (-301, False, False), (301, False, False)],
)
def test_a_believable_time_is_kept(offset: float, batched: bool, single: bool) -> None:
    body = HARD | {"created": NOW + offset}
    assert normalize_link(body, now=NOW)["created"] == (NOW + offset if batched else NOW)
    assert normalize_link(body, now=NOW, predate_max_time=10)["created"] == (NOW + offset if single else NOW)


def test_equality_is_of_targets() -> None:
    assert not equal_links(HARD, SOFT)
    assert not equal_links(SOFT, SOFT | {"h5path": "/other"})
    assert equal_links(
        {"class": "H5L_TYPE_EXTERNAL", "h5path": "/x", "h5domain": "f"},
        {"class": "H5L_TYPE_EXTERNAL", "h5path": "/x", "file": "f"},
    )
    assert equal_links({"class": "X", "data": 1}, {"class": "X", "data": 1})
    assert not equal_links({"class": "X", "data": 1}, HARD)


def test_foreign_links_are_shown_as_they_are() -> None:
    assert present_link("t", {"class": "X", "data": 1}) == {
        "title": "t",
        "class": "X",
        "data": 1,
        "created": 0,
    }


def test_titles() -> None:
    for title in ("a", "with space", "back\\slash", "#link1#", "é", ".."):
        assert check_title(title) == title
    for wrong in ("", "a/b", ".", 5, None):
        with pytest.raises(InvalidInput):
            check_title(wrong)
