"""Work on some items at a time, in threads, with results in the order of the items.

for result in side_by_side(function, items, 2):
    ...

It pays where most of the work is done by a library, which lets go of Python meanwhile.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
ItemResult = TypeVar("ItemResult")


def side_by_side(function: Callable[[Item], ItemResult], items: Iterable[Item], workers: int) -> Iterator[ItemResult]:
    """function(item) for each. Few items are taken ahead, for there may be more than fit into memory.

    Where one fails its exception comes in its turn, and whoever leaves early waits for what has begun and no more.
    """
    waiting: deque[Future[ItemResult]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) > workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
