"""The chunks that a selection touches, found without cutting it into pieces."""

from hypothesis import given
from hypothesis import strategies as st
from spaces import selected_spaces

from hsds.hdf5.chunking import pieces, touched_chunks


@given(st.data())
def test_they_are_those_of_the_pieces(data: st.DataObject) -> None:
    dims, selection = data.draw(selected_spaces())
    chunk_shape = tuple(data.draw(st.integers(1, 10)) for _ in dims)
    touched = [tuple(index) for index in touched_chunks(selection, chunk_shape).tolist()]
    assert sorted(touched) == sorted(piece.chunk for piece in pieces(selection, chunk_shape))
