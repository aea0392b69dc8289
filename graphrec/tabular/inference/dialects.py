"""Detects the dialect of a text file: separator, quotes, escapes, lines before the header, comments and header."""

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from io import StringIO

from graphrec.errors import DataError
from graphrec.tabular.file_format import make_unique
from graphrec.tabular.inference import lexicon, name_semantics
from graphrec.tabular.inference.column_profile import profile_column

_SEPARATORS = ("::", "||", "\t\t", "\t", "\x01", ";", "|", ",", "^", "~", " ")
#: Number of lines used to detect the separator.
_LINES = 1000
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+|\d+,\d+)([eE][+-]?\d+)?")
_ATOM = re.compile(r"[\w.+:@/-]+")
_COMMENTS = ("#", "%")
_NOTHING = frozenset({"", "null", "nan", "none", "na", "n/a", "-", "\\n", "?"})


@dataclass(frozen=True)
class Dialect:
    """The dialect of a text, its sampled rows and notes.

    header: column names that the file lacks, from a comment or made up; None if they are not needed.
    written: the header line; None without a header.
    basket: whether lines have different lengths: an id, then items.
    wrong: number of lines with another number of fields than the header.
    """

    separator: str = ","
    quote: str = ""
    escape: str = ""
    skip: int = 0
    comment: str = ""
    header: tuple[str, ...] | None = None
    written: tuple[str, ...] | None = None
    rows: tuple[tuple[str, ...], ...] = ()
    basket: bool = False
    wrong: int = 0
    notes: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        """The number of columns."""
        return len(self.rows[0]) if self.rows else len(self.header or ())


def detect_dialect(text: str, shown: str, num_rows: int, more: Sequence[str] = ()) -> Dialect:
    """The dialect of the text at the beginning of a file, with about `num_rows` of its rows.

    `more` are texts from later positions, each starting at the beginning of a line.

    Raises:
        DataError: the text has only blank lines.
    """
    lines = _normalise_line_endings(text).split("\n")  # splitlines would also split at U+2028 and form feeds
    comment = _comment(lines)
    body = [line for line in lines if line.strip() and not (comment and line.startswith(comment))]
    if not body:
        raise DataError(f"{shown} has only blank lines; copy or download it again")
    found = _separated(body[:_LINES])
    if found is None:
        return _one_column_or_basket(lines, body, comment, shown)
    separator, quote, escape, width, start = found
    skip = lines.index(body[start]) if start else 0
    notes = [f"{start} line{'s' * (start > 1)} before the table ({body[0][:40]!r})"] if start else []
    rest = "\n".join(line for line in lines[skip:] if not (comment and line.startswith(comment))) + "\n"
    records = list(_records(rest, separator, quote, escape, num_rows + 50))
    padded = 0
    while (
        len(records) > padded + 2
        and width > 2
        and is_title_row(records[padded], _next_non_empty(records[padded + 1 :]))
    ):
        padded += 1
    if padded:
        filled = [number for number, line in enumerate(lines) if number >= skip and line.strip()]
        skip = filled[padded]
        notes.append(f"{padded} line{'s' * (padded > 1)} before the table ({records[0][0][:40]!r})")
    records = records[padded:]
    first = list(records[0])
    header, names_missing = is_header_row(first, records[1:], width), False
    if header and len(first) == width - 1:
        names_missing = True
    wrong = sum(len(row) != width for row in records[1:])
    rows = [tuple(row) for row in (records[1:] if header else records) if len(row) == width]
    for part in map(_normalise_line_endings, more):
        rows += [tuple(row) for row in _records(part, separator, quote, escape, num_rows) if len(row) == width]
    made = Dialect(separator, quote, escape, skip, comment, None, None, tuple(rows), False, wrong, tuple(notes))
    if not header:
        return _with_comment_names(made, lines, comment, width, separator)
    if names_missing:  # the header lacks the name of the first column, or rows end with a separator
        empty_end = all(not row[-1] for row in rows)
        names = (*first, f"column_{width}") if empty_end else ("column_1", *first)
        what = "each row ends with a separator" if empty_end else "the first column has no name"
        note = f"the header has {width - 1} names and the rows have {width} fields: {what}"
        return replace(made, header=tuple(make_unique(names)), skip=made.skip + 1, notes=(*made.notes, note))
    return replace(made, written=tuple(first))


