"""Where settings come from: command line > environment > override.yml > config.yml > defaults.

HSDS's files and environment names are taken as they are. Keys of HSDS that mean nothing here are ignored and
reported; a key that nobody knows is an error, since it is a typing mistake in something that was meant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import ValidationError

from hsds.config import Settings
from hsds.errors import InvalidSettings

_DEAD_KEYS = {
    "head node and process counts": """
        head_port head_ram head_sleep_time target_sn_count target_dn_count standalone_app
        restart_policy sn_ram dn_ram rangeget_port rangeget_ram k8s_app_label chaos_die
    """,
    "writing back later": """
        s3_sync_interval s3_age_time s3_sync_task_timeout max_pending_write_requests flush_sleep_interval
        flush_timeout write_zero_chunks
    """,
    "polling and background scans": """
        node_sleep_time async_sleep_time scan_sleep_time scan_wait_time max_scan_duration gc_sleep_time
        store_read_timeout store_read_sleep_interval metadata_mem_cache_expire chunk_mem_cache_expire
    """,
    "requests between nodes": """
        timeout dn_max_retries dn_retry_backoff_exp max_tcp_connections max_task_count client_pool_count
        max_tasks_per_node_per_request max_chunks_per_request http_max_url_length http_streaming
    """,
    "what is fixed here (the estimate of 128 bytes), or not offered (getobjs)": """
        default_vlen_type_size domain_req_max_objects_limit
    """,
    "decoding, linked files and test aids": """
        bit_shuffle_default_blocksize blosc_nthreads max_rangeget_gap data_cache_size data_cache_max_req_size
        data_cache_expire_time data_cache_page_size data_cache_max_concurrent_read posix_delay
    """,
    "other clouds and identities": """
        aws_iam_role aws_lambda_chunkread_function aws_lambda_gateway aws_lambda_max_invoke
        aws_lambda_threshold azure_connection_string azure_resource_group azure_resource_id
        azure_storage_account aws_dynamodb_gateway aws_dynamodb_users_table auth_expiration
        openid_provider openid_url openid_audience openid_claims
    """,
}
DEAD_KEYS = frozenset(key for keys in _DEAD_KEYS.values() for key in keys.split())
"""Keys and flags of HSDS 0.9 and 1.x that mean nothing here."""

_UNSUPPORTED = {
    "azure_connection_string": "Azure storage is not supported",
    "aws_dynamodb_gateway": "users in DynamoDB are not supported; use password_file",
    "aws_dynamodb_users_table": "users in DynamoDB are not supported; use password_file",
}
"""Dead keys without which, if they have a value, the service would be another one than was asked for."""

_NOT_FROM_ENVIRONMENT = frozenset({"host"})
"""Shells export HOST as the machine's own name."""


@dataclass(frozen=True, slots=True)
class Source:
    """Values of one place. ``name`` is how errors speak of the place; values are unchecked."""

    name: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings, and which dead keys were met on the way (``key (place)``)."""

    settings: Settings
    ignored: tuple[str, ...]


def load_settings(
    *, flags: Mapping[str, Any], environ: Mapping[str, str], config: Path | None = None
) -> Loaded:
    """Merge all sources. ``flags`` are keys of the command line; ``config`` is a file, or a directory with
    ``config.yml`` and perhaps ``override.yml``. Raises ``InvalidSettings``.
    """
    if flags.get("root_dir") and flags.get("aws_s3_gateway"):
        raise InvalidSettings("--root-dir and --s3-endpoint exclude each other")
    if flags.get("aws_s3_gateway"):  # elsewhere root_dir wins, as it does in HSDS
        flags = {**flags, "root_dir": None}
    sources = [*(_file(path) for path in _config_files(config)), _environment(environ)]
    return _merge([*sources, Source("command line", flags)])


def closest(name: str, known: Sequence[str]) -> str:
    """``; did you mean ...?``, or nothing where no known name is close."""
    found = get_close_matches(name, known, n=1)
    return f'; did you mean "{found[0]}"?' if found else ""


def _config_files(config: Path | None) -> list[Path]:
    if config is None:
        return []
    if not config.is_dir():
        return [config]
    files = [path for name in ("config.yml", "override.yml") if (path := config / name).exists()]
    if not files:
        raise InvalidSettings(f"{config} holds neither config.yml nor override.yml")
    return files


def _file(path: Path) -> Source:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidSettings(f"{path} cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InvalidSettings(f"{path} is not YAML: {' '.join(str(error).split())}") from error
    if content is None:
        content = {}
    if not isinstance(content, dict):
        raise InvalidSettings(f"{path} must hold keys with values")
    for key in content:
        if key not in Settings.model_fields and key not in DEAD_KEYS:
            known = sorted(DEAD_KEYS.union(Settings.model_fields))
            raise InvalidSettings(f'{path}: unknown key "{key}"{closest(str(key), known)}')
    return Source(str(path), content)


def _environment(environ: Mapping[str, str]) -> Source:
    keys = DEAD_KEYS.union(Settings.model_fields) - _NOT_FROM_ENVIRONMENT
    values = {key: environ[key.upper()] for key in keys if environ.get(key.upper())}
    return Source("environment", {key: None if text == "null" else text for key, text in values.items()})


def _merge(sources: Sequence[Source]) -> Loaded:
    """Later sources win. A null means the default."""
    merged: dict[str, Any] = {}
    origin: dict[str, str] = {}
    ignored: list[str] = []
    for source in sources:
        for key, value in source.values.items():
            if key in DEAD_KEYS:
                ignored.append(f"{key} ({source.name})")
            merged[key], origin[key] = value, source.name
    dead = {key: merged.pop(key) for key in DEAD_KEYS.intersection(merged)}
    for key in merged.keys() & Settings.model_fields:
        if merged[key] is None and type(None) not in get_args(Settings.model_fields[key].annotation):
            del merged[key]
    try:
        settings = Settings.model_validate(merged)
    except ValidationError as error:
        raise InvalidSettings(_explain(error, origin)) from None  # its text would repeat secrets
    _check(settings, dead, origin)
    return Loaded(settings, tuple(sorted(ignored)))


def _explain(error: ValidationError, origin: Mapping[str, str]) -> str:
    """The first fault in one line, without the value, which may be a secret."""
    first = error.errors(include_url=False, include_input=False)[0]
    key = str(first["loc"][0]) if first["loc"] else ""
    message = first["msg"].removeprefix("Value error, ")
    return f"{key} ({origin.get(key, 'default')}): {message}" if key else message


def _check(settings: Settings, dead: Mapping[str, Any], origin: Mapping[str, str]) -> None:
    """Faults that lie between settings."""
    for key, reason in _UNSUPPORTED.items():
        elsewhere = key.startswith("azure") and (settings.root_dir or settings.aws_s3_gateway)
        if dead.get(key) and not elsewhere:
            raise InvalidSettings(f"{key} ({origin[key]}): {reason}")
    if (settings.hs_username is None) != (settings.hs_password is None):
        raise InvalidSettings("hs_username and hs_password are given together or not at all")
    if settings.min_chunk_size > settings.max_chunk_size:
        raise InvalidSettings("min_chunk_size is larger than max_chunk_size")
