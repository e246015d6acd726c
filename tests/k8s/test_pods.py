"""Pods are as Pod Security ``restricted`` and an orderly life ask, and name what the code has."""

import re
import tempfile
from pathlib import Path

from hsds import cli, datarole, process
from hsds.cluster.pods import port_of
from hsds.configsources import load_settings
from hsds.datanode import node as data_node
from hsds.datanode.app import DataNodeApp
from hsds.monitoring import Probes, make_monitoring_app
from hsds.servicenode.service import OPEN_ROUTES
from tests.image.test_recipe import DOCKERFILE
from tests.k8s.rendering import container_of, of_kind

_NOBODY = dict.fromkeys(("node", "standing", "signer", "metrics", "bodies", "answers"))
_DATA_NODE = DataNodeApp(**_NOBODY)
_APPS = {
    "dn": _DATA_NODE.make(),
    "metrics": make_monitoring_app(Probes(started=bool, ready=bool, render=bytes)),
}
ROUTES = {name: {resource.canonical for resource in app.router.resources()} for name, app in _APPS.items()}
ROUTES["dn"] |= {route.split()[1] for route in _DATA_NODE.routes()}
ROUTES["sn"] = {path for method, path, _ in OPEN_ROUTES if method == "GET"}
"""What the code answers to anyone, and to nodes, by name of the port."""


def _specs(objects) -> list[dict]:
    return [deployment["spec"]["template"]["spec"] for deployment in of_kind(objects, "Deployment")]


def test_the_namespace_enforces_restricted_pods(objects):
    (namespace,) = of_kind(objects, "Namespace")
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_pods_are_restricted(objects):
    """https://kubernetes.io/docs/concepts/security/pod-security-standards/, version 1.33, rule by rule."""
    allowed_volumes = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim",
                       "projected", "secret"}  # fmt: skip
    for spec in _specs(objects):
        assert not {"hostNetwork", "hostPID", "hostIPC", "hostUsers"} & set(spec)
        assert not {"initContainers", "ephemeralContainers"} & set(spec)
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["runAsUser"] != 0
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not {"sysctls", "seLinuxOptions", "windowsOptions"} & set(spec["securityContext"])
        for volume in spec["volumes"]:
            assert set(volume) - {"name"} <= allowed_volumes
        for container in spec["containers"]:
            context = container["securityContext"]
            assert context["allowPrivilegeEscalation"] is False
            assert context["capabilities"] == {"drop": ["ALL"]}
            assert context["readOnlyRootFilesystem"] is True
            assert not {"privileged", "procMount", "runAsUser", "seccompProfile"} & set(context)
            assert all("hostPort" not in port for port in container["ports"])


def test_the_user_is_the_images(objects):
    (user,) = re.findall(r"^USER (\S+)$", DOCKERFILE, re.MULTILINE)
    for spec in _specs(objects):
        context = spec["securityContext"]
        assert f"{context['runAsUser']}:{context['runAsGroup']}" == user
        assert context["fsGroup"] == context["runAsGroup"], "who reads the mounted Secrets"


def test_probes_ask_routes_that_exist_and_name_their_timeouts(objects):
    for deployment in of_kind(objects, "Deployment"):
        container = container_of(deployment)
        names = {port["name"] for port in container["ports"]}
        paths = {}
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            asked = container[probe]["httpGet"]
            assert asked["port"] in names
            assert asked["path"] in ROUTES[asked["port"]]
            assert container[probe]["timeoutSeconds"] < container[probe]["periodSeconds"] + 1
            paths[probe] = asked["path"]
        assert paths == {"startupProbe": "/startupz", "livenessProbe": "/livez", "readinessProbe": "/readyz"}


def test_data_nodes_are_what_discovery_looks_for(objects):
    (config,) = [c for c in of_kind(objects, "ConfigMap") if "config.yml" in c["data"]]
    settings = _settings(config)
    selector = dict(pair.split("=") for pair in settings.k8s_dn_label_selector.split(","))
    found = [
        deployment["spec"]["template"]
        for deployment in of_kind(objects, "Deployment")
        if selector.items() <= deployment["spec"]["template"]["metadata"]["labels"].items()
    ]
    assert [port_of(template) for template in found] == [settings.dn_port]


