"""Finds the title column of an item table; lists and explanations show the property `title`."""

from collections.abc import Sequence

from graphrec.tabular.inference import name_semantics
from graphrec.tabular.inference.column_profile import ColumnProfile

#: Words of title columns, the most reliable first; descriptions only if they are short and nothing else fits.
_TITLES = (
    ("title", "titel", "titre", "titulo", "titolo"),
    ("name", "names", "nom", "nombre", "nome", "naam", "bezeichnung", "produktname", "artikelname"),
    ("description", "desc", "designation", "libelle", "descripcion", "descrizione", "beschreibung", "omschrijving"),
)
#: Minimum number of distinct titles per item; brand names have fewer.
_MIN_DISTINCT_SHARE = 0.5
#: Maximum median length of descriptions used as titles.
_MAX_LENGTH = 80


def find_title_column(columns: Sequence[ColumnProfile], num_items: int) -> str | None:
    """The column with the titles of items, if it is not named `title` already; None if there is no such column."""
    if any(column.name == "title" for column in columns):
        return None
    for level, known in enumerate(_TITLES):
        for column in columns:
            named = name_semantics.tokenize(column.name)
            if not named or not {named[-1], name_semantics.fold(column.name)}.intersection(known):
                continue
            if any(name_semantics.classify_word(word, True) != "item" for word in named[:-1]):
                continue  # the name of a seller or a brand
            if (
                column.kind != "str"
                or column.time_format is not None
                or column.num_distinct < _MIN_DISTINCT_SHARE * num_items
            ):
                continue
            if level == 2 and column.values.dropna().str.len().median() > _MAX_LENGTH:
                continue
            return column.name
    return None
