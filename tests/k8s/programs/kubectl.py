"""What the end-to-end run does through kubectl, each call by one method. Standard library only."""

import json
import subprocess
import sys
import time
from collections.abc import Callable


class Failed(Exception):
    """Something that was to come true did not."""


class Cluster:
    """One namespace of the cluster that KUBECONFIG names."""

    def __init__(self, namespace: str):
        self.namespace = namespace

    def __call__(self, *words: str, data: str | bytes | None = None, check: bool = True) -> str:
        """kubectl in the namespace; its standard output."""
        sent = data.encode() if isinstance(data, str) else data
        command = ["kubectl", "-n", self.namespace, *words]
        done = subprocess.run(command, input=sent, capture_output=True, check=False)
        if check and done.returncode:
            raise Failed(f"kubectl {' '.join(words)}: {done.stderr.decode().strip()}")
        return done.stdout.decode()

    def apply(self, *objects: dict) -> None:
        """Apply objects given as they are."""
        items = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        self("apply", "-f", "-", data=json.dumps(items))

    def get(self, *words: str) -> dict:
        return json.loads(self("get", *words, "-o", "json"))

    def pods(self, role: str) -> list[str]:
        """Names of the pods of a role that are not terminating."""
        items = self.get("pods", "-l", f"app=hsds,hsds.role={role}")["items"]
        return sorted(p["metadata"]["name"] for p in items if "deletionTimestamp" not in p["metadata"])

    def scale(self, role: str, number: int) -> None:
        """Fix the number of pods of a role, and wait for it."""
        patch = json.dumps({"spec": {"minReplicas": number, "maxReplicas": number}})
        self("patch", "hpa", f"hsds-{role}", "--type=merge", "-p", patch)
        # the autoscaler itself needs up to 15 s to look, and steps down slowly on purpose
        self("scale", "deployment", f"hsds-{role}", f"--replicas={number}")
        self.wait_for(lambda: len(self.pods(role)) == number, f"{number} pods of {role}")
        self.rolled_out(role)

    def rolled_out(self, role: str, seconds: int = 600) -> None:
        self("rollout", "status", f"deployment/hsds-{role}", f"--timeout={seconds}s")

    def wait_for(self, true: Callable[[], bool], what: str, seconds: float = 300) -> float:
        """Wait until something is so; for how long that took."""
        began = time.monotonic()
        while not true():
            if time.monotonic() - began > seconds:
                raise Failed(f"not so after {seconds:.0f} s: {what}")
            time.sleep(2)
        return time.monotonic() - began


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)
