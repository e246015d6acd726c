"""Text of a query -> syntax tree. Knows nothing of types: `query` binds the tree to a datatype.

The grammar is the union of the two that clients write, that of HSDS 0.9 (REST contract, section 4.7) and that
of the 1.x releases (companion contract, section 1.9)::

    query := [ any ] [ WHERE field IN values ]
    any   := all { ("|" | OR) all }
    all   := not { ("&" | AND) not }
    not   := ("~" | NOT) not | "(" any ")" | test
    test  := term op term | field [ NOT ] IN values | field "." (isin values | is_null "()" | is_valid "()")
    values := "(" literal { "," literal } ")"
    field := FIELD "(" name ")" | name | 'name'         op := = == != < <= > >=
    term  := field | literal
    literal := number | 'text' | b'text' | TRUE | FALSE | word

Keywords are case-insensitive. Which of field and literal a word or a quoted text is, only the type can tell.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

from hsds.errors import InvalidInput

Operator = Literal["==", "!=", "<", "<=", ">", ">="]
_OPERATORS: Final[dict[str, Operator]] = {"=": "==", **{op: op for op in get_args(Operator)}}

MAX_LENGTH = 65_536
"""Characters of a query."""
MAX_DEPTH = 64
"""Parentheses and NOTs inside one another: the parser and the evaluation recurse."""


@dataclass(frozen=True, slots=True)
class Field:
    """A member of the compound type, or ``_`` for the element of any other type."""

    name: str


@dataclass(frozen=True, slots=True)
class Word:
    """A bare word: a field, or text."""

    text: str


@dataclass(frozen=True, slots=True)
class Text:
    """A quoted text, with or without the ``b``: text, or (on the left) a field."""

    text: str


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it was written, so that it can be compared exactly, and with text."""

    text: str


@dataclass(frozen=True, slots=True)
class Truth:
    """TRUE or FALSE, with the spelling that was used."""

    text: str

    @property
    def value(self) -> bool:
        return self.text.upper() == "TRUE"


Constant: TypeAlias = Word | Text | Number | Truth
Term: TypeAlias = Field | Constant


@dataclass(frozen=True, slots=True)
class Compare:
    left: Term
    op: Operator
    right: Term


@dataclass(frozen=True, slots=True)
class OneOf:
    field: Term
    values: tuple[Constant, ...]


@dataclass(frozen=True, slots=True)
class IsNull:
    field: Term


@dataclass(frozen=True, slots=True)
class Not:
    part: Expression


@dataclass(frozen=True, slots=True)
class AllOf:
    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    parts: tuple[Expression, ...]


Expression: TypeAlias = Compare | OneOf | IsNull | Not | AllOf | AnyOf


def invalid(text: str, why: str) -> InvalidInput:
    """The error for a query that cannot be right: one line, in the words that clients look for."""
    shown = " ".join(text[:200].split())
    return InvalidInput(f"query: {shown} is not valid: {why}")


@dataclass(frozen=True, slots=True)
class Token:
    kind: Literal["number", "quoted", "word", "op", "end"]
    text: str

    def __str__(self) -> str:
        return "the end" if self.kind == "end" else repr(self.text)


_TOKEN = re.compile(
    r"""\s*(?:
        (?P<number>[-+]?(?:\d{1,400}(?:\.\d{0,400})?|\.\d{1,400})(?:[eE][-+]?\d{1,3})?(?![\w.]))
      | [bB]?(?P<quoted>'[^']*'|"[^"]*")
      | (?P<word>[^\W\d]\w*)
      | (?P<op>==|!=|<=|>=|[=<>()&|~.,])
    )""",
    re.VERBOSE,
)


def tokenize(text: str) -> list[Token]:
    """Cut a query into tokens, the last of which is the end. Quotes have no escapes, as in either release."""
    if len(text) > MAX_LENGTH:
        raise invalid(text, f"it is longer than {MAX_LENGTH} characters")
    tokens: list[Token] = []
    position, end = 0, len(text.rstrip())
    while position < end:
        found = _TOKEN.match(text, position)
        if found is None:
            position = end - len(text[position:end].lstrip())
            raise invalid(text, f"unexpected {text[position]!r} at position {position}")
        match found.lastgroup:
            case "quoted":
                tokens.append(Token("quoted", found["quoted"][1:-1]))
            case "number":
                tokens.append(Token("number", found["number"]))
            case "word":
                tokens.append(Token("word", found["word"]))
            case _:
                tokens.append(Token("op", found["op"]))
        position = found.end()
    return [*tokens, Token("end", "")]


def parse(text: str) -> Expression:
    """Parse a query. Raises ``InvalidInput`` that names the first thing that does not fit."""
    return _Parser(text).query()


