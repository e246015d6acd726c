"""The objects that the end-to-end run makes beside those of the manifests. Standard library only."""

import base64
import json
import shutil
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[3]
USER, PASSWORD = "admin", "e2e-password"


def secret(name: str, **files: str) -> dict:
    """A Secret; underscores in the names of files stay, a double one is a dot."""
    data = {key.replace("__", "."): base64.b64encode(text.encode()).decode() for key, text in files.items()}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "labels": {"app": "hsds"}},
        "data": data,
    }


def namespace(name: str) -> dict:
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def loader(image: str) -> dict:
    """A pod to run the load in: the image's Python, told to wait."""
    restricted = {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    container = {
        "name": "loader",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python", "-c", "import time; time.sleep(86400)"],
        "securityContext": restricted,
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "loader", "labels": {"app": "hsds-e2e"}},
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 0,
            "securityContext": {
                "runAsNonRoot": True, "runAsUser": 10001, "runAsGroup": 10001, "fsGroup": 10001,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [container],
            "volumes": [{"name": "tmp", "emptyDir": {}}],
        },
    }  # fmt: skip


def kustomization(folder: Path, *, name: str, image: str, endpoint: str, bucket: str, region: str) -> Path:
    """A kustomization over the overlay ``s3`` in a copy of the manifests, one pod of each role."""
    shutil.copytree(CHECKOUT / "k8s", folder / "k8s")
    mine = folder / "k8s" / "e2e"
    mine.mkdir()
    settings = {
        "bucket_name": bucket,
        "aws_s3_gateway": endpoint,
        "aws_region": region,
        "aws_credentials_dir": "/config/aws",
    }
    (mine / "override.yml").write_text(json.dumps(settings))  # which is YAML too
    repository, _, tag = image.rpartition(":")
    one = [{"op": "replace", "path": f"/spec/{key}", "value": 1} for key in ("minReplicas", "maxReplicas")]
    config = {"name": "hsds-config", "namespace": "hsds", "behavior": "merge", "files": ["override.yml"]}
    small = [
        {"op": "replace", "path": "/spec/template/spec/containers/0/resources/requests/cpu", "value": "100m"},
        {
            "op": "replace",
            "path": "/spec/template/spec/containers/0/resources/requests/memory",
            "value": "256Mi",
        },
    ]
    content = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": name,
        "resources": ["../overlays/s3"],
        "images": [{"name": "hsds", "newName": repository, "newTag": tag}],
        "configMapGenerator": [config],
        "patches": [
            {"target": {"kind": "HorizontalPodAutoscaler"}, "patch": json.dumps(one)},
            {"target": {"kind": "Deployment"}, "patch": json.dumps(small)},
        ],
    }
    (mine / "kustomization.yaml").write_text(json.dumps(content))
    return mine
