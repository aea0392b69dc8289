"""Keeps a Snapshot of the graph up to date in the background, so that no request waits for a model or a scan."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphrec.behaviours import BEHAVIOURS
from graphrec.errors import DataError, GraphrecError, StoreError, UnknownNameError
from graphrec.schema import ITEM
from graphrec.serving.fallbacks import Fallbacks
from graphrec.serving.graph_state import GraphState, read_graph_state
from graphrec.serving.snapshot import Snapshot
from graphrec.store import Store, counts
from graphrec.store.active_run import ActiveRun

if TYPE_CHECKING:
    from graphrec.serving.fold_in import FoldIn
    from graphrec.serving.new_items import NewItems

logger = logging.getLogger(__name__)

#: Interval in seconds at which the state of the graph is read.
POLL_INTERVAL = 0.2

#: Interval in seconds at which trending and popular items are read.
REFRESH_INTERVAL = 60.0

#: The note of answers while the first model is loaded.
LOADING = "the model is being loaded, so the list is as published"

_TITLES = f"MATCH (item:{ITEM}) RETURN item.id AS id, item.title AS title"


class LiveRecommender:
    """The current Snapshot, made by a background thread that watches the graph.

    `open_store` opens the database that is configured, if it runs; it is called again when the database does not
    answer, because the embedded server may come back at another address. The first snapshot has no model, so that
    published lists are answered while the model loads. After a publication the old snapshot answers until the model of
    the new run is loaded; its lists are kept in the graph by `publish` meanwhile.
    """

    def __init__(self, open_store: Callable[[], Store], runs_folder: Path) -> None:
        self._open_store, self._runs_folder = open_store, runs_folder
        self._store: Store | None = None
        self._snapshot: Snapshot | None = None
        self._models: dict[str, tuple[FoldIn, NewItems]] = {}  # by id of the trained run
        self._titles: dict[str, Any] = {}
        self._reported = ""
        self._error: StoreError | None = None
        self._ended, self._lock = threading.Event(), threading.RLock()
        self._thread = threading.Thread(target=self._watch, name="graph-state", daemon=True)

    def start(self) -> None:
        """Open the database and start to watch it. Raises StoreError if it does not answer."""
        self._store = self._open_store()
        self._thread.start()

    def close(self) -> None:
        """Stop watching, and close the database."""
        self._ended.set()
        if self._thread.ident is not None:
            self._thread.join(5)
        if self._store is not None:
            self._store.close()

    @property
    def store(self) -> Store:
        """The database. Raises StoreError if it does not answer at the moment."""
        if self._error is not None:
            raise self._error
        assert self._store is not None  # `start` was called
        return self._store

    @property
    def snapshot(self) -> Snapshot | None:
        """The current snapshot; None until the graph was read for the first time."""
        return self._snapshot

    @property
    def is_available(self) -> bool:
        """Whether the database answered a moment ago."""
        return self._error is None

    @property
    def is_ready(self) -> bool:
        """Whether the graph was read, and the model of the active run is loaded or known to be missing."""
        snapshot = self._snapshot
        return snapshot is not None and snapshot.model_note != LOADING

    @property
    def problem(self) -> str:
        """The reason why there is no snapshot, such as a graph without behaviour; "" if it is not read yet."""
        return "" if self._snapshot is not None else self._reported

    def refresh(self) -> None:
        """Read the graph now and make a new snapshot if it has changed. Raises as the database and `runs.load`."""
        with self._lock:
            store = self.store
            state = read_graph_state(store)
            current = self._snapshot
            if current is None:
                self._titles = _read_titles(store)
                self._snapshot = current = self._build(store, state, LOADING)
            if state != current.state or current.model_note == LOADING:
                if state.loaded_at != current.state.loaded_at or state.num_items != current.state.num_items:
                    self._titles = _read_titles(store)
                used = [state.run, None if state.experiment is None else state.experiment.other]
                notes = [self._load_model(store, run) for run in used]
                kept = {run.trained for run in used if run is not None}
                self._models = {trained: loaded for trained, loaded in self._models.items() if trained in kept}
                for _, new_items in self._models.values():
                    new_items.refresh(store)
                self._snapshot = self._build(store, state, *notes)
                if current.model_note == LOADING:
                    self._snapshot.fallbacks.refresh()

    def _build(self, store: Store, state: GraphState, note: str, note_of_other: str = LOADING) -> Snapshot:
        relation = state.run.relation if state.run is not None else _find_target(store)
        current = self._snapshot
        if current is not None and current.relation == relation and current.fallbacks.store is store:
            fallbacks = current.fallbacks
        else:
            fallbacks = Fallbacks(store, relation, float("inf"))
            if current is not None:  # the first snapshot must be there soon
                fallbacks.refresh()
        other = None
        if state.experiment is not None:
            run = state.experiment.other
            alone = replace(state, run=run, experiment=None)
            parts = (run.relation, self._find_model(run), note_of_other)
            other = Snapshot(alone, *parts, fallbacks, self._titles)
        return Snapshot(state, relation, self._find_model(state.run), note, fallbacks, self._titles, other)

    def _find_model(self, run: ActiveRun | None) -> "FoldIn | None":
        """The loaded model of a run."""
        loaded = None if run is None else self._models.get(run.trained)
        return None if loaded is None else loaded[0]

    def _load_model(self, store: Store, run: ActiveRun | None) -> str:
        """Load the model of a run unless it is loaded; return the reason if there is no model."""
        if run is None or run.trained in self._models:
            return ""
        from graphrec import runs  # imports torch, which takes seconds
        from graphrec.serving.fold_in import FoldIn
        from graphrec.serving.new_items import NewItems

        started = time.monotonic()
        try:
            trained = runs.load(self._runs_folder, run.trained)
        except UnknownNameError:
            return f"the model of run {run.trained} is not on this machine, so the graph answers without it"
        except GraphrecError as error:
            logger.warning("%s", error)  # it has the path of a folder, which is for the operator
            return f"the model of run {run.trained} cannot be read, see the server's log; the graph answers without it"
        new_items = NewItems(store, trained)
        fold_in = FoldIn(store, trained, lambda _: self._titles, lambda: new_items.items)
        self._models[run.trained] = (fold_in, new_items)
        logger.info("loaded the model of run %s in %.1f s", run.trained, time.monotonic() - started)
        return ""

    def _watch(self) -> None:
        """Read the graph at intervals until `close`."""
        refreshed_at = time.monotonic()
        while not self._ended.is_set():
            try:
                if self._error is not None:
                    self._reopen()
                self.refresh()
                if time.monotonic() - refreshed_at > REFRESH_INTERVAL and self._snapshot is not None:
                    refreshed_at = time.monotonic()
                    self._snapshot.fallbacks.refresh()
            except StoreError as error:
                if self._error is None:
                    logger.warning("the database does not answer: %s", error)
                self._error = error
            except GraphrecError as error:
                if str(error) != self._reported:
                    self._reported = str(error)
                    logger.warning("the graph cannot be served: %s", error)
            except Exception:
                logger.exception("the graph could not be read")
            self._ended.wait(POLL_INTERVAL)

    def _reopen(self) -> None:
        """Open the database again; the old connections are closed after the requests that use them have failed."""
        opened = self._open_store()
        with self._lock:
            old, self._store, self._error = self._store, opened, None
            self._snapshot = None if self._snapshot is None else self._rebase(self._snapshot, opened)
        logger.warning("the database answers again")
        if old is not None:
            old.close()

    def _rebase(self, snapshot: Snapshot, store: Store) -> Snapshot:
        """The same snapshot with fallback strategies on another connection."""
        fallbacks = Fallbacks(store, snapshot.relation, float("inf"))
        fallbacks.refresh()
        other = None if snapshot.other is None else replace(snapshot.other, fallbacks=fallbacks)
        return replace(snapshot, fallbacks=fallbacks, other=other)


def _read_titles(store: Store) -> dict[str, Any]:
    """The title (or None) of every item, by id."""
    return {str(row["id"]): row["title"] for row in store.stream(_TITLES) if row["id"] is not None}


def _find_target(store: Store) -> str:
    """The strongest behaviour of a graph without a published run. Raises DataError if it has no behaviour."""
    known = counts.known_relations(store)
    for name in BEHAVIOURS:
        if name in known and counts.has_relation(store, [name]):
            return name
    raise DataError(
        "the graph has no behaviour of users, so there is nothing to recommend from; `graphrec sniff FILES…` describes "
        "files that have some"
    )