class _Parser:
    """Recursive descent with one token of look-ahead; `where` alone needs two more."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = tokenize(text)
        self._next = 0
        self._depth = 0

    # -- tokens --

    def _peek(self, ahead: int = 0) -> Token:
        return self._tokens[min(self._next + ahead, len(self._tokens) - 1)]

    def _take(self) -> Token:
        token = self._peek()
        self._next += 1
        return token

    def _is_op(self, text: str, ahead: int = 0) -> bool:
        return self._peek(ahead) == Token("op", text)

    def _is_keyword(self, word: str, ahead: int = 0) -> bool:
        token = self._peek(ahead)
        return token.kind == "word" and token.text.upper() == word

    def _accept(self, sign: str, word: str) -> bool:
        if not (self._is_op(sign) or self._is_keyword(word)):
            return False
        self._next += 1
        return True

    def _expect(self, sign: str) -> None:
        if not self._is_op(sign):
            raise self._unexpected(f"{sign!r}")
        self._next += 1

    def _unexpected(self, wanted: str) -> InvalidInput:
        return invalid(self._text, f"expected {wanted}, not {self._peek()}")

    # -- grammar --

    def query(self) -> Expression:
        if self._at_where():
            expression = self._where()
        else:
            expression = self._any()
            if self._at_where():
                expression = AllOf((expression, self._where()))
        if self._peek().kind != "end":
            raise self._unexpected("AND, OR or the end")
        return expression

    def _at_where(self) -> bool:
        return self._is_keyword("WHERE") and self._is_keyword("IN", 2)

    def _where(self) -> Expression:
        self._take()
        field = self._term()
        self._take()
        return OneOf(field, self._values())

    def _any(self) -> Expression:
        parts = [self._all()]
        while self._accept("|", "OR"):
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))

    def _all(self) -> Expression:
        parts = [self._not()]
        while self._accept("&", "AND"):
            parts.append(self._not())
        return parts[0] if len(parts) == 1 else AllOf(tuple(parts))

    def _not(self) -> Expression:
        negated, grouped = self._is_op("~") or self._is_keyword("NOT"), self._is_op("(")
        if not (negated or grouped):
            return self._test()
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise invalid(self._text, f"more than {MAX_DEPTH} parentheses and NOTs inside one another")
        self._take()
        if negated:
            inner: Expression = Not(self._not())
        else:
            inner = self._any()
            self._expect(")")
        self._depth -= 1
        return inner

    def _test(self) -> Expression:
        left = self._term()
        if self._is_keyword("IN"):
            self._take()
            return OneOf(left, self._values())
        if self._is_keyword("NOT") and self._is_keyword("IN", 1):
            self._next += 2
            return Not(OneOf(left, self._values()))
        if self._is_op("."):
            self._take()
            return self._method(left)
        op = _OPERATORS.get(self._peek().text) if self._peek().kind == "op" else None
        if op is None:
            raise self._unexpected("a comparison")
        self._take()
        return Compare(left, op, self._term())

    def _method(self, field: Term) -> Expression:
        name = self._peek().text.lower() if self._peek().kind == "word" else ""
        if name not in ("isin", "is_null", "is_valid"):
            raise self._unexpected("isin, is_null or is_valid")
        self._take()
        if name == "isin":
            return OneOf(field, self._values())
        self._expect("(")
        self._expect(")")
        return IsNull(field) if name == "is_null" else Not(IsNull(field))

    def _values(self) -> tuple[Constant, ...]:
        self._expect("(")
        values = [self._constant()]
        while self._is_op(","):
            self._take()
            values.append(self._constant())
        self._expect(")")
        return tuple(values)

    def _term(self) -> Term:
        token = self._peek()
        upper = token.text.upper()
        if token.kind == "word" and upper == "FIELD" and self._is_op("(", 1):
            return self._field()
        if token.kind in {"op", "end"} or (token.kind == "word" and upper in _RESERVED):
            raise self._unexpected("a field or a value")
        self._take()
        match token.kind:
            case "number":
                return Number(token.text)
            case "quoted":
                return Text(token.text)
            case _:
                return Truth(token.text) if upper in ("TRUE", "FALSE") else Word(token.text)

    def _constant(self) -> Constant:
        term = self._term()
        if isinstance(term, Field):
            raise invalid(self._text, "the values of IN are constants")
        return term

    def _field(self) -> Field:
        self._next += 2
        if self._peek().kind not in ("word", "quoted"):
            raise self._unexpected("the name of a field")
        name = self._take().text
        self._expect(")")
        return Field(name)


_RESERVED = frozenset({"AND", "OR", "NOT", "IN"})
