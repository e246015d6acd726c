"""Selections of members of compound types."""

import numpy as np
import pytest
from typed import VARIABLE_TEXT, compound_of, fixed_text

from hsds.errors import InvalidInput
from hsds.hdf5.fields import pick_fields, select_fields
from hsds.hdf5.jsonvalue import from_json, to_json
from hsds.hdf5.typeparse import parse_datatype

TABLE = parse_datatype(compound_of(a="H5T_STD_I32LE", s=fixed_text(3), v=VARIABLE_TEXT))


def test_members_in_the_order_asked_for() -> None:
    selected = select_fields(TABLE, ["v", "a"])
    assert selected.names == ("v", "a")
    assert selected.json == compound_of(v=VARIABLE_TEXT, a="H5T_STD_I32LE")
    assert parse_datatype(selected.json) == selected
    assert selected.variable
    assert not select_fields(TABLE, ["s"]).variable
    assert select_fields(TABLE, ["a", "s"]).itemsize == 7


@pytest.mark.parametrize("names", [[], ["b"], ["a", "a"], [""]])
def test_what_is_no_selection(names: list[str]) -> None:
    with pytest.raises(InvalidInput, match="fields"):
        select_fields(TABLE, names)


def test_only_compounds_have_fields() -> None:
    with pytest.raises(InvalidInput, match="compound"):
        select_fields(parse_datatype("H5T_STD_I8LE"), ["a"])


def test_values_of_members() -> None:
    array = from_json([[1, "x", "long"], [2, "y", ""]], TABLE, (2,))
    selected = select_fields(TABLE, ["v", "a"])
    picked = pick_fields(array, selected)
    assert picked.dtype == selected.dtype
    assert to_json(picked, selected) == [["long", 1], ["", 2]]
    assert pick_fields(np.zeros((2, 0), TABLE.dtype), selected).shape == (2, 0)
