"""What S3 and the way to it answer, as errors of a store: one translation for the whole S3 store.

Texts name the bucket, the key and the code that S3 gave, never the text of a response: some hold access keys.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import aiohttp
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    SSLError,
)

from hsds.errors import (
    BucketNotFound,
    InvalidKey,
    KeyNotFound,
    NotModified,
    PreconditionFailed,
    StoreError,
    StoreRefused,
    StoreUnavailable,
)
from hsds.store.names import label

_PASSING = {
    "ExpiredToken",
    "ExpiredTokenException",
    "RequestTimeout",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "TokenRefreshRequired",
    "TooManyRequests",
}
"""Codes of 400 and 403 answers to which a repeat may be answered otherwise (credentials are read again)."""


class RangeError(StoreError):
    """The first byte asked for lies behind the end of the object: no error to the callers of the store."""


@contextmanager
def map_exceptions(bucket: str, key: str = "") -> Iterator[None]:
    """Translates what aiobotocore raises into the errors of a store. Without ``key`` 404 means the bucket."""
    where = label(bucket, key)
    try:
        yield
    except ClientError as error:
        raise _of_answer(error.response, where, about_key=bool(key)) from error
    except BotoCoreError as error:
        raise _of_failure(error, where) from error
    except (OSError, aiohttp.ClientError) as error:  # while a body was read; TimeoutError is an OSError
        raise StoreUnavailable(f"{where}: no answer from S3 ({type(error).__name__})") from error


def _of_answer(response: dict[str, Any], where: str, *, about_key: bool) -> StoreError:
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    code = str(response.get("Error", {}).get("Code", ""))
    text = f"{where}: S3 answered {status} {code}"
    match status, code:
        case _, "NoSuchBucket" | "InvalidBucketName":
            return BucketNotFound(text)
        case 404, _:
            return KeyNotFound(text) if about_key else BucketNotFound(text)
        case 304, _:
            return NotModified(text)
        case 412 | 409, _:  # 409: another conditional request for the key was under way
            return PreconditionFailed(text)
        case 416, _:
            return RangeError(text)
        case _, "KeyTooLongError" | "InvalidURI":
            return InvalidKey(text)
        case _ if status >= 500 or status in {0, 408, 429} or code in _PASSING:
            return StoreUnavailable(text)
        case _:
            return StoreRefused(text)


def _of_failure(error: BotoCoreError, where: str) -> StoreError:
    match error:
        case ParamValidationError():
            return InvalidKey(f"{where} is nothing that S3 can hold")
        case NoCredentialsError() | PartialCredentialsError():
            return StoreRefused(f"{where}: no complete set of AWS credentials found")
        case CredentialRetrievalError():
            return StoreUnavailable(f"{where}: AWS credentials cannot be had now")
        case SSLError() if isinstance(error.kwargs.get("error"), ssl.CertificateError):
            return StoreRefused(f"{where}: the certificate of S3 is not trusted; see aws_s3_ca_bundle")
        case _:
            return StoreUnavailable(f"{where}: no answer from S3 ({type(error).__name__})")
