"""Query files, one Cypher statement each; `graphrec query NAME` runs them, graphrec.store.queries reads them."""
