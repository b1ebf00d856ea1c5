"""What stands between the extension's threads and the caller's event loop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._infraflow import _Job


async def finish(job: _Job) -> Any:
    """Runs a job of the extension, and ends only when it has ended: cancelling this coroutine asks the job to
    end, and waits until what it made is cleaned up. Cancelling it a second time stops the waiting."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Any] = loop.create_future()

    def settle(value: Any, error: BaseException | None) -> None:
        if future.done():
            return
        if error is None:
            future.set_result(value)
        else:
            future.set_exception(error)

    job.start(lambda value, error: loop.call_soon_threadsafe(settle, value, error))
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        job.cancel()
        if job.cleans_up:
            await asyncio.wait([future])
        if future.done() and not future.cancelled():
            future.exception()  # whoever cancelled does not want to hear of it
        raise


def answer_of(answer: Any, caller: asyncio.AbstractEventLoop | None) -> Any:
    """What a method of a trait that is written in Python answers. Called in a thread of the extension: a
    coroutine runs on the loop of whoever awaits the call, or, where nobody does, on a loop of its own."""
    if not asyncio.iscoroutine(answer):
        return answer
    if caller is None:
        return asyncio.run(answer)
    return asyncio.run_coroutine_threadsafe(answer, caller).result()
