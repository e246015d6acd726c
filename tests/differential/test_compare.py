"""The comparison itself: what it sees, what it overlooks, and that no rule explains just anything."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.differential.compare import compare
from tests.differential.draw import Draw
from tests.differential.exchange import Answer, Request
from tests.differential.rules import RULES
from tests.differential.taint import Taint

ASKED = Request("GET", "/groups/g-d1ff0000-11111111-5977-888899-999999")
HEADERS = {"Content-Type": "application/json; charset=utf-8"}
GOOD = {
    "id": "d-d1ff0000-11111111-c05e-222222-333333",
    "root": "g-d1ff0000-11111111-5977-888899-999999",
    "created": 1000.0,
    "value": [[1, 2.5], ["x", None]],
    "links": {"a": {"class": "H5L_TYPE_HARD", "id": "g-d1ff0000-11111111-aaaa-222222-333333"}},
    "hrefs": [{"rel": "self", "href": "http://one/groups?domain=/x"}],
}


def reply(body: Any = None, status: int = 200, **headers: str) -> Answer:
    value = GOOD if body is None else body
    return Answer(status, "", HEADERS | headers, json.dumps(value).encode(), value)


def wheres(other: Answer, request: Request = ASKED) -> list[str]:
    return [found.where for found in compare(request, reply(), other, ({}, {}))]


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"id": "d-d1ff0000-11111111-c05e-222222-444444"}, "$.id"),
        ({"created": 2000.0}, "$.created"),
        ({"value": [[1, 2.5], ["x", 0]]}, "$.value[*][*]"),
        ({"value": [[1, 2.5]]}, "$.value"),
        ({"value": [[1, 2.5], ["x", None]], "more": 1}, "$.more"),
        ({"hrefs": [{"rel": "self", "href": "http://one/groups?domain=/y"}]}, "$.hrefs.self"),
        ({"links": {}}, "$.links.a"),
    ],
)
def test_what_is_a_difference(changed, where):
    assert wheres(reply(GOOD | changed)) == [where]


def test_status_and_headers_are_compared():
    assert wheres(reply(status=404)) == ["status"]
    assert wheres(reply(**{"Content-Type": "application/json"})) == ["header Content-Type"]


def test_times_hosts_and_ids_of_the_services_own_are_not():
    other = GOOD | {
        "created": 1003.0,
        "links": {"a": {"class": "H5L_TYPE_HARD", "id": "g-d1ff0000-11111111-bbbb-555555-333333"}},
        "hrefs": [{"rel": "self", "href": "http+unix://%2Ftmp/groups?domain=%2Fx"}],
    }
    assert wheres(reply(other)) == []


@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "DELETE"])
@pytest.mark.parametrize(
    "path", ["/", "/groups", "/datasets/d/value", "/groups/g/links", "/groups/g/attributes/units"]
)
@pytest.mark.parametrize(
    "statuses", [(500, 200), (500, 201), (500, 400), (404, 200), (400, 201), (403, 200), (200, 403)]
)
def test_rules_do_not_explain_plain_requests(method, path, statuses):
    ours, theirs = statuses
    request = Request(method, path, {"domain": "/home/x.h5"}, {"value": [1, 2]})
    (found,) = compare(request, reply(status=ours), reply(status=theirs), ({}, {}))
    explained = [rule.name for rule in RULES if rule.explains(found)]
    assert explained == [] or (explained == ["unknown-groups"] and method == "POST")


def test_plain_values_are_never_explained():
    request = Request("GET", "/datasets/d-x/value", {"domain": "/x.h5", "select": "[0:2]"})
    for found in compare(request, reply(), reply(GOOD | {"value": [[1, 3.5], ["x", None]]}), ({}, {})):
        assert not [rule.name for rule in RULES if rule.explains(found)]
    octets = Answer(200, "", {"Content-Type": "application/octet-stream"}, b"1234")
    other = Answer(200, "", octets.headers, b"1235")
    (found,) = compare(request, octets, other, ({}, {}))
    assert not [rule.name for rule in RULES if rule.explains(found)]


def test_consequences_are_left_out():
    file = Draw("x").file()
    group = file.id("g")
    taint = Taint()
    taint.add(file.put(f"/groups/{group}/links/a", {"h5path": "/x"}))
    assert taint.touches(file.get(f"/groups/{group}/links"))
    assert taint.touches(file.get(f"/groups/{group}"))
    assert taint.touches(file.put(f"/groups/{file.root}/links", {"grp_ids": {group: {"links": {"a": {}}}}}))
    assert not taint.touches(file.put(f"/groups/{group}/links/b", {"h5path": "/x"}))
    assert not taint.touches(file.get(f"/groups/{group}/attributes"))


def test_values_written_whole_are_the_same_again():
    file = Draw("x").file()
    path = f"/datasets/{file.id()}/value"
    taint = Taint()
    taint.add(file.put(path, {"value": [1]}))
    assert taint.touches(file.get(path))
    taint.cure(file.put(path, {"value": [1]}, params={"select": "[0]"}))
    assert taint.touches(file.get(path))
    taint.cure(file.put(path, {"value": [2]}))
    assert not taint.touches(file.get(path))
