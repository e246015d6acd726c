"""Settings: every knob of the service as one frozen value, passed to whoever needs it.

Names and defaults are HSDS's where the knob is HSDS's. Where values come from (command line, environment,
files) is the business of ``configsources``; nothing here reads anything.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

KIB, MIB = 1024, 1024**2
_SIZE = re.compile(r"(\d+)\s*([kmgt]?)i?b?", re.IGNORECASE)


def parse_size(value: Any) -> Any:
    """Bytes of ``"128m"``; k, m, g and t are powers of 1024. What is no text is left to the validator."""
    if not isinstance(value, str):
        return value
    match = _SIZE.fullmatch(value.strip())
    if match is None:
        raise ValueError("a size is a number of bytes, or one with the suffix k, m, g or t")
    return int(match[1]) * 1024 ** " kmgt".index(match[2].lower() or " ")


def _split(value: Any) -> Any:
    """Lists may be written as one text with commas, which is all that an environment variable can hold."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return () if value is None else value


def _level(value: Any) -> Any:
    """Log levels are taken in either case; ``WARN`` and ``ERR`` are what HSDS's own files say at times."""
    if isinstance(value, str):
        upper = value.upper()
        return {"WARN": "WARNING", "ERR": "ERROR"}.get(upper, upper)
    return value


def _unset(value: Any) -> Any:
    """HSDS's files say ``xxx`` where no AWS key is set."""
    return None if value in ("", "xxx") else value


def _path(value: Any) -> Any:
    """No text is no path, so that a file named by a weaker source can be unset."""
    return None if value == "" else Path(value).expanduser() if isinstance(value, str) else value


Size = Annotated[int, BeforeValidator(parse_size), Field(ge=0)]
Texts = Annotated[tuple[str, ...], BeforeValidator(_split)]
Secret = Annotated[str | None, BeforeValidator(_unset), Field(repr=False)]
Text = Annotated[str | None, BeforeValidator(lambda value: None if value == "" else value)]
File = Annotated[Path | None, BeforeValidator(_path)]
Seconds = Annotated[float, Field(ge=0)]
Port = Annotated[int, Field(ge=0, le=65535)]
LogLevel = Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(_level)]


