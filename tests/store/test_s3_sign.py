"""Signatures equal botocore's."""

from __future__ import annotations

from datetime import UTC, datetime
from unittest.mock import patch

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from hsds.store.s3_sign import encode_path, encode_query, sign

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0\n\r"), min_size=1, max_size=12)
NOW = 1_770_000_000.0


class Clock(datetime):
    @classmethod
    def now(cls, tz=None):
        return datetime.fromtimestamp(NOW, tz)

    @classmethod
    def utcnow(cls):
        return datetime.fromtimestamp(NOW, UTC).replace(tzinfo=None)


@given(
    path=TEXT,
    query=st.dictionaries(TEXT, TEXT, max_size=3),
    token=st.none() | st.just("token"),
    etag=st.none() | st.just("0123abc"),
    method=st.sampled_from(["GET", "PUT", "HEAD", "DELETE"]),
)
def test_equals_botocore(path, query, token, etag, method):
    keys = Credentials("AKIA", "secret", token)
    sent, text = encode_path(f"/bucket/{path}"), encode_query(query.items())
    headers = {"Host": "s3.example.org:7480"}
    if etag:
        headers["If-Match"] = etag
    theirs = AWSRequest(
        method,
        f"http://s3.example.org:7480{sent}" + (f"?{text}" if text else ""),
        headers=dict(headers),
        data=b"content",
    )
    with (
        patch("botocore.auth.get_current_datetime", Clock.utcnow, create=True),
        patch("botocore.auth.datetime.datetime", Clock, create=True),
    ):
        S3SigV4Auth(keys, "s3", "eu-north-1").add_auth(theirs)
    sign(
        keys,
        region="eu-north-1",
        method=method,
        path=sent,
        query=text,
        headers=headers,
        payload_hash=theirs.headers["X-Amz-Content-SHA256"],
        now=NOW,
    )
    assert headers["X-Amz-Date"] == theirs.headers["X-Amz-Date"]
    assert headers["Authorization"] == theirs.headers["Authorization"]
