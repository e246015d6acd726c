"""Types as they are shown: in the one form that all clients read, without a change of meaning."""

from typing import Any

import pytest
from hypothesis import given
from typed import all_types

from hsds.hdf5.typejson import present_type
from hsds.hdf5.typeparse import parse_datatype

I8 = {"class": "H5T_INTEGER", "base": "H5T_STD_I8LE"}
F64 = {"class": "H5T_FLOAT", "base": "H5T_IEEE_F64BE"}
MEMBERS = [{"name": "FALSE", "value": 0}, {"name": "TRUE", "value": 1}]
MAPPING = {"FALSE": 0, "TRUE": 1}
STRING = {"class": "H5T_STRING", "charSet": "H5T_CSET_ASCII", "length": 3}
TEXT = {"class": "H5T_STRING", "charSet": "H5T_CSET_UTF8", "length": "H5T_VARIABLE"}


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ("H5T_STD_I8LE", I8),
        ("H5T_STD_I8", I8),
        ("H5T_IEEE_F64BE", F64),
        ({"class": "H5T_INTEGER", "base": "H5T_STD_I8"}, I8),
        ({"class": "H5T_FLOAT", "base": "H5T_IEEE_F64BE", "id": "t-"}, F64 | {"id": "t-"}),
        (STRING, STRING | {"strPad": "H5T_STR_NULLPAD"}),
        (TEXT, TEXT | {"strPad": "H5T_STR_NULLTERM"}),
        (STRING | {"strPad": "H5T_STR_SPACEPAD"}, STRING | {"strPad": "H5T_STR_SPACEPAD"}),
        (
            {"class": "H5T_ENUM", "base": "H5T_STD_I8LE", "members": MEMBERS},
            {"class": "H5T_ENUM", "base": I8, "members": MEMBERS, "mapping": MAPPING},
        ),
        (
            {"class": "H5T_ENUM", "base": I8, "mapping": MAPPING},
            {"class": "H5T_ENUM", "base": I8, "mapping": MAPPING},
        ),
        (
            {"class": "H5T_VLEN", "base": {"class": "H5T_ARRAY", "dims": [2], "base": "H5T_STD_I8"}},
            {"class": "H5T_VLEN", "base": {"class": "H5T_ARRAY", "dims": [2], "base": I8}},
        ),
        (
            {"class": "H5T_COMPOUND", "fields": [{"name": "a", "type": "H5T_IEEE_F64BE"}]},
            {"class": "H5T_COMPOUND", "fields": [{"name": "a", "type": F64}]},
        ),
    ],
)
def test_one_form_is_shown(stored: Any, shown: Any) -> None:
    assert present_type(stored) == shown


@pytest.mark.parametrize(
    "foreign",
    [
        None,
        3,
        "H5T_STD_B8LE",
        {},
        {"class": 5},
        {"class": "H5T_ENUM"},
        {"class": "H5T_COMPOUND", "fields": 1},
    ],
)
def test_what_is_foreign_is_shown_as_it_is_stored(foreign: Any) -> None:
    assert present_type(foreign) == foreign


@pytest.mark.parametrize("members", [5, [3], [{"name": "a"}], {"a": 1}])
def test_foreign_members_do_no_harm(members: Any) -> None:
    stored = {"class": "H5T_ENUM", "base": I8, "members": members}
    assert stored.items() <= present_type(stored).items()


@given(all_types)
def test_the_meaning_stays(json: Any) -> None:
    shown = present_type(parse_datatype(json).json)
    assert parse_datatype(shown) == parse_datatype(json)
    assert present_type(shown) == shown
