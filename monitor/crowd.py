"""Asks many devices or services side by side, with a bound. Answers are values, so nothing here ends the others."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import TypeVar

from siaga.errors import SiagaError

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


async def each(
    targets: Sequence[Asked],
    ask: Callable[[Asked], Awaitable[Answer]],
    *,
    concurrency: int,
    progress: Callable[[Answer], None] | None = None,
) -> list[Answer]:
    """Ask all targets, at most `concurrency` at a time; the answers come in the order of the targets.

    An error of siaga's own, as a broken platform file is, ends all of them and is raised as itself.
    """
    places = asyncio.Semaphore(concurrency)

    async def one(target: Asked) -> Answer:
        async with places:
            answer = await ask(target)
        if progress:
            progress(answer)
        return answer

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(target)) for target in targets]
    except* SiagaError as errors:
        raise next(_singly(errors)) from None
    return [task.result() for task in tasks]


def _singly(errors: BaseExceptionGroup[SiagaError]) -> Iterator[SiagaError]:
    for error in errors.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _singly(error)
        else:
            yield error
