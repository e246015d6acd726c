"""The end-to-end run: a deployment under load, and everything that happens to deployments. See e2e.sh."""

import argparse
import io
import json
import os
import secrets
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from kubectl import Cluster, Failed, say
from objects import PASSWORD, USER, kustomization, loader, namespace, secret

CLIENT = "h5pyd==1.0.0"
PYTHON = (
    "import json, platform, sys; "
    "print(json.dumps(['.'.join(map(str, sys.version_info[:2])), platform.machine(), *platform.libc_ver()]))"
)
"""Tells for which Python and system the client must be."""
DETACHED = (
    "import subprocess, sys; log = open('/tmp/load.log', 'w'); "
    "subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)"
)
"""Runs a command in a pod that outlasts the connection by which it was started: proxies cut idle ones."""
KUBELET_SECONDS = 150
"""Until a changed Secret is in all pods and has been read."""


class Run:
    """One run on one cluster."""

    def __init__(self, options: argparse.Namespace, folder: Path):
        self.options, self.folder = options, folder
        self.cluster = Cluster(options.namespace)
        self.node_secrets = [secrets.token_urlsafe(32)]
        self.rows: list[str] = []

    def prepare(self) -> None:
        """The namespace, and in it a pod with h5pyd: if that cannot be, nothing is deployed."""
        self.cluster.apply(namespace(self.options.namespace))
        account = ("get", "serviceaccount", "default", "--ignore-not-found", "-o", "name")
        self.cluster.wait_for(lambda: self.cluster(*account) != "", "a new namespace has its ServiceAccount")
        self.cluster.apply(loader(self.options.image))
        self.cluster("wait", "--for=condition=Ready", "pod/loader", "--timeout=300s")
        library = self.folder / "library"
        fetch(CLIENT, library, json.loads(self.in_loader("python", "-c", PYTHON)))
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            tar.add(library, "library")
            tar.add(Path(__file__).with_name("load.py"), "load.py")
        unpack = "import sys, tarfile; tarfile.open(fileobj=sys.stdin.buffer, mode='r|').extractall('/tmp')"
        self.in_loader("python", "-c", unpack, data=archive.getvalue())

    def deploy(self) -> None:
        """Secrets, manifests; wait for both roles."""
        options = self.options
        self.give_secrets()
        mine = kustomization(
            self.folder, name=options.namespace, image=options.image, endpoint=options.s3_endpoint,
            bucket=options.bucket, region=options.region,
        )  # fmt: skip
        self.cluster("apply", "-k", str(mine))
        for role in ("dn", "sn"):
            self.cluster.rolled_out(role)

    def give_secrets(self, keys: tuple[str, str] | None = None) -> None:
        key, value = keys or (os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"])
        self.cluster.apply(
            secret("user-password", passwd__txt=f"{USER}:{PASSWORD}\n"),
            secret("aws-auth-keys", aws_access_key_id=key, aws_secret_access_key=value),
            secret("node-secret", secret="".join(f"{one}\n" for one in self.node_secrets)),
        )

    def start_load(self) -> None:
        """Start the load in its pod, against the Service."""
        words = ("env", "PYTHONPATH=/tmp/library", "python", "/tmp/load.py", "/tmp", "http://hsds:5101",
                 USER, PASSWORD, str(self.options.writers))  # fmt: skip
        self.in_loader("python", "-c", DETACHED, *words)
        self.cluster.wait_for(self.under_load, "every process of the load has begun")

    def under_load(self) -> bool:
        """Whether every process of the load has done something. Raises ``Failed`` when it has ended."""
        if self.results("ended"):
            said = self.in_loader("python", "-c", "print(open('/tmp/load.log').read()[-2000:])")
            raise Failed(f"the load has ended: {said}")
        return len(self.results("stats")) == self.options.writers

    def in_loader(self, *words: str, data: bytes | None = None) -> str:
        flags = ("-i",) if data is not None else ()
        return self.cluster("exec", *flags, "loader", "--", *words, data=data)

    def phase(self, name: str, action: Callable[[], object]) -> None:
        """Do something to the cluster under load, with some quiet before and after."""
        say(name)
        mark = f"import os; open('/tmp/p', 'w').write({name!r}); os.replace('/tmp/p', '/tmp/phase')"
        self.in_loader("python", "-c", mark)
        began = time.monotonic()
        time.sleep(self.options.quiet)
        try:
            action()
        except Failed as error:
            self.rows.append(f"{name}: {error}")
            say(f"FAILED: {error}")
        time.sleep(self.options.quiet)
        self.under_load()
        say(f"{name}: {time.monotonic() - began:.0f} s")

    def finish(self) -> dict[str, dict]:
        """End the load; its figures by phase, with the verdict of each process under ``lost``."""
        self.in_loader("python", "-c", "open('/tmp/stop', 'w')")
        self.cluster.wait_for(lambda: self.results("ended") != [], "the load has ended")
        processes, verdicts = self.results("stats"), self.results("verdict")
        total: dict[str, dict] = {}
        for phases in processes:
            for name, figures in phases.items():
                add(total.setdefault(name, {}), figures)
        lost = sum(verdict["lost"] for verdict in verdicts)
        missing = self.options.writers - len(verdicts)
        total["in all"] = {"lost": lost, "unverified": missing}
        return total

    def results(self, kind: str) -> list[dict]:
        """What the processes of the load have written."""
        paths = f"sorted(glob.glob('/tmp/{kind}*.json'))"
        code = f"import glob, json; print(json.dumps([json.load(open(path)) for path in {paths}]))"
        return json.loads(self.in_loader("python", "-c", code))

    # -- what happens to the cluster ---------------------------------------------------------------------

    def roll(self, role: str) -> None:
        self.cluster("rollout", "restart", f"deployment/hsds-{role}")
        self.cluster.rolled_out(role)

    def delete(self, role: str, *flags: str) -> None:
        self.cluster("delete", "pod", self.cluster.pods(role)[0], *flags)
        self.cluster.rolled_out(role)

    def rotate_aws(self) -> None:
        """To a second key where one is given, else to the first in a file that differs."""
        second = os.environ.get("AWS_ACCESS_KEY_ID_2"), os.environ.get("AWS_SECRET_ACCESS_KEY_2")
        first = os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"] + "\n"
        self.give_secrets(second if all(second) else first)
        time.sleep(self.options.kubelet)

    def rotate_node_secret(self) -> None:
        old, new = self.node_secrets[0], secrets.token_urlsafe(32)
        for self.node_secrets in ([old, new], [new, old], [new]):
            self.give_secrets()
            time.sleep(self.options.kubelet)

    def forbid(self) -> None:
        """Without the Role: a new pod says what it lacks, and recovers when the Role is back."""
        binding = self.cluster.get("rolebinding", "hsds-discovery")
        for key in ("resourceVersion", "uid", "creationTimestamp", "managedFields"):
            binding["metadata"].pop(key, None)
        self.cluster("delete", "rolebinding", "hsds-discovery")
        try:
            pod = self.cluster.pods("dn")[0]
            self.cluster("delete", "pod", pod)
            time.sleep(self.options.quiet)
            self.cluster.wait_for(
                lambda: "verbs [get, list, watch]" in self.cluster("logs", "-l", "hsds.role=dn", "--tail=-1"),
                "a log line that names the missing rule",
            )
        finally:
            self.cluster.apply(binding)
        self.cluster.rolled_out("dn")

    def everything(self) -> None:
        """The phases in order."""
        scale = self.cluster.scale
        self.phase("quiet", lambda: time.sleep(self.options.quiet))
        self.phase("data nodes 1 -> 4", lambda: scale("dn", 4))
        self.phase("data nodes 4 -> 2", lambda: scale("dn", 2))
        self.phase("service nodes 1 -> 3", lambda: scale("sn", 3))
        self.phase("service nodes 3 -> 2", lambda: scale("sn", 2))
        self.phase("data nodes rolled", lambda: self.roll("dn"))
        self.phase("service nodes rolled", lambda: self.roll("sn"))
        self.phase("data node deleted", lambda: self.delete("dn"))
        self.phase("data node force-deleted", lambda: self.delete("dn", "--force", "--grace-period=0"))
        self.phase("service node deleted", lambda: self.delete("sn"))
        self.phase("AWS keys rotated", self.rotate_aws)
        self.phase("node secret rotated", self.rotate_node_secret)
        self.phase("Role taken away and given back", self.forbid)


def fetch(package: str, folder: Path, python: list[str]) -> None:
    """Install a package and all that it needs into a folder, for the Python of another system."""
    version, machine, libc, release = python
    if libc != "glibc":
        raise Failed(f"the load needs an image with glibc, this one has {libc or 'another libc'}")
    newest = int(release.split(".")[1])
    tags = [f"manylinux_2_{minor}_{machine}" for minor in range(newest, 16, -1)] + [
        f"manylinux2014_{machine}"
    ]
    pip = (sys.executable, "-m", "pip", "install", "-q", "--only-binary=:all:", f"--target={folder}")
    platforms = (f"--platform={tag}" for tag in tags)
    command = [*pip, *platforms, f"--python-version={version}", package]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(f"{package} cannot be fetched with pip: {done.stderr.strip()[-1000:]}")


def add(total: dict, figures: dict) -> None:
    for key in ("operations", "errors", "stale"):
        total[key] = total.get(key, 0) + figures[key]
    total["longest"] = max(total.get("longest", 0.0), figures["longest"])
    total["texts"] = [*total.get("texts", []), *figures["texts"]][:5]


def table(total: dict[str, dict]) -> str:
    """The figures as Markdown."""
    lines = ["| phase | operations | client errors | stale reads | longest wait |", "|---|---|---|---|---|"]
    for name, figures in total.items():
        if "operations" in figures:
            cells = (
                name,
                figures["operations"],
                figures["errors"],
                figures["stale"],
                f"{figures['longest']:.1f} s",
            )
            lines.append(f"| {' | '.join(map(str, cells))} |")
    whole = total["in all"]
    lines += ["", f"Acknowledged values lost: {whole['lost']}. Processes unverified: {whole['unverified']}."]
    lines += [f"* {name}: {text}" for name, figures in total.items() for text in figures.get("texts", ())]
    return "\n".join(lines)


def good(total: dict[str, dict]) -> bool:
    bad = sum(figures.get("errors", 0) + figures.get("stale", 0) for figures in total.values())
    return bad == 0 and total["in all"] == {"lost": 0, "unverified": 0}


def main() -> int:
    parser = argparse.ArgumentParser(prog="e2e.sh", description=__doc__)
    parser.add_argument("--image", required=True, help="with a tag; the cluster must be able to have it")
    parser.add_argument("--namespace", default="hsds-e2e", help="made, and deleted at the end")
    parser.add_argument("--s3-endpoint", required=True, help="as pods reach it")
    parser.add_argument("--bucket", default="hsds-e2e", help="exists, and no cluster uses it")
    parser.add_argument("--region", default="us-east-1")
    parser.add_argument("--writers", type=int, default=8)
    parser.add_argument("--quiet", type=float, default=10, help="seconds before and after each event")
    parser.add_argument(
        "--kubelet", type=float, default=KUBELET_SECONDS, help="seconds for a Secret to arrive"
    )
    parser.add_argument("--keep", action="store_true", help="leave the namespace as it is at the end")
    options = parser.parse_args()
    if missing := {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} - set(os.environ):
        parser.error(f"set {' and '.join(sorted(missing))}")
    with tempfile.TemporaryDirectory() as folder:
        run = Run(options, Path(folder))
        try:
            run.prepare()
            run.deploy()
            run.start_load()
            run.everything()
            total = run.finish()
        except Failed as error:
            say(f"FAILED: {error}")
            return 1
        finally:
            if not options.keep:
                run.cluster("delete", "namespace", options.namespace, "--wait=false", check=False)
    print(table(total))
    print("\n".join(f"* not so: {row}" for row in run.rows))
    return 0 if good(total) and not run.rows else 1


if __name__ == "__main__":
    sys.exit(main())
