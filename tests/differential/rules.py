"""The differences that are known and wanted. docs/differences.md is the same table for readers, with reasons.

A rule is as narrow as the difference it stands for: where the answers differ, what each of them is, and the
route or the text of the request.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from types import EllipsisType

from tests.differential.compare import MISSING, Difference

Test = Callable[[Difference], bool]


class Rule:
    """One row of the table: a name, and the differences that it stands for: those that any test takes."""

    def __init__(self, name: str, *tests: Test) -> None:
        self.name = name
        self._tests = tests

    def explains(self, difference: Difference) -> bool:
        """Whether the difference is of this kind."""
        return any(test(difference) for test in self._tests)


def _route(difference: Difference) -> str:
    return f"{difference.request.method} {difference.request.path}"


def status(ours: str, theirs: str, route: str = "", having: str = "") -> Test:
    """Other status codes (regular expressions), of routes and requests that match."""

    def test(difference: Difference) -> bool:
        return (
            difference.where == "status"
            and re.fullmatch(ours, str(difference.ours)) is not None
            and re.fullmatch(theirs, str(difference.theirs)) is not None
            and re.search(route, _route(difference)) is not None
            and re.search(having, str(difference.request)) is not None
        )

    return test


def member(where: str, route: str = "", having: str = "", *, ours: str = "", theirs: str = "") -> Test:
    """Members of JSON whose path ends in ``where``; ``ours`` and ``theirs`` match their texts."""

    def test(difference: Difference) -> bool:
        return (
            difference.where.startswith("$")
            and re.search(f"{where}$", difference.where) is not None
            and re.search(route, _route(difference)) is not None
            and re.search(having, str(difference.request)) is not None
            and re.search(ours, str(difference.ours)) is not None
            and re.search(theirs, str(difference.theirs)) is not None
        )

    return test


def more(where: str, route: str = "", having: str = "") -> Test:
    """Members that only we have."""
    return member(where, route, having, theirs=f"^{re.escape(MISSING)}$")


def less(where: str, route: str = "", having: str = "", *, theirs: str = "") -> Test:
    """Members that only HSDS has."""
    return member(where, route, having, ours=f"^{re.escape(MISSING)}$", theirs=theirs)


def header(name: str, *, theirs: str | EllipsisType | None, route: str = "", having: str = "") -> Test:
    """A header; ``theirs`` None where HSDS sends none, ``...`` for any."""

    def test(difference: Difference) -> bool:
        return (
            difference.where == f"header {name}"
            and theirs in (..., difference.theirs)
            and re.search(route, _route(difference)) is not None
            and re.search(having, str(difference.request)) is not None
        )

    return test


def body(route: str = "", having: str = "", *, theirs: bytes | None = None) -> Test:
    """The bytes of answers."""

    def test(difference: Difference) -> bool:
        return (
            difference.where == "body"
            and theirs in (None, difference.theirs)
            and re.search(route, _route(difference)) is not None
            and re.search(having, str(difference.request)) is not None
        )

    return test


def tagged(tag: str, *tests: Test) -> Test:
    """Tests of the answers to one kind of request only."""
    return lambda difference: tag in difference.request.tags and any(test(difference) for test in tests)


def _headers_on_errors(difference: Difference) -> bool:
    return (
        difference.where.startswith("header ")
        and difference.theirs is None
        and not difference.answers[0].good
    )


VALUE = "/value$"
_OBJECTS = "^GET /(groups|datasets|datatypes)/"
_STRIDE = r"(\[|,)(\d+:\d*|:\d*):[2-9]"
_BY_PATH = "h5path"
_OFF = r"=(0|false)?(&| as)"
_STATISTICS = r"\.(num_\w+|\w+_bytes|md5_sum|total_size|scan_info|allocated_size|logical_size|lastModified)"
_TEXTS = r"query=_ (==|!=|IN) \(?b?'"
_TO_BINARY = "query=.*accept binary"

RULES: list[Rule] = [
    # -- errors
    Rule("client-faults", status("4..", "500")),
    Rule("headers-on-errors", _headers_on_errors),
    Rule("foreign-ids", status("400", "404", having="d1ffdead|d1ff0000-00000000")),
    Rule(
        "first-fault",
        status("400", "404", "^PUT /groups/d-.*/links/l$"),
        status("404", "400", "^POST /datatypes$"),
        status("404", "400", "/links/a%2Fb$"),
        status("410", "401", having="as None"),
        status("400", "409", "^PUT /$"),
        status("400", "403", "^PUT /$", '"owner": ""'),
        status("400", "409", VALUE, "append="),
    ),
    Rule("domain-names", tagged("odd name", status("400", "200|404"), status("200", "400|404"))),
    Rule("buckets", tagged("odd name", status("403", "404")), tagged("odd bucket", status("403", "404"))),
    # -- headers
    Rule("cors-always", header("Access-Control-Allow-Origin", theirs=None)),
    Rule("xss-always", header("X-XSS-Protection", theirs=None)),
    Rule("content-length", header("Content-Length", theirs=None, having="accept binary")),
    Rule(
        "no-content",
        header("Content-Type", theirs="application/json; charset=utf-8", route="^PUT /$"),
        header("Content-Type", theirs="application/json; charset=utf-8", having="regionref="),
    ),
    Rule("preflights", status("200|405", "403", "^OPTIONS "), status("403", "200", "^OPTIONS ")),
    Rule("head", status("405", "200", "^HEAD /about$")),
    # -- what is said
    Rule("about", more(r"\.\w+", "^GET /about$"), member(r"\.dn_urls\[\*\]", "^GET /about$")),
    Rule("info", member("", "^GET /info$")),
    Rule(
        "hrefs",
        member(r"\.hrefs\.(parent|domains|self)", "^GET /$"),
        member(r"\.hrefs(\.\w+)?", "^(GET|POST) /$", _BY_PATH),
        member(r"\.hrefs\.self", "^GET /(domains|acls/.*)$"),
        member(r"\.hrefs\.(self|root)", "/attributes/.*/value$"),
        member(r"\.hrefs\.preview", "^GET /datasets/"),
        member(r"(\.hrefs\.self|\.href)", "/(links|attributes)", theirs=r"/100|\+|[^\"]* "),
        more(r"\.(hrefs|href|target|collection)", "^POST .*/(links|attributes)$"),
        tagged("odd name", member(r"\.hrefs\.\w+")),
        tagged("odd bucket", member(r"\.hrefs\.\w+")),
    ),
    Rule("layout-twice", more(r"(?<!creationProperties)\.layout")),
    Rule("enum-both-ways", more(r"type\.mapping")),
    Rule("external-links", more(r"\.(h5domain|file)")),
    Rule("acl-domain", less(r"(\.acls?(\[\*\])?|acls\..*)\.domain")),
    Rule("empty-properties", less(r"\.creationProperties", "^(GET|POST) /(groups/.*)?$", theirs=r"^\{\}$")),
    Rule("bucket", more(r"\.bucket", "^(GET|POST) /$", _BY_PATH)),
    Rule(
        "flags",
        less(r"\.(alias|attributes|links|dn_ids)", having=_OFF),
        less(_STATISTICS, having="verbose=" + _OFF[1:]),
        status("409", "201", "^PUT .*/attributes/", "replace=0"),
        status("409", "204", "^PUT /$", "flush=0"),
        member(r"\.value\[\*\]", VALUE, "ignore_nan=0", theirs="^None$"),
    ),
    Rule("statistics", member(_STATISTICS, "^GET ")),
    Rule("ignore-nan", member(r"\.attributes\.nan\.value", "^GET /groups/", "ignore_nan", ours="^None$")),
    # -- listings
    Rule("top-level", member(r"\.domains", "^GET /$", "Limit=")),
    Rule("empty-path", member(r"^\$\.\w+", "^GET /$", "h5path=(&| )")),
    Rule("absolute-paths", status("200", "404", "^GET /$", "h5path=/g1&parent_id=")),
    Rule(
        "patterns",
        status("200", "400", "^GET /domains$|/(links|attributes)$", r"pattern=[^&]*(\*.*\*|\[)"),
        status("200|404", "400|404", "/(links|attributes)$", r"pattern=[^&]*\["),
        member(r"\.(domains|links|attributes)(\.[gdt]-\*)?", "", r"pattern=[^&]*\["),
        member(r"\.domains", "^GET /domains", "Limit=.*pattern=|pattern=.*Limit=", theirs=r"^\[\]$"),
    ),
    Rule(
        "markers",
        status("404", "200", "^GET .*/attributes$", "Marker=.*pattern=|pattern=.*Marker="),
        member(r"\.(groups|datasets|datatypes)", "^GET /\\w+$", "Marker=", theirs=r"^\[\]$"),
        member(r"\.domains", "^GET /domains$", "Marker=", theirs=r"^\[\]$"),
    ),
    Rule("creation-order", member(r"\.links\.g-\*\[\*\]\.\w+", "^GET .*/links$", "CreateOrder=[1T]")),
    Rule("dangling-links", member(r"\.groups", "^GET /groups$", r"\? as", ours=r"^\[\]$")),
    Rule(
        "empty-lists",
        member(r"\.(links|attributes)(\.g-\*)?", "^POST .*/(links|attributes)$", r"\[\]"),
        member(r"\.links", "^POST .*/links$", r'\["a", "a"\]|grp_ids.*"titles"'),
        less(r"\.links\.g-\*", "^POST .*/links$", "Limit="),
    ),
    Rule("limits", member(r"\.links\.g-\*", "/links$", "Limit=.*follow_links|follow_links.*Limit=")),
    Rule("unknown-groups", status("404", "200", "^POST .*/(links|attributes)$")),
    # -- input that HSDS takes as it comes
    Rule(
        "strict-numbers",
        status("400", "200", "^GET ", "Limit=-1"),
        status("400", "200", "^PUT .*" + VALUE, "append=(0|-1)"),
    ),
    Rule(
        "strict-names",
        status("400", "200", "^DELETE ", r"titles=( |&)|attr_names=!!!"),
        status("400", "201", "^POST /groups$", r'"name": ""|"link": \{"name"|"h5path": ""'),
        status("400", "201", "^PUT .*/(links|attributes)$", r'\{"": \{'),
        status("400", "201", "^PUT .*/links", r'"(h5path|h5domain)": 5|"file": ""'),
    ),
    Rule(
        "strict-bodies",
        status("400", "201", "", "b'{}'"),
        status("400", "201", "^PUT .*/shape$", '"shape": null'),
        status("400", "201", "^PUT /acls/", r'": (1|null)'),
        status("400", "201", "", r'"creationProperties": (5|7|\[\])'),
        status("400", "201", "^POST /datasets$", r'"(shape|dims)": (true|\[\])'),
        status("400", "201", "^POST /datasets$", r'"maxdims": \[?(9223372036854775808|10, 0|3, null)'),
        status(
            "400", "201", "^POST /datasets$", r'"initializer": (\[\]|"|\["nothing|\["arange", "--start=x)'
        ),
        status("400", "201", "^POST /datasets$", r'"shape": \[4, 5\].*"initializer": \["arange"'),
        status("400", "201", "^POST /datasets$", r'"H5S_NULL".*"layout"'),
        status("400", "201", "^(POST|PUT) /", r'"length": 0|"dims": \[0\]'),
    ),
    Rule(
        "strict-values",
        tagged("wrong", status("400", "200|201")),
        status("400", "201", "^POST /datasets$", r'"fillValue": (\[1, 2\]|5\}|"AAAA|"!!)'),
        status("400", "200", "^(GET|POST) .*" + VALUE, r'select(=|": ")(\[0:2|0:2\]?)( |")'),
        status("400", "201", "^PUT .*/attributes/(a|value|x)\\d*$"),
        member(r"\.value", "^GET .*/attributes/(a|value)\\d+$"),
    ),
    Rule(
        "lenient-input",
        status("201", "400", "^POST /datasets$", r'"layout": (null|\{\})'),
        status("201", "400", "^POST /datasets$", r'"fillValue": null'),
        status("201", "500", "^POST /datasets$", r'"H5D_CHUNKED", "dims": 5'),
        status("201", "500", "^POST /datasets$", r'"shape": (\[\]|"H5S_NULL").*"filters"'),
        status("201", "500", "^PUT .*/attributes/", r'"created": ("x"|null)'),
        status("200", "400", "^PUT .*/attributes$", r'"attributes": \{\}'),
        status("201", "400", "^POST /datasets$", r'"filters": \[\].*"H5D_CONTIGUOUS"'),
        status("200", "400", "^POST .*/links$", r"null"),
    ),
    Rule(
        "filters",
        status("201", "400", "^POST /datasets$", r'"filters": \[("gzip"|1|\{"(id|name)"|.*(NONE|SZIP|LZF))'),
    ),
    # -- creation
    Rule("idempotent-create", tagged("again", status("201", "400|500"))),
    Rule("reused-ids", tagged("reused", status("200|201", "400"))),
    Rule(
        "null-by-omission",
        tagged("null by omission", member(""), status("400", "200")),
        member(
            r"\.(shape\.class|creationProperties\.layout\.class)",
            "^POST /datasets",
            r'^POST /datasets\? \[\{.*"creationProperties": \{\}',
        ),
    ),
    Rule("upsert", status("201", "409", "^PUT .*/attributes$", "obj_ids")),
    Rule("nan-again", tagged("nan again", status("200", "409"))),
    # -- values
    Rule("opaque", tagged("opaque", status("20.", "400|500"), member(""), body())),
    Rule(
        "utf8",
        status("20.", "400|500", "", r"gr\\u00fcn|\\u65e5"),
        status("200", "400|500", "^GET .*/attributes", "accept binary|encoding=base64"),
    ),
    Rule(
        "arrays", tagged("array points", status("200", "400|500")), tagged("array", status("200", "400|500"))
    ),
    Rule(
        "odd-fill-values", tagged("odd fill", status("20.", "0|400|500"), member(r"\.value(\[\*\])*"), body())
    ),
    Rule("records-in-attributes", tagged("odd record", member(r"\.value(\[\*\])*"), body())),
    Rule("grids-of-records", tagged("grid of records", member(r"\.value(\[\*\])*"), body())),
    Rule("sequences-in-attributes", status("20.", "500", "^PUT .*/attributes/", "H5T_VLEN")),
    Rule("points-of-variable-length", tagged("points of variable length", status("200", "400|500"))),
    Rule("nulls-of-variable-length", tagged("wrong", status("200", "400|500", "", "null"))),
    Rule("writes-by-region", status("200", "400|500", "^PUT ", "regionref=")),
    Rule("unset-variable", member(r"\.value(\[\*\])*", theirs="^0$", ours=r"^(\[\])?$")),
    Rule("base64-of-variable", member(r"\.(value|encoding)", "/attributes/.*/value$", "encoding=base64")),
    Rule("all-fields-turned", tagged("turned", member(""), body(VALUE), status("200", "400"))),
    Rule("strides", member(r"\.value(\[\*\])*", VALUE, _STRIDE, theirs="^0$"), body(VALUE, _STRIDE)),
    Rule("failed-appends", tagged("after failures", member(r"\.shape\.dims\[\*\]"))),
    Rule("whole-count", tagged("whole count", status("200", "400"))),
    # -- queries
    Rule("query-grammar", status("200", "400", "/(value|query)$", r"query=.*(where|1e3|10 < a|--1|> b)")),
    Rule(
        "query-no-hits",
        body("/(value|query)$", _TO_BINARY, theirs=b""),
        header("Content-Type", theirs="application/octet-stream", having=_TO_BINARY),
        header("Content-Length", theirs="0", having=_TO_BINARY),
    ),
    Rule("query-index", more(r"\.index", "^GET ", "query="), more(r"\.value", "^PUT ", "query=")),
    Rule(
        "query-order",
        lambda difference: difference.where == "order",
        member(r"\.(indices|value)(\[\*\])*", "^GET ", "query=_.*Limit="),
        body("^GET ", "query=_.*Limit="),
    ),
    Rule(
        "query-zeros",
        tagged(
            "zeros",
            member(r"\.(indices|value|index)(\[\*\])*", "^GET "),
            body(),
            header("Content-Length", theirs=...),
        ),
    ),
    Rule(
        "query-texts",
        status("200", "500", "/(value|query)$", "query=(NOT )?_"),
        member(r"\.(indices|value)(\[\*\])*", "^GET ", _TEXTS),
        body("^GET ", _TEXTS),
        header("Content-Length", theirs=..., route="^GET ", having=_TEXTS),
    ),
    Rule(
        "query-updates",
        member(r"\.(indices|value)(\[\*\])*", "^PUT ", "query=.*select="),
        body("^PUT ", "query=.*select="),
        header("Content-Length", theirs=..., route="^PUT ", having="query=.*select="),
        status("200", "500", "^PUT ", "query="),
    ),
]
