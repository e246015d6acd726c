"""What was sent is shown short in a reason, and costs little there, however large or deep it is."""

import time

import pytest

from hsds.errors import InvalidInput
from hsds.hdf5.dataspace import Dataspace
from hsds.hdf5.filters import canonical_filters
from hsds.hdf5.ids import check_id
from hsds.hdf5.link import check_title, normalize_link
from hsds.hdf5.reasons import kind_of, shown


def deep(levels: int) -> object:
    value: object = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("short", "'short'"),
        (None, "None"),
        (17, "17"),
        ([1, "a"], "[1, 'a']"),
        ({"a": [1]}, "{'a': [1]}"),
        (list(range(9)), "[0, 1, 2, 3, 4, 5, ...]"),
        (deep(9), "[[[[...]]]]"),
        ("a\nb", r"'a\nb'"),
    ],
)
def test_shown(value, text):
    assert shown(value) == text


@pytest.mark.parametrize("value", ["x" * 10**7, 10**4000, ["x" * 100] * 100, {"a" * 1000: ["b" * 1000] * 9}])
def test_large_values_are_shown_short(value):
    assert len(shown(value)) <= 150


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (None, "null"),
        (True, "a truth value"),
        (1, "a number"),
        (1.5, "a number"),
        ("", "text"),
        ([], "a list"),
        ({}, "an object"),
    ],
)
def test_kinds_are_those_of_json(value, kind):
    assert kind_of(value) == kind


@pytest.mark.parametrize(
    "refuse",
    [
        check_id,
        check_title,
        lambda value: normalize_link({"class": value, "h5path": "/x"}, now=1.0),
        lambda value: canonical_filters([{"class": value}]),
        lambda value: Dataspace.from_request([[value]]),
        lambda value: Dataspace.from_request([1], [[value]]),
    ],
)
@pytest.mark.parametrize("value", [deep(2000), [[1.5] * 1000] * 20_000], ids=["deep", "large"])
def test_refused_without_writing_all_of_it(refuse, value):
    begin = time.process_time()
    with pytest.raises(InvalidInput) as caught:
        refuse(value)
    assert len(str(caught.value)) < 250
    assert time.process_time() - begin < 0.5, "20 million numbers take several seconds to write"
