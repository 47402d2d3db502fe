"""Asks many devices side by side, with a bound. What each answers is a value, so nothing here ends the others."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from monitor.targets import Target

Answer = TypeVar("Answer")


async def each(
    targets: Sequence[Target],
    ask: Callable[[Target], Awaitable[Answer]],
    *,
    concurrency: int,
    progress: Callable[[Answer], None] | None = None,
) -> list[Answer]:
    """Ask all targets, at most `concurrency` at a time; the answers come in the order of the targets."""
    places = asyncio.Semaphore(concurrency)

    async def one(target: Target) -> Answer:
        async with places:
            answer = await ask(target)
        if progress:
            progress(answer)
        return answer

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(target)) for target in targets]
    return [task.result() for task in tasks]
