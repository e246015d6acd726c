"""What the pages tell a platform engineer to type, as far as it goes without a cluster."""

import re
import shutil
import subprocess
import textwrap
from pathlib import Path

import pytest
import yaml

from hsds.cli import main
from tests.k8s.rendering import CHECKOUT, KUBECTL, TREE, of_kind
from tests.k8s.schema import faults

PAGES = [CHECKOUT / "README.md", *sorted((CHECKOUT / "docs").glob("*.md"))]


def blocks(page: Path) -> str:
    """All shell blocks of a page."""
    return "\n".join(re.findall(r"^ *```sh\n(.*?)^ *```", page.read_text(), re.MULTILINE | re.DOTALL))


def lines(page: Path, command: str) -> list[str]:
    return [
        line.split(" #")[0].strip() for line in blocks(page).splitlines() if line.strip().startswith(command)
    ]


@pytest.mark.skipif(KUBECTL is None, reason="no kubectl on this machine")
@pytest.mark.parametrize("page", ["README.md", "docs/kubernetes.md"])
def test_what_is_copied_can_be_applied(page, tmp_path, schemas):
    shutil.copytree(TREE, tmp_path / "k8s")
    (copy,), (apply,) = lines(CHECKOUT / page, "cp "), lines(CHECKOUT / page, "kubectl apply -k")
    subprocess.run(copy.split(), cwd=tmp_path, check=True)
    folder = apply.removeprefix("kubectl apply -k").strip()
    done = subprocess.run([str(KUBECTL), "kustomize", folder], cwd=tmp_path, capture_output=True, check=True)
    objects = [item for item in yaml.safe_load_all(done.stdout) if item]
    assert len(of_kind(objects, "Deployment")) == 2
    assert not [fault for item in objects for fault in faults(item)]


def yaml_blocks() -> list[dict]:
    """What the page tells to put into a kustomization."""
    page = (CHECKOUT / "docs" / "kubernetes.md").read_text()
    found = re.findall(r"^( *)```yaml\n(.*?)^ *```", page, re.MULTILINE | re.DOTALL)
    return [yaml.safe_load(textwrap.dedent(text)) for _, text in found]


@pytest.mark.skipif(KUBECTL is None, reason="no kubectl on this machine")
@pytest.mark.parametrize("number", range(len(yaml_blocks())))
def test_what_is_to_be_put_into_a_kustomization_works_there(number, tmp_path, schemas):
    shutil.copytree(TREE, tmp_path / "k8s")
    mine = tmp_path / "k8s" / "mine"
    shutil.copytree(mine.with_name("example"), mine)
    (mine / "ca.crt").write_text("a certificate")
    example = yaml.safe_load((mine / "kustomization.yaml").read_text())
    said = yaml_blocks()[number]
    if "kind" not in said:  # else it is a whole one
        added = {key: [*example[key], *said.get(key, ())] for key in ("configMapGenerator", "patches")}
        said = example | {"components": [*example["components"]]} | said | added
        said["components"] = sorted({"../components/ingress", *said["components"]})
    (mine / "kustomization.yaml").write_text(yaml.safe_dump(said))
    done = subprocess.run([str(KUBECTL), "kustomize", mine], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    objects = [item for item in yaml.safe_load_all(done.stdout) if item]
    assert not [fault for item in objects for fault in faults(item)]
    for patch in said["patches"]:  # one whose target is not there does nothing, silently
        assert [
            item
            for item in of_kind(objects, patch["target"]["kind"])
            if item["metadata"]["name"] == patch["target"].get("name", item["metadata"]["name"])
        ]


def test_another_namespace(tmp_path):
    """One line changes it for all, and the overlay's ConfigMap is still merged with."""
    if KUBECTL is None:
        pytest.skip("no kubectl on this machine")
    shutil.copytree(TREE, tmp_path / "k8s")
    path = tmp_path / "k8s" / "example" / "kustomization.yaml"
    path.write_text(path.read_text().replace("namespace: hsds", "namespace: other", 1))
    done = subprocess.run([str(KUBECTL), "kustomize", path.parent], capture_output=True, check=True)
    objects = list(yaml.safe_load_all(done.stdout))
    assert {item["metadata"].get("namespace") for item in objects if item["kind"] != "Namespace"} == {"other"}
    assert [item["metadata"]["name"] for item in of_kind(objects, "Namespace")] == ["other"]
    (config,) = of_kind(objects, "ConfigMap")
    assert {"config.yml", "override.yml"} == set(config["data"])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_and_pages_that_are_named_exist(page):
    for path in re.findall(r"-f (k8s/\S+)|\]\(((?!http|#)[^)#]+)", page.read_text()):
        named = path[0] or path[1]
        base = CHECKOUT if path[0] else page.parent
        assert (base / named).exists(), named


@pytest.mark.parametrize("page", ["README.md", "docs/kubernetes.md"])
def test_secrets_as_printed(page, tmp_path, capsys, monkeypatch):
    (command,) = {line.partition(" |")[0] for line in lines(CHECKOUT / page, "hsds secrets")}
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    Path("users.txt").write_text("admin:a-password\n")
    assert main(command.split()[1:]) == 0
    made = list(yaml.safe_load_all(capsys.readouterr().out))
    assert {item["metadata"]["name"] for item in made} == {"user-password", "aws-auth-keys", "node-secret"}


def test_secrets_are_rotated_as_printed(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    Path("users.txt").write_text("admin:a-password\n")
    for name in ("node-secret.txt", "swapped.txt", "new.txt"):
        Path(name).write_text("a-secret-of-the-nodes\n")
    commands = [line.partition(" |")[0] for line in lines(CHECKOUT / "docs/operating.md", "hsds secrets")]
    names = []
    for command in commands:
        assert main(command.split()[1:]) == 0
        names.append(yaml.safe_load(capsys.readouterr().out)["metadata"]["name"])
    assert names == ["user-password", "aws-auth-keys", *["node-secret"] * 3]
