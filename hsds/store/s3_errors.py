"""What S3 and the way to it answer, as errors of a store: one translation for the whole S3 store.

Texts name the bucket, the key and the code that S3 gave, never the text of a response: some hold access keys.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from xml.etree import ElementTree

import aiohttp
from botocore.exceptions import (
    BotoCoreError,
    NoCredentialsError,
    PartialCredentialsError,
)

from hsds.errors import (
    BucketNotFound,
    InvalidKey,
    KeyNotFound,
    NotModified,
    PreconditionFailed,
    StoreBusy,
    StoreError,
    StoreRefused,
    StoreUnavailable,
)
from hsds.store.names import label

_DECLINED = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "RequestTimeout",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TokenRefreshRequired",
        "TooManyRequests",
    }
)
"""Codes of answers that say: nothing was done, a repeat may fare better (credentials are read again)."""
KEY_CODES = frozenset({"AccessDenied", "InvalidAccessKeyId", "InvalidToken", "SignatureDoesNotMatch"})
"""Codes that a change of keys may have caused, when the request was signed with the old ones."""
SKEWED = "RequestTimeTooSkewed"


class RangeError(StoreError):
    """The first byte asked for lies behind the end of the object: no error to the callers of the store."""


def no_credentials() -> StoreRefused:
    return StoreRefused("no complete set of AWS credentials found")


@contextmanager
def map_failures(bucket: str, key: str = "") -> Iterator[None]:
    """Translates what comes instead of an answer."""
    where = label(bucket, key)
    try:
        yield
    except (aiohttp.ClientConnectorCertificateError, ssl.CertificateError) as error:
        text = f"{where}: the certificate of S3 is not trusted; see aws_s3_ca_bundle"
        raise StoreRefused(text) from error
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
        raise StoreBusy(f"{where}: no connection to S3 ({type(error).__name__})") from error
    except (OSError, aiohttp.ClientError) as error:  # TimeoutError is an OSError
        raise StoreUnavailable(f"{where}: no answer from S3 ({type(error).__name__})") from error
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise no_credentials() from error
    except BotoCoreError as error:  # of the chain of credentials
        raise StoreBusy(f"{where}: AWS credentials cannot be had now ({type(error).__name__})") from error


def code_of(body: bytes) -> str:
    """The code of an error's XML; empty where there is none."""
    try:
        found = ElementTree.fromstring(body).findtext("{*}Code") if body else None
    except ElementTree.ParseError:
        return ""
    return (found or "")[:64]


def error_of(status: int, code: str, headers: Mapping[str, str], bucket: str, key: str = "") -> StoreError:
    """The error of an answer that is none of success. Without ``key`` a 404 means the bucket."""
    text = f"{label(bucket, key)}: S3 answered {status} {code}".rstrip()
    match status, code:
        case _, "NoSuchBucket" | "InvalidBucketName":
            return BucketNotFound(text)
        case 404, _:
            return KeyNotFound(text) if key else BucketNotFound(text)
        case 304, _:
            return NotModified(text)
        case 412 | 409, _:  # 409: another conditional request for the key was under way
            return PreconditionFailed(text)
        case 416, _:
            return RangeError(text)
        case _, "KeyTooLongError" | "InvalidURI":
            return InvalidKey(text)
        case _ if code in _DECLINED or status == 429:
            return StoreBusy(text)
        case 301 | 307 | 400, _ if region := headers.get("x-amz-bucket-region"):
            return StoreRefused(f"{text}: the bucket is in region {region}, see aws_region")
        case _ if status >= 500 or status == 408:
            return StoreUnavailable(text)
        case _:
            return StoreRefused(text)
