#!/usr/bin/env python3
"""As much of kubectl as the end-to-end run asks for, without a cluster: pods are names in a file, and what is
run in the pod of the load is run here, against a service that is there. FAKE_KUBECTL is where its state is.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

STATE = Path(os.environ["FAKE_KUBECTL"])
PODS = STATE / "pods.json"


def pods() -> dict[str, list[str]]:
    return json.loads(PODS.read_text()) if PODS.exists() else {"sn": ["hsds-sn-1"], "dn": ["hsds-dn-1"]}


def resize(role: str, number: int) -> None:
    all_pods = pods()
    serial = 1 + max((int(name.rpartition("-")[2]) for name in all_pods[role]), default=0)
    all_pods[role] = (all_pods[role] + [f"hsds-{role}-{serial + n}" for n in range(number)])[:number]
    PODS.write_text(json.dumps(all_pods))


def remove(name: str) -> None:
    all_pods = pods()
    role = name.split("-")[1]
    number = len(all_pods[role])
    all_pods[role].remove(name)
    PODS.write_text(json.dumps(all_pods))
    resize(role, number)


def execute(words: list[str]) -> int:
    """The pod's /tmp is a directory here, and its Service the one that is there."""
    place = STATE / "tmp"
    place.mkdir(exist_ok=True)
    words = [
        word.replace("/tmp", str(place)).replace("http://hsds:5101", os.environ["FAKE_URL"]) for word in words
    ]
    words = [os.environ["FAKE_PYTHON"] if word == "python" else word for word in words]
    return subprocess.run(words, check=False).returncode


def main(words: list[str]) -> int:
    with (STATE / "calls").open("a") as calls:
        calls.write(" ".join(words) + "\n")
    match words:
        case ["exec", "-i", "loader", "--", *command] | ["exec", "loader", "--", *command]:
            return execute(command)
        case ["get", "pods", "-l", selector, *_]:
            names = pods()[selector.rpartition("=")[2]]
            print(json.dumps({"items": [{"metadata": {"name": name}} for name in names]}))
        case ["get", "serviceaccount", name, *_]:  # which comes a moment after its namespace
            began = STATE / "account"
            print(f"serviceaccount/{name}" if began.exists() else "", end="")
            began.touch()
        case ["get", "rolebinding", name, *_]:
            print(json.dumps({"kind": "RoleBinding", "metadata": {"name": name, "uid": "1"}}))
        case ["scale", "deployment", name, replicas]:
            resize(name.rpartition("-")[2], int(replicas.partition("=")[2]))
        case ["delete", "pod", name, *_]:
            remove(name)
        case ["apply", "-k", folder]:
            return subprocess.run([os.environ["REAL_KUBECTL"], "kustomize", folder], check=False).returncode
        case ["apply", "-f", "-"]:
            with (STATE / "applied").open("a") as applied:
                applied.write(json.dumps(json.load(sys.stdin)) + "\n")
        case ["logs", *_]:
            print(
                'pods is forbidden: a Role needs apiGroups [""], resources [pods], verbs [get, list, watch]'
            )
        case ["wait" | "rollout" | "patch" | "delete", *_]:
            pass
        case _:
            print(f"unexpected: {words}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    assert sys.argv[1] == "-n"
    sys.exit(main(sys.argv[3:]))