class Settings(BaseModel):
    """Everything that can be configured. Sizes are bytes and times seconds; see docs/configuration.md."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    # -- storage -----------------------------------------------------------------------------------

    root_dir: File = None
    """Directory whose subdirectories are buckets: storage is POSIX. None: see ``aws_s3_gateway``."""
    bucket_name: str = "hsdstest"
    """The default bucket."""
    buckets: Texts = ()
    """Further buckets that requests may name."""
    allow_any_bucket_read: bool = False
    """Whether reads may name any bucket (HSDS's default is true)."""
    allow_any_bucket_write: bool = False
    """Whether writes may name any bucket (HSDS's default is true)."""
    aws_s3_gateway: Text = None
    """URL of an S3 endpoint: storage is S3, unless ``root_dir`` is set."""
    aws_region: str = "us-east-1"
    aws_access_key_id: Secret = None
    aws_secret_access_key: Secret = None
    aws_session_token: Secret = None
    aws_credentials_dir: File = None
    """Directory of files named like these keys (a mounted Secret), re-read when they change."""
    aws_s3_no_sign_request: bool = False
    """Whether the bucket is public and requests go unsigned."""
    aws_s3_ca_bundle: File = None
    """Certificates of a private authority that signed the S3 endpoint's."""
    aio_max_pool_connections: int = Field(default=64, ge=1)
    """Connections to S3 at most."""
    posix_fsync: Literal["off", "data", "full"] = "off"
    """What a POSIX write waits for: nothing (survives killed processes), the file, or also its directory."""
    durability: Literal["stored", "flush"] = "stored"
    """Whether a write is answered when the store has it, or at once and stored within ``flush_max_age``."""
    flush_max_age: Seconds = 1.0

    # -- who may do what ---------------------------------------------------------------------------

    password_file: File = None
    """Lines of ``user:password``, plain or bcrypt (``$2b$``); re-read on change."""
    groups_file: File = None
    """Lines of ``group: user user ...``; re-read on change."""
    hs_username: Text = None
    """One more user, an admin, beside those of the password file."""
    hs_password: Secret = None
    password_salt: Secret = None
    """Accept as password the first 32 hex digits of SHA-512(user name + salt)."""
    allow_noauth: bool = True
    """Whether requests without credentials may read what ``default`` may."""
    default_public: bool = False
    """Whether ``default`` may read new domains."""
    admin_user: str = "admin"
    admin_group: Text = None
    top_level_domains: Texts = ()
    """Paths of folders that exist at the top of the default bucket beside ``/home``."""

    # -- limits ------------------------------------------------------------------------------------

    max_request_size: Size = 100 * MIB
    """Of a body that is read whole, and of an answer that is sent whole."""
    min_chunk_size: Size = 1 * MIB
    max_chunk_size: Size = 4 * MIB
    """Between these the size of a chunk is chosen where the client leaves it open."""
    max_chunks_per_folder: int = Field(default=0, ge=0)
    """Chunks of a dataset under one key prefix; 0 for no partitions."""
    max_compact_dset_size: Size = 64 * KIB
    predate_max_time: Seconds = 10.0
    """How far in the past the client may set a ``created`` time."""
    max_timestamp_drift: Seconds = 300.0
    """How far off the client's clock may be."""

    # -- memory ------------------------------------------------------------------------------------

    metadata_mem_cache_size: Size = 128 * MIB
    chunk_mem_cache_size: Size = 128 * MIB
    request_memory_size: Size = 128 * MIB
    """Bytes of values that all requests together hold on a service node; further ones wait."""

    # -- behaviour that clients see ----------------------------------------------------------------

    batch_attr_upsert: bool = True
    """Whether a batched attribute PUT replaces values that differ (HSDS answers 409)."""
    infer_null_space: bool = True
    """Whether a dataset created without shape and layout is H5S_NULL (HSDS makes it scalar)."""
    server_name: str = "Highly Scalable Data Service (HSDS)"
    greeting: str = "Welcome to HSDS!"
    about: str = "HSDS is a webservice for HDF data"
    hsds_endpoint: Text = None
    """URL that ``hrefs`` begin with. None: as the client addressed the service."""
    cors_domain: Text = "*"
    """``Access-Control-Allow-Origin``. None: no CORS."""
    xss_protection: Text = "1; mode=block"
    http_compression: bool = False
    """Whether values are compressed on the wire for clients that accept it."""

    # -- where it listens and who else is there ----------------------------------------------------

    host: str = "127.0.0.1"
    """Address to listen on."""
    sn_port: Port | None = 5101
    """None: none, only ``socket``."""
    dn_port: Port = 6101
    metrics_port: Port = 9100
    """Of ``/metrics`` and the probes, for nodes of a cluster."""
    metrics_public: bool | None = None
    """Whether the public port answers ``/metrics`` too. None: only where there is no ``metrics_port``."""
    socket: File = None
    """Unix socket to listen on."""
    workers: int = Field(default=1, ge=1)
    """Processes of ``hsds serve`` that share its port and the keys; HSDS's ``--count``."""
    max_connection_age: Seconds = 60.0
    """An answer on a connection that is older, give or take a fifth, closes it; 0 for never."""
    discovery: Literal["kubernetes", "static"] = "kubernetes"
    dn_urls: Texts = ()
    """Data nodes, for ``discovery: static``."""
    k8s_namespace: Text = None
    """Where pods are looked for. None: the namespace of the pod itself."""
    k8s_account_dir: Path = Path("/var/run/secrets/kubernetes.io/serviceaccount")
    """Where Kubernetes puts the token of the pod, the authority of its API, and its namespace."""
    pod_name: Text = None
    """Name of the pod that this process is in. None: that of the machine, which is the same in a pod."""
    pod_uid: Text = None
    """Uid of the pod that this process is in; Kubernetes gives it by the environment."""
    pod_ip: Text = None
    """Primary IP of the pod, or of this machine where data nodes are named by ``dn_urls``."""
    k8s_dn_label_selector: str = "app=hsds"
    node_secret_file: File = None
    """Secret that requests between nodes are signed with."""
    lease_time: Seconds = 10.0
    hold_timeout: Seconds = 90.0
    """How long a request waits for data nodes that change before it is answered 503."""

    # -- logging -----------------------------------------------------------------------------------

    log_level: LogLevel = "INFO"
    log_format: Literal["text", "json"] = "text"
    log_timestamps: bool = True
    log_prefix: Text = None
    logfile: File = None
    """File to append log lines to. None: standard error."""

    @property
    def allowed_buckets(self) -> frozenset[str]:
        """Buckets that requests may name whatever ``allow_any_bucket_*`` says."""
        return frozenset((self.bucket_name, *self.buckets))

    @property
    def has_users(self) -> bool:
        """Whether users can be told apart. Without, everybody is the user who runs the service."""
        return any((self.password_file, self.hs_username, self.password_salt))
