"""Renders overlays with components as ``kubectl apply -k`` would, without a cluster."""

import functools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

import yaml

CHECKOUT = Path(__file__).parents[2]
TREE = CHECKOUT / "k8s"
OVERLAYS = tuple(sorted(path.name for path in (TREE / "overlays").iterdir()))
COMPONENTS = ("nodeport", "loadbalancer", "ingress", "monitoring", "autoscale-metrics")
STORAGE = ("aws-auth-keys",)
"""Parts of overlays."""
KUBECTL = os.environ.get("HSDS_TEST_KUBECTL") or shutil.which("kubectl")

Object = dict


@functools.cache
def render(overlay: str, components: tuple[str, ...] = (), directory: str = "overlays") -> tuple[Object, ...]:
    """The objects of an overlay with components, as a kustomization over it gives them."""
    if not components:
        return _build(TREE / directory / overlay)
    with tempfile.TemporaryDirectory() as folder:
        copied = Path(folder, "k8s")  # kustomize takes relative paths only, and resolves links
        shutil.copytree(TREE, copied)
        mine = copied / "mine"
        mine.mkdir()
        kustomization = {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "namespace": "hsds",
            "resources": [f"../{directory}/{overlay}"],
            "components": [f"../components/{name}" for name in components],
        }
        (mine / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
        return _build(mine)


def _build(path: Path) -> tuple[Object, ...]:
    done = subprocess.run([str(KUBECTL), "kustomize", path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not done.stderr, f"kustomize warns: {done.stderr}"
    return tuple(yaml.safe_load_all(done.stdout))


def combinations() -> list[tuple[str, tuple[str, ...]]]:
    """Each overlay alone, with each component, and with all of them."""
    sets: list[tuple[str, ...]] = [(), *((name,) for name in COMPONENTS), COMPONENTS]
    return [(overlay, components) for overlay in OVERLAYS for components in sets]


def of_kind(objects: Iterable[Object], *kinds: str) -> list[Object]:
    return [item for item in objects if item["kind"] in kinds]


def name_of(item: Object) -> str:
    return f"{item['kind']}/{item['metadata']['name']}"


def container_of(deployment: Object) -> Object:
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    return container
