"""One flight for each key: whoever asks for what is under way waits for it instead of starting it again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class Flights(Generic[K]):
    """Work under way in one event loop. Who stops waiting does not end it for the others, nor for who comes next."""

    def __init__(self) -> None:
        self._tasks: dict[K, asyncio.Task[Any]] = {}

    async def join(self, key: K, work: Callable[[], Awaitable[Any]]) -> Any:
        """What the work comes to, or raises; started where none is under way for the key."""
        task = self._tasks.get(key)
        if task is None:
            task = self._tasks[key] = asyncio.ensure_future(_run(work))
            task.add_done_callback(lambda ended: self._over(key, ended))
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Ends what is under way."""
        for task in tuple(self._tasks.values()):
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def _over(self, key: K, task: asyncio.Task[Any]) -> None:
        del self._tasks[key]
        if not task.cancelled():
            # Taken note of also where nobody waits any more.
            task.exception()


async def _run(work: Callable[[], Awaitable[Any]]) -> Any:
    return await work()