def _normalise_line_endings(text: str) -> str:
    """The text with line feeds as line endings."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _comment(lines: Sequence[str]) -> str:
    """The character that begins comment lines; "" if there are no comments."""
    for sign in _COMMENTS:
        those = [line.startswith(sign) for line in lines[:_LINES] if line.strip()]
        if any(those[:3]) and sum(those) * 2 < len(those) + 1:
            return sign
    return ""


def _with_comment_names(made: Dialect, lines: Sequence[str], comment: str, width: int, separator: str) -> Dialect:
    """The dialect with the column names of the last comment before the rows: `# FromNodeId ToNodeId`."""
    if not comment:
        return made
    above: list[str] = []
    for line in lines:
        if line.strip() and not line.startswith(comment):
            break
        above.append(line.lstrip(comment).strip())
    for line in reversed(above):
        parts = [part.strip() for part in re.split(re.escape(separator) if separator.strip() else r"\s+", line)]
        if len(parts) == width and all(part and not _NUMBER.fullmatch(part) for part in parts):
            return replace(made, header=tuple(make_unique(parts)), notes=(*made.notes, "a comment names the columns"))
    return made


def _separated(lines: Sequence[str]) -> tuple[str, str, str, int, int] | None:
    """Separator, quote, escape, number of fields and first line of the table; None for one column."""
    best: tuple[float, int, int] | None = None
    chosen = None
    for priority, separator in enumerate(_SEPARATORS):
        if not any(separator in line for line in lines) or not _may_separate(separator, lines):
            continue
        quote, escape = _quoting(lines, separator)
        widths, starts = [], []
        for row, number in _numbered(lines, separator, quote, escape):
            widths.append(len(row))
            starts.append(number)
        tail = widths[len(widths) // 2 :]
        width = max(Counter(tail).items(), key=lambda pair: (pair[1], pair[0]))[0]
        if width < 2:
            continue
        start = _first_row(widths, width)
        above = [line.split(separator) for line in lines[: starts[start]]]
        if any(len(row) > 1 and all(map(_NUMBER.fullmatch, row)) for row in above):
            continue  # rows of numbers are not a preamble
        rows = widths[start + (widths[start] < width) :]  # the header may have one name less
        share = sum(found == width for found in rows) / len(rows)
        if share < 0.75 or (share < 0.9 and len(set(widths)) > 4):
            continue
        score = (share - 0.4 * min(1.0, start / len(widths)), width, -priority)
        if best is None or score > best:
            best, chosen = score, (separator, quote, escape, width, starts[start])
    return chosen


def _may_separate(separator: str, lines: Sequence[str]) -> bool:
    """Whether a character that also occurs in text is a plausible separator of these lines."""
    if separator == "\t\t":
        return all("\t" not in line.replace("\t\t", "") for line in lines)
    if separator == "\t":
        return not all("\t" not in line.replace("\t\t", "") for line in lines)
    if separator == "||":
        return all("|" not in line.replace("||", "") for line in lines)
    if separator == "|":
        return not all("|" not in line.replace("||", "") for line in lines)
    if separator == " ":
        fields = [line.split() for line in lines]
        numeric = sum(_NUMBER.fullmatch(field) is not None for row in fields[1:] or fields for field in row)
        total = sum(len(row) for row in fields[1:] or fields)
        return numeric * 10 >= total * 6 and all(_ATOM.fullmatch(field) for row in fields for field in row)
    if separator in "^~":
        return all(separator in line for line in lines)
    return True


def _first_row(widths: Sequence[int], width: int) -> int:
    """The first line with `width` fields after which most lines have as many; a header may lack the first name."""
    furthest = 30 if len(widths) <= 60 else len(widths) // 4
    for start, found in enumerate(widths[: min(furthest, len(widths) - 2) + 1] if len(widths) > 2 else widths[:1]):
        if found == width or (
            found == width - 1 and found > 1 and start + 1 < len(widths) and widths[start + 1] == width
        ):
            after = widths[start + 1 :]
            if not after or sum(number == width for number in after) >= 0.7 * len(after):
                return start
    return 0


def _quoting(lines: Sequence[str], separator: str) -> tuple[str, str]:
    """The quote character and the escape of a quote inside quotes; "" for none."""
    edge = re.escape(separator)
    for quote in ('"', "'"):
        opened = sum(len(re.findall(rf"(?:^|{edge})\s*{quote}", line)) for line in lines)
        closed = sum(len(re.findall(rf"{quote}\s*(?:$|{edge})", line)) for line in lines)
        if not opened or not closed or (quote == "'" and min(opened, closed) * 2 < len(lines)):
            continue
        if len(separator) > 1:
            return ("", "")
        inside = sum(len(re.findall(rf"\\{quote}(?!\s*(?:$|{edge}))", line)) for line in lines)
        doubled = sum(len(re.findall(rf"(?<!{edge}){quote}{quote}(?!\s*(?:$|{edge}))", line)) for line in lines)
        return quote, "\\" if inside > doubled else ""
    inner = any('"' in line for line in lines)
    return ("" if inner or separator in ("\t", "\t\t", "::", "||", " ", "\x01") else '"'), ""


def _numbered(lines: Sequence[str], separator: str, quote: str, escape: str) -> Iterator[tuple[list[str], int]]:
    """The rows of lines, each with the number of its first line."""
    if not quote or len(separator) > 1:
        yield from ((line.split(separator), number) for number, line in enumerate(lines))
        return
    reader = _reader((f"{line}\n" for line in lines), separator, quote, escape)
    before = 0
    try:
        for row in reader:
            yield row, before
            before = reader.line_num
    except csv.Error:
        return


def _records(text: str, separator: str, quote: str, escape: str, limit: int) -> Iterator[list[str]]:
    """At most `limit` non-blank rows of a text; the last one may be truncated."""
    if not quote or len(separator) > 1:
        made: Iterator[list[str]] = (line.split(separator) for line in text.split("\n") if line.strip("\r\n"))
    else:
        made = (row for row in _reader(StringIO(text, newline=""), separator, quote, escape) if row)
    try:
        for number, row in enumerate(made):
            if number >= limit:
                return
            yield row
    except csv.Error:
        return


def _reader(lines: "Iterator[str] | StringIO", separator: str, quote: str, escape: str) -> "csv._reader":  # type: ignore[name-defined]  # exists in typeshed only
    options = {"delimiter": separator, "quotechar": quote, "doublequote": not escape}
    return csv.reader(lines, escapechar=escape or None, **options)  # type: ignore[arg-type]  # correct types


def _next_non_empty(records: Sequence[Sequence[str]]) -> Sequence[str]:
    """The first of the next rows that has a value."""
    return next((row for row in records[:5] if any(field.strip() for field in row)), records[0])


def is_title_row(row: Sequence[str], following: Sequence[str]) -> bool:
    """Whether a row is a spreadsheet title: only one field has a value, but the following row has several."""
    said = sum(bool(field.strip()) for field in row)
    return said <= 1 and sum(bool(field.strip()) for field in following) >= min(len(following), 3) > said


def is_header_row(first: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> bool:
    """Whether the first row is a header."""
    rows = [row for row in rows[:500] if len(row) == width]
    if len(first) != width:
        return True
    if not rows:
        return not any(_NUMBER.fullmatch(field.strip()) for field in first)
    named = against = 0
    for place, field in enumerate(first):
        values = [row[place].strip() for row in rows]
        known = [value for value in values if value.casefold() not in _NOTHING]
        own = field.strip()
        if not known:
            continue
        known = list(dict.fromkeys(known))[:40]
        numeric = sum(_is_number_or_time(value) for value in known) >= 0.85 * len(known)
        if numeric and own.casefold() not in _NOTHING:
            named += not _is_number_or_time(own)
            against += _is_number_or_time(own)
    if named and against:  # a wide table with numeric column names, or a nameless first column
        head = first[0].strip()
        others = [field.strip() for field in first[1:]]
        return not _NUMBER.fullmatch(head) and len(set(others)) == len(others) and width > 3
    if named or against:
        return named > 0
    return _names_by_words(first, rows)


def _names_by_words(first: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Whether a text row above text columns is a header."""
    known = sum(_is_column_word(field) for field in first)
    if known * 2 >= len(first):
        return True
    for place, field in enumerate(first):
        if field.strip() and any(row[place] == field for row in rows):
            return False
    everywhere = {value for row in rows for value in row}
    if known == 0 and any(field in everywhere for field in first):
        return False
    return all(len(field) <= 40 and not re.search(r"\d{3}|[@/]", field) for field in first)


