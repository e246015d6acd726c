"""The command ``hsds-node-state``, as HSDS has it: the state of a node of this machine, for health checks.

It asks ``/info`` of the node at localhost. ``NODE_TYPE`` in the environment (``sn``, else ``dn``) says which;
``SN_PORT`` and ``DN_PORT`` where. Arguments mean nothing. Exit status: 0 READY, 1 anything else.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from http.client import HTTPException
from typing import Final, TextIO
from urllib.request import urlopen

_SECONDS: Final = 10.0


def main() -> int:
    """Run the command."""
    return run(os.environ, sys.stdout, sys.stderr)


def run(environ: Mapping[str, str], out: TextIO, errors: TextIO) -> int:
    """Print the state to ``out``, or to ``errors`` why there is none; the exit status."""
    data = environ.get("NODE_TYPE") == "dn"
    port = environ.get("DN_PORT", "6101") if data else environ.get("SN_PORT", "5101")
    url = f"http://localhost:{port}/info"
    try:
        with urlopen(url, timeout=_SECONDS) as answer:
            state = json.load(answer)["node"]["state"]
    except (OSError, HTTPException, ValueError, LookupError, TypeError) as error:
        errors.write(f"{url}: {error}\n")
        return 1
    out.write(f"{state}\n")
    return 0 if state == "READY" else 1
