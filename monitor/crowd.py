"""Asks many devices or services side by side, with a bound. Answers are values, so nothing here ends the others."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


async def each(
    targets: Sequence[Asked],
    ask: Callable[[Asked], Awaitable[Answer]],
    *,
    concurrency: int,
    progress: Callable[[Answer], None] | None = None,
) -> list[Answer]:
    """Ask all targets, at most `concurrency` at a time; the answers come in the order of the targets."""
    places = asyncio.Semaphore(concurrency)

    async def one(target: Asked) -> Answer:
        async with places:
            answer = await ask(target)
        if progress:
            progress(answer)
        return answer

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(target)) for target in targets]
    return [task.result() for task in tasks]