def _is_column_word(name: str) -> bool:
    called = name_semantics.fold(name)
    return bool(
        name_semantics.interpret_name(name).entity
        or name_semantics.is_time(name)
        or name_semantics.is_rating(name)
        or name_semantics.infer_owner(name)
        or called
        in lexicon.EVENTS | lexicon.LINE_PRICES | lexicon.TITLES | set(lexicon.SOCIAL_RELATIONS) | lexicon.TAGS
        or called in ("id", "name", "from", "to", "source", "target", "value", "description")
    )


def _is_number_or_time(text: str) -> bool:
    if _NUMBER.fullmatch(text):
        return True
    return (
        bool(re.search(r"\d[-/.: ]\d|\d[-/ ][A-Za-z]{3}|[A-Za-z]{3} \d", text))
        and profile_column("", [text]).time_format is not None
    )


def _one_column_or_basket(lines: Sequence[str], body: Sequence[str], comment: str, shown: str) -> Dialect:
    """The dialect of lines with one field each, or with an id and any number of items."""
    sample = body[:_LINES]
    for separator in ("\t", ",", ";", "|", " "):
        rows = [[field for field in line.strip().split(separator) if field != ""] for line in sample]
        several = sum(len(row) > 2 for row in rows)
        if several * 3 < len(rows) or len({len(row) for row in rows}) < 2:
            continue
        if separator == " " and not all(_ATOM.fullmatch(field) for row in rows for field in row):
            continue
        heads = [row[0] for row in rows]
        items = Counter(field for row in rows for field in row[1:])
        everything = Counter(field for row in rows for field in row)
        if sum(everything.values()) == len(everything):
            continue  # nothing is repeated: these are sentences
        named = len(set(heads)) >= 0.8 * len(heads) and (
            sum(items.values()) > len(items) or all(_NUMBER.fullmatch(head) for head in heads)
        )
        led = named or _are_ids(heads, items)
        if not led:
            note = "no line begins with a user or order id: the line number is used as id"
            numbered = tuple((str(number), *row) for number, row in enumerate(rows, 1))
            return Dialect(separator, "", "", 0, comment, (), None, numbered, True, 0, (note,))
        header = name_semantics.interpret_name(heads[0]).entity in ("user", "context") and len(rows) > 1
        skipped = next(number for number, line in enumerate(lines) if line.strip()) + 1 if header else 0
        return Dialect(separator, "", "", skipped, comment, None, None, tuple(map(tuple, rows[header:])), True, 0, ())
    if max(len(line.split()) for line in sample) > 3 and len({len(line.split()) for line in sample}) > 2:
        raise DataError(f"{shown} is not a table: its lines have no common separator; check the file")
    header = is_header_row([sample[0]], [[line] for line in sample[1:]], 1)
    rows_of_one = tuple((line,) for line in sample[header:])
    return Dialect(",", '"', "", 0, comment, None, (sample[0],) if header else None, rows_of_one)


def _are_ids(heads: Sequence[str], items: Counter[str]) -> bool:
    """Whether lines begin with ids of one pattern, such as 14003 or c17, that no item has."""
    form = re.sub(r"\d+", "0", heads[0])
    alike = all(re.sub(r"\d+", "0", head) == form for head in heads)
    return alike and "0" in form and len(set(heads)) > 1 and all(re.sub(r"\d+", "0", item) != form for item in items)
