"""The other end of ``benchmarks.program``: prepares and runs what it is asked for in lines of JSON.

Only the standard library: it runs in environments that have nothing of this service.
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from typing import Any

Action = Callable[[], object]
"""What is timed. What it returns is given to the check."""
Fresh = Callable[[], tuple[Action, Callable[[Any], None]]]
"""Makes ready for one run: what is timed, and the check of its result."""


def speak(workloads: Mapping[str, Callable[..., Fresh]]) -> None:
    """Answer requests from standard input until it ends. Whatever else prints goes to standard error."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    prepared: dict[str, Fresh] = {}
    ready: tuple[Action, Callable[[Any], None]] | None = None
    for line in sys.stdin:
        request = json.loads(line)
        answer: dict[str, Any] = {}
        try:
            match request:
                case {"list": _}:
                    answer["names"] = list(workloads)
                case {"prepare": name, "as": key, "with": values}:
                    prepared[key] = workloads[name](**values)
                case {"fresh": key}:
                    ready = prepared[key]()
                case {"run": _} if ready is not None:
                    action, check = ready
                    began = time.perf_counter()
                    result = action()
                    answer["seconds"] = time.perf_counter() - began
                    check(result)
        except BaseException:  # noqa: BLE001 - the other end raises it
            answer["error"] = traceback.format_exc()
        print(json.dumps(answer), file=answers, flush=True)
