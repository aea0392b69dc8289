"""One torch thread for work that is too small for two."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def one_thread(when: bool = True) -> Iterator[None]:
    """Run a block with one torch thread, then give the others back; nothing changes where `when` is false.

    Threads meet at a barrier after each of thousands of small operations and wait by spinning. On an idle machine that
    saves little; beside another busy process an eigendecomposition took 27 s instead of 0.3 s.
    """
    before = torch.get_num_threads()
    if when:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
