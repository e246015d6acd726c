"""An event loop in virtual time, in which simulated processes freeze and die between any two of their steps.

Which process a callback belongs to is in its context, so it holds for tasks, futures and timers alike.
"""

import asyncio
import heapq
from collections import deque
from contextlib import suppress
from contextvars import Context, ContextVar, copy_context
from weakref import WeakSet


class Process:
    """One simulated process. ``clock`` runs at its own speed, from its own origin, and never stops."""

    def __init__(self, loop, name, *, rate=1.0, origin=0.0):
        self.loop = loop
        self.name = name
        self.dead = False
        self.frozen = False
        self.backlog = []
        self.on_step = None
        self.on_death = []
        self._rate, self._origin = rate, origin
        self.context = copy_context()
        self.context.run(PROCESS.set, self)

    def __repr__(self):
        return f"<Process {self.name}{' dead' * self.dead}{' frozen' * self.frozen}>"

    def clock(self):
        return self._origin + self._rate * self.loop.now

    def spawn(self, coroutine):
        return self.loop.create_task(coroutine, context=self.context.copy())

    def freeze(self):
        self.frozen = True

    def thaw(self):
        self.frozen = False
        backlog, self.backlog = self.backlog, []
        if not self.dead:
            self.loop.ready.extend(backlog)

    def kill(self):
        if not self.dead:
            self.dead = True
            for callback in self.on_death:
                callback()


PROCESS: ContextVar[Process | None] = ContextVar("process", default=None)


class Handle:
    """What is to be called; enough of ``asyncio.TimerHandle`` for asyncio."""

    __slots__ = ("args", "at", "callback", "context")

    def __init__(self, callback, args, context, at=0.0):
        self.callback, self.args, self.at = callback, args, at
        self.context = context if context is not None else copy_context()

    def cancel(self):
        self.callback = None

    def cancelled(self):
        return self.callback is None

    def when(self):
        return self.at


class VirtualLoop(asyncio.AbstractEventLoop):
    """Runs what is ready, then jumps to the next timer."""

    def __init__(self):
        self.now = 0.0
        self.ready = deque()
        self.steps = 0
        self.faults = []
        self.closed = False
        self._timers = []
        self._serial = 0
        self._nowhere = Context()
        self._graveyard = []
        self._tasks = WeakSet()

    # -- what asyncio asks of a loop -------------------------------------------------------------------

    def time(self):
        return self.now

    def call_soon(self, callback, *args, context=None):
        handle = Handle(callback, args, context)
        if not self.closed:
            self.ready.append(handle)
        return handle

    def call_at(self, when, callback, *args, context=None):
        handle = Handle(callback, args, context, when)
        if not self.closed:
            self._serial += 1
            heapq.heappush(self._timers, (when, self._serial, handle))
        return handle

    def call_later(self, delay, callback, *args, context=None):
        return self.call_at(self.now + delay, callback, *args, context=context)

    def create_future(self):
        return asyncio.Future(loop=self)

    def create_task(self, coro, *, name=None, context=None, **_kwargs):
        task = asyncio.Task(coro, loop=self, name=name or "task", context=context)
        if self.closed:
            coro.close()
        self._tasks.add(task)
        return task

    def run_in_executor(self, _executor, func, *args):
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - the caller is told, as of any executor
            future.set_exception(error)
        return future

    def get_debug(self):
        return False

    def is_running(self):
        return True

    def is_closed(self):
        return self.closed

    def call_exception_handler(self, context):
        if not self.closed:
            self.faults.append(context)

    # -- simulation -----------------------------------------------------------------------------------

    def outside(self, delay, callback, *args):
        """Call in ``delay`` seconds, in no process: what the network and other machines do."""
        return self.call_at(self.now + delay, callback, *args, context=self._nowhere)

    def keep(self, thing):
        """Have something live to the end: a coroutine must not end because nobody refers to it."""
        self._graveyard.append(thing)

    def run(self, until):
        """Run until virtual time ``until``."""
        asyncio._set_running_loop(self)
        try:
            while True:
                while self.ready:
                    self._run_one(self.ready.popleft())
                if not self._timers or self._timers[0][0] > until:
                    self.now = until
                    return
                self.now, _, handle = heapq.heappop(self._timers)
                if handle.callback is not None:
                    self._run_one(handle)
        finally:
            asyncio._set_running_loop(None)

    def _run_one(self, handle):
        callback = handle.callback
        if callback is None:
            return
        process = handle.context.get(PROCESS)
        if process is not None:
            if process.dead:
                self._graveyard.append(handle)
                return
            if process.frozen:
                process.backlog.append(handle)
                return
        self.steps += 1
        handle.context.run(callback, *handle.args)
        if process is not None and process.on_step is not None:
            process.on_step()

    def close(self):
        """Nothing runs any more: coroutines end where they are, and what they do in ending has no effect."""
        self.closed = True
        asyncio._set_running_loop(self)
        try:
            for task in list(self._tasks):
                with suppress(RuntimeError):  # it awaits something while it ends
                    task.get_coro().close()
        finally:
            asyncio._set_running_loop(None)
        self.ready.clear()
        self._timers.clear()
