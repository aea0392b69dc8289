"""Cycles of operation until the process is ended."""

import logging
import threading
from collections.abc import Callable

from graphrec.config import Settings
from graphrec.errors import GraphrecError
from graphrec.operation.cycle import CycleResult, check_policy, run_cycle
from graphrec.operation.policy import OperationPolicy
from graphrec.progress import StageProgress, silent
from graphrec.store import Store
from graphrec.streams.signals import end_on_signals

logger = logging.getLogger(__name__)


def run_cycles(
    open_store: Callable[[], Store],
    settings: Settings,
    policy: OperationPolicy,
    report: Callable[[CycleResult], None],
    note: Callable[[str], None] = lambda _: None,
    progress: StageProgress = silent,
) -> None:
    """Run a cycle every `policy.every` seconds until SIGTERM or SIGINT; a running cycle is finished first.

    A cycle that fails is reported to `note`, and the next one tries again with new connections. While another process
    leads, this one waits: it leads as soon as the other one ends or is not heard of.

    Raises UnknownNameError or DataError at once if the policy names an unknown model or rules that cannot be read.
    """
    check_policy(policy)
    ended, leader = threading.Event(), ""
    with end_on_signals(ended):
        while not ended.is_set():
            try:
                with open_store() as store:
                    result = run_cycle(store, settings, policy, note, progress)
                if result.leader != leader and result.leader:
                    note(f"this process waits while another one leads: {result.leader}")
                leader = result.leader
                report(result)
            except GraphrecError as error:
                note(f"the cycle failed, and the next one begins in {policy.every:,} s: {error}")
                logger.debug("the cycle failed", exc_info=True)
            ended.wait(policy.every)
