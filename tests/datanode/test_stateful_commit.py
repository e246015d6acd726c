"""Two owners of one key over a store that loses, declines and delays, in any order of steps.

The model is the set of values that the key may have: an answered change leaves one, an unanswered one adds.
A create without an answer may come true for as long as there is nothing. One case is left out: that one lands
after the key was made and deleted by others, since nothing tells one absence from the next
(docs/reliability.md).
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from unittest.mock import patch

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from hsds.budget import ByteBudget
from hsds.datanode import attempts
from hsds.datanode.cache import ByteLRU
from hsds.datanode.change import Basis, Outcome
from hsds.datanode.commit import Committer
from hsds.datanode.documents import JSON
from hsds.datanode.gate import OpenGate
from hsds.datanode.reader import Reader
from hsds.errors import Conflict, StoreUnavailable
from hsds.hdf5.jsontext import loads
from tests.tools.scripted import ScriptedStore

KEY = ("b", "k")
OWNERS = st.integers(0, 1)
WORDS = st.sampled_from(["ok", "ok", "busy", "lost", "done", "late"])


class Commits(RuleBasedStateMachine):
    """A value is the number in a JSON object, with a serial that makes its bytes new; None: no object."""

    @initialize(conditional=st.booleans())
    def begin(self, conditional):
        self.runner = asyncio.Runner()
        self.executor = ThreadPoolExecutor(1)
        self.patch = patch.object(attempts, "_TROUBLE_PAUSE", 0.0005)
        self.patch.start()
        self.store = ScriptedStore(conditional_delete=conditional)
        self.store.absences_alike = False
        self.possible = {None}
        self.answered = set()
        self.serial = 0
        self.owners = [self.owner() for _ in range(2)]

    def owner(self):
        reader = Reader(self.store, ByteLRU(1 << 20), self.executor, OpenGate())
        return Committer(self.store, reader, OpenGate(), budget=ByteBudget(1 << 20), patience=0.01)

    def teardown(self):
        if hasattr(self, "runner"):
            self.patch.stop()
            self.runner.close()
            self.executor.shutdown()

    def value(self, number):
        self.serial += 1
        return {"number": number, "serial": self.serial}

    def change(self, owner, apply, basis=Basis.READ):
        """The result, or None if the change was not answered."""
        first = self.serial
        try:
            result = self.runner.run(self.owners[owner].change(KEY, JSON, apply, basis))
        except StoreUnavailable:
            return None
        self.answered.update(range(first + 1, self.serial + 1))
        return result

    def may_come_true(self):
        """Numbers of creates on their way, in place of nothing; none of them has been answered."""
        late = [loads(data) for data in self.store.late_creates()]
        assert not any(value["serial"] in self.answered for value in late)
        return {value["number"] for value in late}

    @rule(words=st.lists(WORDS, max_size=4))
    def trouble(self, words):
        self.store.script.extend(words)

    @rule(owner=OWNERS, number=st.integers(0, 5), basis=st.sampled_from(Basis))
    def write(self, owner, number, basis):
        result = self.change(owner, lambda _: Outcome(self.value(number), "done"), basis)
        self.found(number, result)

    def found(self, number, result):
        """An answered change leaves its number, or what may yet come in its place."""
        if not result:
            self.possible |= {number}
        elif number is None:
            self.possible = {None} | self.may_come_true()
        else:
            self.possible = {number}
            self.may_come_true()

    @rule(owner=OWNERS)
    def add_one(self, owner):
        def apply(present):
            number = 0 if present is None else present["number"] + 1
            return Outcome(self.value(number), (number,))

        wanted = {0 if number is None else number + 1 for number in self.possible}
        result = self.change(owner, apply)
        if result is None:
            self.possible |= wanted
        else:
            assert result[0] in wanted
            self.found(result[0], result)

    @rule(owner=OWNERS)
    def delete(self, owner):
        result = self.change(owner, lambda _: Outcome(None, "done"))
        self.found(None, result)

    @rule(owner=OWNERS, number=st.integers(0, 5))
    def create(self, owner, number):
        def apply(present):
            if present is not None:
                raise Conflict("it is there")
            return Outcome(self.value(number), "done")

        try:
            result = self.change(owner, apply, Basis.ABSENT)
        except Conflict:  # by what this owner knows, which with two of them may be old
            return
        if result:
            assert None in self.possible
        self.found(number, result)

    @rule()
    def late_puts_land(self):
        self.runner.run(self.store.land())

    @rule(owner=OWNERS)
    def restart(self, owner):
        self.owners[owner] = self.owner()

    @rule()
    def look(self):
        """What a new owner reads, with nothing in its cache."""
        entry = self.runner.run(self.owner().reader.read(KEY, JSON))
        number = None if entry.value is None else entry.value["number"]
        assert number in self.possible


TestCommits = Commits.TestCase
TestCommits.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
