"""What objects say of one another is so: selectors, ports, mounts, accounts, targets."""

from tests.k8s.rendering import container_of, of_kind

GIVEN_SECRETS = {"aws-auth-keys", "user-password", "node-secret"}
"""Made by ``hsds secrets``, as docs/kubernetes.md says."""


def _matches(selector: dict, labels: dict) -> bool:
    return selector.items() <= labels.items()


def _templates(objects) -> dict[str, dict]:
    return {d["metadata"]["name"]: d["spec"]["template"] for d in of_kind(objects, "Deployment")}


def _selected(objects, selector: dict) -> list[dict]:
    return [t for t in _templates(objects).values() if _matches(selector, t["metadata"]["labels"])]


def _ports(template: dict) -> dict[str, int]:
    (container,) = template["spec"]["containers"]
    return {port["name"]: port["containerPort"] for port in container["ports"]}


def test_deployments_select_their_own_pods_and_no_others(objects):
    for deployment in of_kind(objects, "Deployment"):
        selected = _selected(objects, deployment["spec"]["selector"]["matchLabels"])
        assert selected == [deployment["spec"]["template"]]


def test_services_select_pods_with_the_port(objects):
    services = of_kind(objects, "Service")
    assert {"hsds", "hsds-dn"} <= {service["metadata"]["name"] for service in services}
    for service in services:
        (template,) = _selected(objects, service["spec"]["selector"])
        for port in service["spec"]["ports"]:
            assert port["targetPort"] in _ports(template)
            assert port["targetPort"] != "metrics", "metrics are off the Services"


def test_the_public_service_reaches_rest_and_the_headless_one_data(objects):
    ports = {s["metadata"]["name"]: s["spec"]["ports"][0]["targetPort"] for s in of_kind(objects, "Service")}
    for name, port in ports.items():
        assert port == ("dn" if name == "hsds-dn" else "sn")


def test_what_is_mounted_exists_or_is_made_by_hsds_secrets(objects):
    made = {item["metadata"]["name"] for item in of_kind(objects, "ConfigMap", "PersistentVolumeClaim")}
    for template in _templates(objects).values():
        (container,) = template["spec"]["containers"]
        volumes = {volume["name"]: volume for volume in template["spec"]["volumes"]}
        mounts = container["volumeMounts"]
        assert {mount["name"] for mount in mounts} == set(volumes)
        assert all("subPath" not in mount and "subPathExpr" not in mount for mount in mounts)
        for volume in volumes.values():
            if "secret" in volume:
                assert volume["secret"]["secretName"] in GIVEN_SECRETS
            elif "configMap" in volume:
                assert volume["configMap"]["name"] in made
                assert volume["configMap"]["name"] != "hsds-config", "its name has a hash"
            elif "persistentVolumeClaim" in volume:
                assert volume["persistentVolumeClaim"]["claimName"] in made
            else:
                assert "emptyDir" in volume


def test_no_mount_lies_in_another(objects):
    for template in _templates(objects).values():
        paths = [
            f"{mount['mountPath'].rstrip('/')}/"
            for mount in template["spec"]["containers"][0]["volumeMounts"]
        ]
        assert len(set(paths)) == len(paths)
        assert not [(a, b) for a in paths for b in paths if a != b and a.startswith(b)]


def test_no_secret_comes_by_the_environment(objects):
    for deployment in of_kind(objects, "Deployment"):
        container = container_of(deployment)
        assert "envFrom" not in container
        assert not [v for v in container["env"] if "secretKeyRef" in v.get("valueFrom", {})]


def test_accounts_exist_and_have_the_role(objects):
    accounts = {item["metadata"]["name"] for item in of_kind(objects, "ServiceAccount")}
    used = {template["spec"]["serviceAccountName"] for template in _templates(objects).values()}
    assert used == accounts
    (binding,) = of_kind(objects, "RoleBinding")
    (role,) = of_kind(objects, "Role")
    assert binding["roleRef"]["name"] == role["metadata"]["name"]
    assert {(s["name"], s["namespace"]) for s in binding["subjects"]} == {(name, "hsds") for name in accounts}
    assert all(item["automountServiceAccountToken"] is False for item in of_kind(objects, "ServiceAccount"))


def test_the_role_is_for_pods_of_the_namespace_and_nothing_else(objects):
    (role,) = of_kind(objects, "Role")
    assert role["rules"] == [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]}]
    assert not of_kind(objects, "ClusterRole", "ClusterRoleBinding")


def test_every_deployment_has_an_autoscaler_and_a_budget_for_disruptions(objects):
    templates = _templates(objects)
    scaled = {h["spec"]["scaleTargetRef"]["name"] for h in of_kind(objects, "HorizontalPodAutoscaler")}
    assert scaled == set(templates)
    for deployment in of_kind(objects, "Deployment"):
        assert "replicas" not in deployment["spec"], "each apply would undo what the autoscaler did"
    kept = [
        _selected(objects, p["spec"]["selector"]["matchLabels"])
        for p in of_kind(objects, "PodDisruptionBudget")
    ]
    assert sorted(map(len, kept)) == [1] * len(templates)


def test_scaling_down_is_slow_and_one_pod_at_a_time(objects):
    for autoscaler in of_kind(objects, "HorizontalPodAutoscaler"):
        down = autoscaler["spec"]["behavior"]["scaleDown"]
        assert down["stabilizationWindowSeconds"] >= 300
        assert [(policy["type"], policy["value"]) for policy in down["policies"]] == [("Pods", 1)]


def test_network_policies_name_ports_of_the_pods_they_are_for(objects):
    opened: dict[str, list] = {}
    for policy in of_kind(objects, "NetworkPolicy"):
        assert policy["spec"]["policyTypes"] == ["Ingress"]
        templates = _selected(objects, policy["spec"]["podSelector"]["matchLabels"])
        assert templates
        for rule in policy["spec"]["ingress"]:
            for port in rule["ports"]:
                assert all(port["port"] in _ports(template) for template in templates)
                opened[port["port"]] = rule.get("from", [])
    assert opened == {
        "sn": [],
        "dn": [{"podSelector": {"matchLabels": {"app": "hsds"}}}],
        "metrics": [{"namespaceSelector": {}}],
    }


def test_the_ingress_leads_to_the_service(objects):
    for ingress in of_kind(objects, "Ingress"):
        (rule,) = ingress["spec"]["rules"]
        assert rule["host"]
        backend = rule["http"]["paths"][0]["backend"]["service"]
        (service,) = [s for s in of_kind(objects, "Service") if s["metadata"]["name"] == backend["name"]]
        assert backend["port"]["name"] in {port["name"] for port in service["spec"]["ports"]}


def test_the_pod_monitor_scrapes_what_the_annotations_name(objects):
    for monitor in of_kind(objects, "PodMonitor"):
        (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
        templates = _selected(objects, monitor["spec"]["selector"]["matchLabels"])
        assert templates == list(_templates(objects).values())
        for template in templates:
            notes = template["metadata"]["annotations"]
            assert notes["prometheus.io/port"] == str(_ports(template)[endpoint["port"]])
            assert notes["prometheus.io/path"] == endpoint["path"]
