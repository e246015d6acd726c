"""What Kubernetes puts into a pod, and what guards it: certificates, tokens, and Roles from manifests."""

import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import yaml

USER = "system:serviceaccount:t:hsds"
"""The account of the pods of a test, in the namespace ``t``."""


class Authority:
    """A certificate authority with one server certificate for an address, made by openssl in ``folder``."""

    def __init__(self, folder: Path, name: str = "kubernetes", address: str = "127.0.0.1"):
        folder.mkdir(parents=True, exist_ok=True)
        self.ca, self.cert, self.key = folder / "ca.crt", folder / "server.crt", folder / "server.key"
        ca_key, request, extensions = folder / "ca.key", folder / "server.csr", folder / "server.ext"
        extensions.write_text(f"subjectAltName=IP:{address}\n")
        _openssl(
            f"req -x509 -newkey rsa:2048 -nodes -days 2 -keyout {ca_key} -out {self.ca} -subj /CN={name}"
        )
        _openssl(f"req -newkey rsa:2048 -nodes -keyout {self.key} -out {request} -subj /CN=kube-apiserver")
        sign = f"x509 -req -days 2 -in {request} -CA {self.ca} -CAkey {ca_key} -CAcreateserial"
        _openssl(f"{sign} -out {self.cert} -extfile {extensions}")


def _openssl(words):
    subprocess.run(["openssl", *words.split()], check=True, capture_output=True)


class ServiceAccountFolder:
    """The mounted files of a service account, replaced as the kubelet does: by one rename of a link."""

    def __init__(self, folder: Path, *, namespace: str, token: str, ca: Path):
        self.folder = folder
        folder.mkdir(parents=True)
        self._files = {"namespace": namespace, "token": token, "ca.crt": ca.read_text()}
        self._version = 0
        self.replace()
        for name in self._files:
            (folder / name).symlink_to(Path("..data", name))

    def replace(self, **files):
        """Replace some of ``namespace``, ``token`` and ``ca`` at once."""
        if "ca" in files:
            files["ca.crt"] = files.pop("ca").read_text()
        self._files |= files
        self._version += 1
        data = self.folder / f"..{self._version}"
        data.mkdir()
        for name, text in self._files.items():
            (data / name).write_text(text)
        link = self.folder / "..data_tmp"
        link.symlink_to(data.name)
        link.replace(self.folder / "..data")


def pod_environment(port: int, host: str = "127.0.0.1") -> dict[str, str]:
    """What tells a pod where the API server is."""
    return {"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": str(port)}


@dataclass
class Access:
    """Who has which token, and who may do what in a namespace; and what was done."""

    users: dict[str, str] = field(default_factory=dict)
    """Token -> user."""
    rules: dict[tuple[str, str], list[dict]] = field(default_factory=dict)
    """(user, namespace) -> rules of its Roles."""
    used: set[tuple[str, str]] = field(default_factory=set)
    """(verb, resource) that were allowed."""

    def bind(self, manifest: Path, *, name: str, user: str, namespace: str) -> None:
        """Bind the Role of that name in a file of manifests."""
        found = [
            item
            for item in yaml.safe_load_all(manifest.read_text())
            if item and item["kind"] == "Role" and item["metadata"]["name"] == name
        ]
        assert len(found) == 1, f"{manifest} has {len(found)} Roles named {name}"
        self.grant(user, namespace, found[0]["rules"])

    def let_watch(self, folder: Path, token: str) -> None:
        """Pods that show ``token`` may do with the pods of their namespace what data nodes do with them."""
        self.users[token] = USER
        self.bind(role_manifest(folder, "get", "list", "watch"), name="hsds", user=USER, namespace="t")

    def grant(self, user, namespace, rules):
        self.rules[user, namespace] = list(rules)

    def allows(self, user, verb, resource, namespace) -> bool:
        allowed = any(
            verb in rule["verbs"] and resource in rule["resources"] and "" in rule["apiGroups"]
            for rule in self.rules.get((user, namespace), ())
        )
        if allowed:
            self.used.add((verb, resource))
        return allowed


def role_manifest(folder: Path, *verbs: str) -> Path:
    """A manifest with a Role ``hsds`` for pods."""
    path = folder / f"role-{'-'.join(verbs)}.yaml"
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"name": "hsds"},
        "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": list(verbs)}],
    }
    path.write_text(yaml.safe_dump(role))
    return path
