"""Dashboard, alerts and autoscaling name metrics that the code exports."""

import json
import re
from pathlib import Path

import pytest
import yaml

from hsds.cluster.figures import tell_of_membership
from hsds.cluster.membership import Membership, Timing
from hsds.cluster.view import Member
from hsds.config import Settings
from hsds.datanode.figures import tell_of_caches
from hsds.datanode.state import make_state
from hsds.metrics import Metrics
from hsds.monitoring import Probes, monitored
from hsds.servicenode.auth import make_authenticator
from hsds.servicenode.node import make_node
from hsds.servicenode.service import render
from hsds.store.memory import MemoryStore
from hsds.transport.figures import tell_of_routing
from hsds.transport.nodes import DataNodes
from hsds.transport.routing import Router, Views
from tests.k8s.rendering import COMPONENTS, KUBECTL, TREE, of_kind
from tests.k8s.rendering import render as render_manifests
from tests.k8s.test_pods import ROUTES

MONITORING = TREE / "components" / "monitoring"
DASHBOARD = json.loads((MONITORING / "hsds.json").read_text())
RULES = yaml.safe_load((MONITORING / "alerts.yaml").read_text())["spec"]["groups"][0]["rules"]
ADAPTER = yaml.safe_load((TREE / "components" / "autoscale-metrics" / "adapter.yaml").read_text())
_OURS = re.compile(r"\b(?:hsds|process|python)_\w+")
_OF_ADAPTER = {rule["name"]["as"] for rule in ADAPTER["rules"]["custom"]}


class _NoViews(Views):
    view = None

    async def refresh(self):
        raise NotImplementedError

    async def newer(self, epoch):
        raise NotImplementedError


@pytest.fixture
async def exported() -> set[str]:
    """Names of all samples that a process with both roles shows once it has answered a request."""
    settings = Settings(metrics_port=0)
    metrics = Metrics()
    store = MemoryStore()
    state = make_state(store, metadata_cache=1, chunk_cache=1, write_budget=1, threads=1)
    tell_of_caches(metrics, state)
    membership = Membership(Member("uid", "10.0.0.1", 6101), "c", timing=Timing(), first_epoch=lambda: 1)
    tell_of_membership(metrics, membership, lambda: 0.0)
    views = _NoViews()
    router = Router(views, lambda member: None, clock=lambda: 0.0)
    tell_of_routing(metrics, router, views)
    metrics.observe("GET", "/", 200, seconds=0.1, bytes_in=1, bytes_out=1)
    metrics.observe_store("get", 0.1, "ok", 1)
    node = make_node(
        settings, DataNodes(router), make_authenticator(settings, local_user="me"), metrics=metrics
    )
    async with monitored(settings, metrics, Probes(started=bool, ready=bool, render=lambda: render(node))):
        page = render(node).decode()
    node.auth.close()
    state.executor.shutdown()
    return {re.split(r"[ {]", line)[0] for line in page.splitlines() if line and not line.startswith("#")}


def _metrics(expression: str) -> set[str]:
    return set(_OURS.findall(re.sub(r'"[^"]*"', '""', expression)))


def _expressions() -> dict[str, str]:
    found = {rule["alert"]: rule["expr"] for rule in RULES}
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            found[f"{panel['title']} {target['refId']}"] = target["expr"]
    for rule in ADAPTER["rules"]["custom"]:
        found[rule["name"]["as"]] = f"{rule['seriesQuery']} {rule['metricsQuery']}"
    return found


def asked_for() -> set[str]:
    """All metrics that dashboard, alerts and autoscaling ask for."""
    return set().union(*map(_metrics, _expressions().values()))


@pytest.mark.parametrize(("name", "expression"), _expressions().items())
def test_only_exported_metrics_are_asked_for(name, expression, exported):
    asked = _metrics(expression)
    assert asked
    assert asked <= exported


def test_requests_of_clients_are_counted_without_those_of_nodes_and_probes():
    aside = set().union(*(ROUTES[port] for port in ("dn", "metrics", "sn"))) - {"/about"}
    asked = [text for text in _expressions().values() if "hsds_http_request" in text and "bytes" not in text]
    assert len(asked) >= 5
    for expression in asked:
        selectors = re.findall(r"hsds_http_request\w+\{([^}]*)\}", expression)
        assert len(selectors) == len(re.findall(r"hsds_http_request", expression))
        for selector in selectors:
            (left_out,) = re.findall(r'route!~"([^"]*)"', selector)
            assert set(left_out.split("|")) == aside


def test_labels_that_are_asked_for_exist():
    labels = {"namespace", "pod", "le", "version", "method", "route", "status", "call", "budget", "cache"}
    for expression in _expressions().values():
        for names in re.findall(r"\b(?:by|on) \(([^)]*)\)", expression):
            used = {name.strip() for name in names.replace("<<.GroupBy>>", "").split(",") if name.strip()}
            assert used <= labels, expression


def test_parentheses_close():
    for name, expression in _expressions().items():
        for opening, closing in ("()", "{}", "[]"):
            assert expression.count(opening) == expression.count(closing), name


def test_every_alert_is_explained():
    page = (Path(__file__).parents[2] / "docs" / "operating.md").read_text()
    explained = re.findall(r"^### (Hsds\w+)$", page, re.MULTILINE)
    assert sorted(explained) == sorted(rule["alert"] for rule in RULES)


def test_alerts_say_how_bad_it_is():
    for rule in RULES:
        assert rule["labels"]["severity"] in {"critical", "warning", "info"}
        assert rule["annotations"]["summary"]


def test_panels_do_not_overlap_and_ids_are_unique():
    taken = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])


@pytest.mark.skipif(KUBECTL is None, reason="no kubectl on this machine")
def test_autoscalers_ask_for_what_the_adapter_makes():
    objects = render_manifests("s3", ("autoscale-metrics",))
    autoscalers = of_kind(objects, "HorizontalPodAutoscaler")
    assert len(autoscalers) == 2
    for autoscaler in autoscalers:
        kinds = [metric["type"] for metric in autoscaler["spec"]["metrics"]]
        assert kinds == ["Resource", "Pods", "Pods"]
        names = {m["pods"]["metric"]["name"] for m in autoscaler["spec"]["metrics"] if m["type"] == "Pods"}
        assert names == _OF_ADAPTER
    assert "autoscale-metrics" in COMPONENTS


@pytest.mark.skipif(KUBECTL is None, reason="no kubectl on this machine")
def test_the_dashboard_comes_for_grafanas_sidecar():
    (config,) = [
        item
        for item in of_kind(render_manifests("s3", ("monitoring",)), "ConfigMap")
        if item["metadata"]["labels"].get("grafana_dashboard") == "1"
    ]
    assert json.loads(config["data"]["hsds.json"]) == DASHBOARD
