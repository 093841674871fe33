"""Work in threads, results in order, memory bounded."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def ordered(
    function: Callable[[Item], Result], items: Iterable[Item], *, threads: int, ahead: int
) -> Generator[Result]:
    """Yield function(item) for every item, in the items' order, computed by threads.

    Closing or dropping the iterator waits for running calls and ends the threads; an exception of `function` is
    raised at its item's turn and does the same.

    Args:
        function: Called in a thread.
        items: Any number of items.
        threads: Number of threads.
        ahead: Largest number of results computed or waiting beyond the one handed out.
    """
    waiting = iter(items)
    with ThreadPoolExecutor(max_workers=threads, thread_name_prefix="datasets") as executor:
        pending: deque[Future[Result]] = deque()
        try:
            pending.extend(executor.submit(function, item) for item in islice(waiting, max(1, ahead)))
            while pending:
                result = pending.popleft().result()
                pending.extend(executor.submit(function, item) for item in islice(waiting, 1))
                yield result
        finally:
            executor.shutdown(wait=True, cancel_futures=True)
