"""Pods of the API server double, and the stages that a real one was seen to lead them through.

What a stage changes is pinned by recordings of a real server, see ``tests/cluster/test_kubeapi.py``.
"""

import itertools
import uuid
from copy import deepcopy

_CREATED = "2026-01-01T00:00:00Z"
_names = itertools.count(1)


def new_pod(*, namespace, labels, port=6101, port_name="dn", grace=4):
    """A pod as it is when it was just created: nobody has looked at it yet."""
    name = f"hsds-dn-5bfc75946c-{next(_names):05d}"
    container = {
        "name": "dn",
        "image": "hsds",
        "ports": [{"name": port_name, "containerPort": port, "protocol": "TCP"}],
        "resources": {},
        "imagePullPolicy": "IfNotPresent",
    }
    return {
        "metadata": {
            "name": name,
            "generateName": "hsds-dn-5bfc75946c-",
            "namespace": namespace,
            "uid": str(uuid.uuid4()),
            "resourceVersion": "",
            "generation": 1,
            "creationTimestamp": _CREATED,
            "labels": dict(labels),
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "hsds-dn"}],
            # what HSDS reads IPs from, where no IP has any business to be
            "managedFields": [{"fieldsV1": {"f:status": {'k:{"ip":"9.9.9.9"}': {}}}}],
        },
        "spec": {
            "containers": [container],
            "restartPolicy": "Always",
            "terminationGracePeriodSeconds": grace,
            "serviceAccountName": "hsds",
        },
        "status": {"phase": "Pending", "qosClass": "BestEffort"},
    }  # fmt: skip


def scheduled(pod):
    pod = deepcopy(pod)
    pod["spec"]["nodeName"] = "node1"
    pod["status"]["conditions"] = _conditions(PodScheduled=True)
    return pod


def starting(pod):
    """Its containers are being made; it has no IP yet."""
    pod = deepcopy(pod)
    _state(pod, "waiting", ready=False, started=False)
    pod["status"] |= {"hostIP": "10.99.0.2", "hostIPs": [{"ip": "10.99.0.2"}], "startTime": _CREATED}
    pod["status"]["conditions"] = _made(containers=False, ready=False)
    return pod


def running(pod, *ips):
    """It has its IPs and runs, and is not ready."""
    pod = deepcopy(pod)
    _state(pod, "running", ready=False, started=True)
    pod["status"] |= {"phase": "Running", "podIP": ips[0], "podIPs": [{"ip": ip} for ip in ips]}
    pod["status"]["conditions"] = _made(containers=True, ready=False)
    return pod


def ready(pod):
    pod = deepcopy(pod)
    _state(pod, "running", ready=True, started=True)
    pod["status"]["conditions"] = _made(containers=True, ready=True)
    return pod


def restarted(pod):
    """Its container was started anew in place: same uid, same IP."""
    pod = running(pod, *(item["ip"] for item in pod["status"]["podIPs"]))
    pod["status"]["containerStatuses"][0]["restartCount"] += 1
    return pod


def terminating(pod, *, grace=None):
    """It was told to end: still Running, and Ready as before."""
    pod = deepcopy(pod)
    seconds = pod["spec"]["terminationGracePeriodSeconds"] if grace is None else grace
    pod["metadata"] |= {"deletionTimestamp": _CREATED, "deletionGracePeriodSeconds": seconds}
    return pod


def ended(pod):
    """Its processes have ended."""
    pod = deepcopy(pod)
    pod["status"]["phase"] = "Succeeded"
    _state(pod, "terminated", ready=False, started=False)
    pod["status"]["conditions"] = _made(containers=False, ready=False)
    return pod


def _made(*, containers, ready):
    return _conditions(
        PodReadyToStartContainers=containers,
        Initialized=True,
        Ready=ready,
        ContainersReady=ready,
        PodScheduled=True,
    )


def _conditions(**states):
    return [
        {"type": name, "status": str(state), "lastProbeTime": None, "lastTransitionTime": _CREATED}
        for name, state in states.items()
    ]


def _state(pod, name, *, ready, started):
    (before,) = pod["status"].get("containerStatuses") or [{"restartCount": 0}]
    status = {"name": "dn", "state": {name: {}}, "lastState": {}, "ready": ready, "started": started}
    pod["status"]["containerStatuses"] = [before | status | {"image": "hsds"}]