def test_ports_are_those_of_the_configuration(objects):
    (config,) = [c for c in of_kind(objects, "ConfigMap") if "config.yml" in c["data"]]
    settings = _settings(config)
    numbers = {"sn": settings.sn_port, "dn": settings.dn_port, "metrics": settings.metrics_port}
    for deployment in of_kind(objects, "Deployment"):
        for port in container_of(deployment)["ports"]:
            assert port["containerPort"] == numbers[port["name"]]


def test_the_configuration_is_taken_and_names_what_is_mounted(objects):
    (config,) = [c for c in of_kind(objects, "ConfigMap") if "config.yml" in c["data"]]
    settings = _settings(config)
    assert settings.discovery == "kubernetes"
    assert settings.metrics_public is False
    assert (settings.root_dir is None) != (settings.aws_s3_gateway is None)
    mounted = {
        m["mountPath"] for d in of_kind(objects, "Deployment") for m in container_of(d)["volumeMounts"]
    }
    named = [settings.node_secret_file.parent, settings.password_file.parent, settings.aws_credentials_dir]
    named.append(settings.root_dir)
    assert {str(path) for path in named if path} <= mounted
    environment = {
        v["name"]: v.get("value") for d in of_kind(objects, "Deployment") for v in container_of(d)["env"]
    }
    assert environment["CONFIG_DIR"] in mounted


def _settings(config: dict):
    with tempfile.TemporaryDirectory() as folder:
        for name, text in config["data"].items():
            Path(folder, name).write_text(text)
        loaded = load_settings(flags={}, environ={}, config=Path(folder))
    assert not loaded.ignored
    return loaded.settings


def test_pods_leave_in_time(objects):
    for spec in _specs(objects):
        sleep = (
            spec["containers"][0].get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        )
        words = spec["containers"][0]["args"]
        assert (sleep > 0) is (words != ["dn"]), (
            "who serves REST waits for the endpoints; data nodes have none"
        )
        # both shelves are drained in turn
        of_data = datarole._LEAVE_SECONDS + datarole._LAST_WORDS_SECONDS + 2 * data_node._DRAIN_SECONDS
        of_rest = process.GRACE_SECONDS
        takes = {"sn": of_rest, "dn": of_data, "node": of_rest + of_data}[words[0]]
        assert spec["terminationGracePeriodSeconds"] > sleep + takes


def test_rollouts_lose_no_pod(objects):
    for deployment in of_kind(objects, "Deployment"):
        spec = deployment["spec"]
        assert spec["strategy"] == {
            "type": "RollingUpdate",
            "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0},
        }
        assert spec["minReadySeconds"] > 0


def test_pods_are_spread_and_leave_lost_nodes_soon(objects):
    for deployment in of_kind(objects, "Deployment"):
        spec = deployment["spec"]["template"]["spec"]
        keys = {constraint["topologyKey"] for constraint in spec["topologySpreadConstraints"]}
        assert keys == {"topology.kubernetes.io/zone", "kubernetes.io/hostname"}
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        for constraint in spec["topologySpreadConstraints"]:
            assert constraint["labelSelector"]["matchLabels"].items() <= labels.items()
        if labels["hsds.role"] == "dn":
            patience = {t["key"]: (t["effect"], t["tolerationSeconds"]) for t in spec["tolerations"]}
            assert patience == {
                "node.kubernetes.io/unreachable": ("NoExecute", 5),
                "node.kubernetes.io/not-ready": ("NoExecute", 5),
            }


def test_memory_is_limited_and_the_cpu_is_not(objects):
    for deployment in of_kind(objects, "Deployment"):
        resources = container_of(deployment)["resources"]
        assert set(resources["limits"]) == {"memory"}
        assert set(resources["requests"]) == {"cpu", "memory"}


def test_settings_do_not_come_from_names_of_services(objects):
    assert all(spec["enableServiceLinks"] is False for spec in _specs(objects))


def test_the_arguments_are_commands(objects):
    arguments = {tuple(container_of(deployment)["args"]) for deployment in of_kind(objects, "Deployment")}
    assert arguments in ({("sn",), ("dn",)}, {("node", "--roles", "sn,dn")})
    commands = {words[0] for words in arguments}
    assert commands <= set(cli.COMMANDS)
