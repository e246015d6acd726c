"""What settings say of a process of a cluster: who it is, how it finds others, its secrets and times."""

from __future__ import annotations

import base64
import binascii
import importlib
import os
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final

import orjson

import hsds
from hsds.cluster.discovery import Discovery
from hsds.cluster.membership import Timing
from hsds.cluster.static import StaticDiscovery, member_of_url
from hsds.cluster.view import Member
from hsds.config import Settings
from hsds.errors import InvalidSettings
from hsds.transport.signing import Secrets

_BOOTTIME: Final[int] = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # macOS's goes on, too


@asynccontextmanager
async def discovery_of(settings: Settings, environ: Mapping[str, str]) -> AsyncIterator[Discovery]:
    """Who finds data nodes. ``environ`` is where Kubernetes says how its API is reached."""
    if settings.discovery == "static":
        yield StaticDiscovery(settings.dn_urls, clock=boottime, within=settings.lease_time / 10)
        return
    try:
        kubernetes = importlib.import_module("hsds.cluster.kubernetes")
    except ModuleNotFoundError as error:
        raise InvalidSettings(
            "discovery: kubernetes needs the package kubernetes_asyncio, the extra kubernetes of this one"
        ) from error
    discovery = kubernetes.KubernetesDiscovery(
        selector=settings.k8s_dn_label_selector,
        namespace=settings.k8s_namespace,
        environ=environ,
        folder=settings.k8s_account_dir,
        clock=boottime,
    )
    try:
        yield discovery
    finally:
        await discovery.close()


def boottime() -> float:
    """Seconds of a clock that goes on while the machine sleeps."""
    return time.clock_gettime(_BOOTTIME)


def timing_of(settings: Settings) -> Timing:
    """Five renewals fit into a lease."""
    step = settings.lease_time / 5
    patience = 3 * settings.lease_time if settings.discovery == "static" else 0.0
    return Timing(
        lease=settings.lease_time, renew=step, timeout=step, gather=min(0.5, step / 4), patience=patience
    )


def secrets_of(settings: Settings) -> Secrets:
    """What nodes sign with."""
    if settings.node_secret_file is None:
        raise InvalidSettings("node_secret_file: nodes sign what they send; name a file with a secret")
    return Secrets(settings.node_secret_file)


def member_of(settings: Settings) -> Member:
    """This data node, as discovery finds it."""
    if settings.discovery == "kubernetes":
        if settings.pod_uid is None or settings.pod_ip is None:
            raise InvalidSettings("discovery: kubernetes needs POD_UID and POD_IP in the environment")
        return Member(settings.pod_uid, settings.pod_ip, settings.dn_port, hsds.__version__)
    address = settings.pod_ip or settings.host
    for member in map(member_of_url, settings.dn_urls):
        if (member.address, member.port) == (address, settings.dn_port):
            return replace(member, version=hsds.__version__)
    raise InvalidSettings(f"dn_urls does not name this data node, http://{address}:{settings.dn_port}")


def cluster_id(settings: Settings) -> str:
    """What tells this cluster from others that were given the same bucket: the uid of its service account."""
    if settings.discovery == "static":
        return "static"
    try:
        claims = (settings.k8s_account_dir / "token").read_text().split(".")[1]
        said = orjson.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["kubernetes.io"]
        return f"{said['namespace']}/{said['serviceaccount']['uid']}"
    except (OSError, IndexError, KeyError, TypeError, binascii.Error, orjson.JSONDecodeError):
        return settings.k8s_namespace or "kubernetes"


def service_node_id(settings: Settings) -> str:
    """How a service node is called."""
    return f"sn-{(settings.pod_uid or str(os.getpid()))[:8]}"
