"""Which column says what items are called: lists and explanations show the property `title`."""

from collections.abc import Sequence

from graphrec.tabular.inference import name_semantics
from graphrec.tabular.inference.column_profile import ColumnProfile

#: Words of a title, the surest first. A description is one only if nothing else is, and if it is short.
_TITLES = (
    ("title", "titel", "titre", "titulo", "titolo"),
    ("name", "names", "nom", "nombre", "nome", "naam", "bezeichnung", "produktname", "artikelname"),
    ("description", "desc", "designation", "libelle", "descripcion", "descrizione", "beschreibung", "omschrijving"),
)
#: A column of titles has at least this many different values for each item; a brand's name has fewer.
_DISTINCT = 0.5
#: A description whose usual length is above this is a text, and no title.
_LONGEST = 80


def find_title_column(columns: Sequence[ColumnProfile], num_items: int) -> str | None:
    """The column that has the titles of items, if it is not called `title` already; None if no column has them."""
    if any(column.name == "title" for column in columns):
        return None
    for level, known in enumerate(_TITLES):
        for column in columns:
            named = name_semantics.tokenize(column.name)
            if not named or not {named[-1], name_semantics.fold(column.name)}.intersection(known):
                continue
            if any(name_semantics.classify_word(word, True) != "item" for word in named[:-1]):
                continue  # the name of a seller or a brand
            if column.kind != "str" or column.time_format is not None or column.num_distinct < _DISTINCT * num_items:
                continue
            if level == 2 and column.values.dropna().str.len().median() > _LONGEST:
                continue
            return column.name
    return None
