"""What the pages tell a platform engineer to type, as far as it goes without a cluster."""

import re
import shutil
import subprocess
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
