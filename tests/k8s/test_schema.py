"""Every rendered object would be taken by an API server, and the validator that says so can say no."""

import copy
from pathlib import Path

import pytest
import yaml

from tests.k8s.rendering import KUBECTL, TREE, name_of, of_kind, render
from tests.k8s.schema import FOREIGN, faults

pytestmark = pytest.mark.usefixtures("schemas")
NEEDS_KUBECTL = pytest.mark.skipif(KUBECTL is None, reason="no kubectl on this machine")


def test_all_objects_are_valid(objects):
    found = {name_of(item): faults(item) for item in objects if item["apiVersion"] not in FOREIGN}
    assert not {name: wrong for name, wrong in found.items() if wrong}


def test_every_object_is_there_once(objects):
    names = [name_of(item) for item in objects]
    assert len(set(names)) == len(names)


def test_every_object_is_in_the_namespace(objects):
    outside = {item["metadata"].get("namespace") for item in objects if item["kind"] != "Namespace"}
    assert outside == {"hsds"}


@NEEDS_KUBECTL
def test_the_example_is_valid_and_says_what_it_wants():
    objects = render("example", directory="")
    assert not [faults(item) for item in objects if faults(item)]
    (config,) = of_kind(objects, "ConfigMap")
    assert "beamline-7" in config["data"]["override.yml"]
    images = {d["spec"]["template"]["spec"]["containers"][0]["image"] for d in of_kind(objects, "Deployment")}
    assert images == {"registry.example.org/hsds:0.1.0"}
    limits = {
        h["metadata"]["name"]: h["spec"]["maxReplicas"] for h in of_kind(objects, "HorizontalPodAutoscaler")
    }
    assert limits == {"hsds-sn": 8, "hsds-dn": 16}


CHANGES = {
    "unknown field": lambda d: d["spec"].update(replica=2),
    "unknown field below": lambda d: d["spec"]["template"]["spec"]["containers"][0].update(port=1),
    "wrong type": lambda d: d["spec"].update(replicas="2"),
    "missing field": lambda d: d["spec"].pop("selector"),
    "no quantity": lambda d: d["spec"]["template"]["spec"]["containers"][0].update(
        resources={"limits": {"memory": "1 GB"}}
    ),
    "unknown kind": lambda d: d.update(kind="Deploy"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_the_validator_refuses(change):
    deployment = copy.deepcopy(next(yaml.safe_load_all((TREE / "base" / "dn.yaml").read_text())))
    assert not faults(deployment)
    change(deployment)
    assert len(faults(deployment)) == 1


class _Strict(yaml.SafeLoader):
    """Refuses a key that stands twice, as the API server does."""


def _mapping(loader, node):
    keys = [loader.construct_object(key) for key, _ in node.value]
    assert len(set(keys)) == len(keys), f"{node.start_mark}: a key stands twice: {keys}"
    return loader.construct_mapping(node, deep=True)


_Strict.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


@pytest.mark.parametrize("path", sorted(TREE.rglob("*.y*ml")), ids=lambda path: str(path.relative_to(TREE)))
def test_no_key_stands_twice_in_a_file(path: Path):
    list(yaml.load_all(path.read_text(), Loader=_Strict))
