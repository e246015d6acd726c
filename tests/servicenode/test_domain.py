"""Names of domains and buckets."""

import pytest

from hsds.errors import InvalidInput
from hsds.servicenode.domain import check_bucket, parent_of, parse_domain, parse_folder


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/home/joe/x.h5", (None, "/home/joe/x.h5")),
        ("hdf5://home/joe/x.h5", (None, "/home/joe/x.h5")),
        ("hdf5:/home/joe/x.h5", (None, "/home/joe/x.h5")),
        ("bkt/home/joe", ("bkt", "/home/joe")),
        ("b/h", ("b", "/h")),
        ("/ab", (None, "/ab")),
        ("s3://bkt/home/joe", ("bkt", "/home/joe")),
        ("/home/jöe/a b#?.h5", (None, "/home/jöe/a b#?.h5")),
        ("/home", (None, "/home")),
    ],
)
def test_parse_domain(text, expected):
    assert parse_domain(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "/", "", "x", "/h", "hdf5://h", "a.b.c", "/home/", "//home", "/home//x", "/home/../x", "/./x",
        "bad bucket/x", "bkt/",
        "/db/b03b24ef-69f244b6", "/.hsds/x", "/home/x\n", "/home/\x00", "/home/\udc80", "/home/.domain.json",
    ],
)  # fmt: skip
def test_what_names_no_domain(text):
    with pytest.raises(InvalidInput):
        parse_domain(text)


def test_what_was_no_utf8_in_the_url():
    with pytest.raises(InvalidInput, match="not UTF-8"):
        parse_domain("/home/\N{REPLACEMENT CHARACTER}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", (None, "/")), ("/", (None, "/")), ("/home/", (None, "/home")), ("bkt/", ("bkt", "/"))],
)
def test_parse_folder(text, expected):
    assert parse_folder(text) == expected


def test_parent_of():
    assert parent_of("/home/joe/x.h5") == "/home/joe"
    assert parent_of("/home") == "/"


@pytest.mark.parametrize("name", ["", "..", "a/b", "a b", "bücket", ".hsds"])
def test_bad_buckets(name):
    with pytest.raises(InvalidInput, match="Invalid bucket name"):
        check_bucket(name)
