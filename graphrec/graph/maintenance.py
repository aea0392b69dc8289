"""Methods of `Graph` that start, stop and examine the database."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import pandas as pd

from graphrec import config
from graphrec.config import StoreStatus
from graphrec.errors import StoreError
from graphrec.graph.connection import Connection
from graphrec.progress import StageProgress, silent

if TYPE_CHECKING:
    from graphrec.doctor import Finding


class MaintenanceMethods(Connection):
    """The database server, and checks of everything that graphrec needs; all but `store` also work after `close`."""

    def doctor(self, progress: StageProgress = silent) -> pd.DataFrame:
        """The findings of `examine` as a table: area, name, state (`ok`, `warning`, `failed`), seen and remedy."""
        rows = [
            {"area": area, **asdict(finding)}
            for area, findings in self.examine(progress).items()
            for finding in findings
        ]
        return pd.DataFrame(rows, columns=["area", "name", "state", "seen", "remedy"])

    def examine(self, progress: StageProgress = silent) -> "Mapping[str, Sequence[Finding]]":
        """Findings about versions, store, permissions, disk, memory and data, by area; nothing is changed.

        It opens a separate connection.
        """
        from graphrec import doctor

        return doctor.examine(self.settings, self._note, progress)

    def start_store(self, port: int | None = None) -> StoreStatus:
        """Start the embedded store, if it does not run; `port` is its Bolt port on loopback, by default a free one.

        Raises StoreError if NEO4J_URI names another database.
        """
        if self.settings.neo4j_uri is not None:
            raise StoreError(
                f"NEO4J_URI is set to {self.settings.neo4j_uri}, so that database is used; start it with its own "
                "tools, or unset NEO4J_URI for the embedded store"
            )
        self.settings.embedded.start(port)
        return self.store_status()

    def stop_store(self) -> bool:
        """Stop the embedded store cleanly; False if it did not run."""
        return self.settings.embedded.stop()

    def store_status(self) -> StoreStatus:
        """Whether the database runs, its address, and its version. Raises StoreError if the login is refused."""
        return config.store_status(self.settings)
