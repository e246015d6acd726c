"""The grammar: what is a query, what is not, and how the parts hang together."""

from __future__ import annotations

import pytest

from hsds.errors import InvalidInput
from hsds.hdf5.queryparse import (
    MAX_DEPTH,
    AllOf,
    AnyOf,
    Compare,
    Field,
    IsNull,
    Not,
    Number,
    OneOf,
    Text,
    Truth,
    Word,
    parse,
)

A = Compare(Word("a"), ">", Number("1"))
B = Compare(Word("b"), "<", Number("2"))
C = Compare(Word("c"), "==", Number("3"))


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a > 1", A),
        ("a>1", A),
        (" ( a > 1 ) ", A),
        ("c = 3", C),
        ("c==3", C),
        ("a != -1.25", Compare(Word("a"), "!=", Number("-1.25"))),
        ("a >= .5", Compare(Word("a"), ">=", Number(".5"))),
        ("a <= 1e-3", Compare(Word("a"), "<=", Number("1e-3"))),
        ("3 < a", Compare(Number("3"), "<", Word("a"))),
        ("a < b", Compare(Word("a"), "<", Word("b"))),
        ("a == 'x y'", Compare(Word("a"), "==", Text("x y"))),
        ('a == b"x\'y"', Compare(Word("a"), "==", Text("x'y"))),
        ("'my field' == AAPL", Compare(Text("my field"), "==", Word("AAPL"))),
        ("FIELD(a) == 1", Compare(Field("a"), "==", Number("1"))),
        ("field('my field') == True", Compare(Field("my field"), "==", Truth("True"))),
        ("température > 1", Compare(Word("température"), ">", Number("1"))),
        ("a > 1 AND b < 2", AllOf((A, B))),
        ("a > 1 & b < 2 and c == 3", AllOf((A, B, C))),
        ("a > 1 OR b < 2 | c == 3", AnyOf((A, B, C))),
        ("a > 1 OR b < 2 AND c == 3", AnyOf((A, AllOf((B, C))))),
        ("(a > 1 OR b < 2) AND c == 3", AllOf((AnyOf((A, B)), C))),
        ("~a > 1 & b < 2", AllOf((Not(A), B))),
        ("NOT (a > 1 & b < 2)", Not(AllOf((A, B)))),
        ("not ~ a > 1", Not(Not(A))),
        ("a.isin(1, 'x', y)", OneOf(Word("a"), (Number("1"), Text("x"), Word("y")))),
        ("a IN (1)", OneOf(Word("a"), (Number("1"),))),
        ("a NOT IN (1)", Not(OneOf(Word("a"), (Number("1"),)))),
        ("a.is_null()", IsNull(Word("a"))),
        ("a . is_valid ( )", Not(IsNull(Word("a")))),
        ("where a in (b'x', 'y')", OneOf(Word("a"), (Text("x"), Text("y")))),
        ("b < 2 where a in (1)", AllOf((B, OneOf(Word("a"), (Number("1"),))))),
        ("where in (1)", OneOf(Word("where"), (Number("1"),))),
        ("where > 1", Compare(Word("where"), ">", Number("1"))),
        ("'and' > 1", Compare(Text("and"), ">", Number("1"))),
        ("field > 1", Compare(Word("field"), ">", Number("1"))),
        ("import == 1", Compare(Word("import"), "==", Number("1"))),
    ],
)
def test_a_query_has_one_reading(text: str, tree: object) -> None:
    assert parse(text) == tree


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "expected a field or a value, not the end"),
        ("   ", "expected a field or a value, not the end"),
        ("a", "expected a comparison, not the end"),
        ("a >", "expected a field or a value, not the end"),
        ("> 1", "expected a field or a value, not '>'"),
        ("a > 1 b < 2", "expected AND, OR or the end, not 'b'"),
        ("a > 1;", "unexpected ';' at position 5"),
        ("import os; os.remove('x')", "unexpected ';'"),
        ("__import__('os').system('x') > 1", "expected a comparison, not '('"),
        ("a + 1 > 2", "unexpected '+'"),
        ("a > 1 && b < 2", "expected a field or a value, not '&'"),
        ("a > 1 AND", "expected a field or a value, not the end"),
        ("AND > 1", "expected a field or a value, not 'AND'"),
        ("(a > 1", "expected ')', not the end"),
        ("a > 1)", "expected AND, OR or the end, not ')'"),
        ("a > 'x", 'unexpected "\'" at position 4'),
        ("a > 1x", "unexpected '1'"),
        ("a > 1.2.3", "unexpected '1'"),
        ("a > 1e9999", "unexpected '1'"),
        ("a > " + "1" * 401, "unexpected '1'"),
        ("a =< 1", "expected a field or a value, not '<'"),
        ("a.isin()", "expected a field or a value, not ')'"),
        ("a.isin(1,)", "expected a field or a value, not ')'"),
        ("a.isin(field(b))", "the values of IN are constants"),
        ("a in 1", "expected '(', not '1'"),
        ("a isin (1)", "expected a comparison, not 'isin'"),
        ("a.exec(1)", "expected isin, is_null or is_valid, not 'exec'"),
        ("a.is_null(1)", "expected ')', not '1'"),
        ("a > 1 where b", "expected AND, OR or the end, not 'where'"),
        ("a > 1 where b in", "expected '(', not the end"),
        ("field(1) > 1", "expected the name of a field, not '1'"),
        ("(" * (MAX_DEPTH + 1) + "a > 1" + ")" * (MAX_DEPTH + 1), "inside one another"),
        ("~" * 30_000 + "a > 1", "inside one another"),
        ("a > 1 & " * 10_000 + "a > 1", "longer than"),
    ],
)
def test_what_is_no_query_is_refused_by_name(text: str, why: str) -> None:
    with pytest.raises(InvalidInput, match=r"^query: .* is not valid: ") as caught:
        parse(text)
    assert why in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_newlines_of_a_query_stay_out_of_the_error() -> None:
    with pytest.raises(InvalidInput) as caught:
        parse("a >\r\nX-Evil: 1 >")
    assert "\n" not in str(caught.value)
    assert "\r" not in str(caught.value)


def test_a_long_flat_query_is_no_problem() -> None:
    tree = parse(" OR ".join(f"a == {n}" for n in range(5_000)))
    assert isinstance(tree, AnyOf)
    assert len(tree.parts) == 5_000
