"""What clients did and saw, and whether a store that is one and atomic could have shown it to them.

Each key holds a log: a change appends its token, a read sees all. So the final log is the order of all
effects, and whether there are moments that fit every interval is found by going along it once. A change that
was not answered may take effect at any time and more than once; one that was answered, only before.
"""

from dataclasses import dataclass, field

NEVER = float("inf")


@dataclass
class Call:
    """One operation of one client on one key. ``log`` is what it saw: for a change, up to its own effect."""

    key: str
    token: str | None
    start: float
    end: float = NEVER
    log: list | None = None
    error: str | None = None

    def __str__(self):
        what = f"append {self.token}" if self.token else "read"
        seen = self.error or ("" if self.log is None else f"-> {len(self.log)} {self.log[-2:]}")
        return f"{self.key} {what} [{self.start:.3f}, {self.end:.3f}] {seen}"


class Violation(AssertionError):
    """A history that no single store could have produced."""


@dataclass
class History:
    calls: list = field(default_factory=list)

    def begin(self, key, token, now):
        call = Call(key, token, now)
        self.calls.append(call)
        return call

    def check(self, finals):
        """Raise ``Violation`` unless the calls fit the final log of every key."""
        keys = {call.key for call in self.calls}
        for key in sorted(keys):
            check_key([call for call in self.calls if call.key == key], finals.get(key, []))


def check_key(calls, final):
    """Find a moment for each effect and read, as early as possible, in the order of the final log."""
    changes = {call.token: call for call in calls if call.token is not None}
    reads = {}
    for call in calls:
        if call.log is None:
            continue
        if call.log != final[: len(call.log)]:
            raise Violation(f"{call} saw what the key never was: {call.log} against {final}")
        if call.token is not None:
            if not call.log or call.log[-1] != call.token:
                raise Violation(f"{call} was answered without its effect")
        else:
            reads.setdefault(len(call.log), []).append(call)
    now = _read_at(reads.get(0, ()), float("-inf"))
    for place, token in enumerate(final):
        change = changes[token]
        now = max(now, change.start)
        if now > change.end:
            raise Violation(f"{change} took effect again at place {place}, not before {now:.3f}: {final}")
        now = _read_at(reads.get(place + 1, ()), now)


def _read_at(reads, now):
    latest = now
    for read in reads:
        at = max(now, read.start)
        if at > read.end:
            raise Violation(f"{read} is stale: at {now:.3f} there had been more")
        latest = max(latest, at)
    return latest
