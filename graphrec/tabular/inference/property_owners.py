"""Assigns each property column of a behaviour table to its owner: user, item or edge."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from graphrec.tabular.inference import id_columns, lexicon, name_semantics
from graphrec.tabular.inference.column_profile import ColumnProfile
from graphrec.tabular.inference.functional_dependencies import FunctionalDependency, is_significant, measure_dependency
from graphrec.tabular.inference.name_semantics import NameMeaning
from graphrec.tabular.inference.node_tables import find_group, report_group
from graphrec.tabular.inference.table_roles import AttributeNodes, ColumnFinding, TableRoles
from graphrec.tabular.sniffing import TableProfile

#: Minimum number of repeated rows of a dependency for a price to be the item's instead of the sale's.
_MIN_PRICE_REPEATS = 20


def assign_owners(table: TableProfile, meanings: Mapping[str, NameMeaning], made: TableRoles) -> TableRoles:
    """The roles with an owner for each remaining column, by its name and functional dependencies."""
    columns = table.columns
    user, item = (columns[column] for _, column in made.ends)
    of_user, of_item, rest = [], [], []
    groups: dict[str, AttributeNodes] = {}
    left_out, findings = dict(made.left_out), []
    summed = made.weight is not None
    for name in made.rest:
        column = table.columns[name]
        if name == made.rating or name in left_out:
            rest += [name] if name == made.rating else []
            continue
        an_id = meanings[name].part == "id" and id_columns.is_id(column) and not _is_price(name)
        bundles = an_id and meanings[name].entity == "context"
        numbers = an_id and meanings[name].entity in ("context", "other") and column.num_filled == table.rows
        named_id = name_semantics.fold(name) in ("id", "rowid", "index", "uuid")
        if (summed and bundles) or (numbers and column.unique and (table.rows > 3 or named_id)):
            left_out[name] = "it identifies rows" if column.unique else "rows of the same user and item are summed"
            continue
        if column.num_distinct <= 1 and table.rows >= 10 and name_semantics.infer_owner(name) not in ("user", "item"):
            left_out[name] = "it is the same in every row"
            continue
        owner, reason, confidence = _owner(name, column, user, item, summed)
        if (
            owner == "edge"
            and meanings[name].entity == "other"
            and measure_dependency(item, column).holds
            and _has_sibling(name, meanings, columns)
        ):
            owner, reason, confidence = "item", _describe(measure_dependency(item, column), item.name), 0.7
        if owner == "item" and (group := find_group(column, meanings[name], groups)):
            groups[name] = group
            findings.append(report_group(name, group))
        elif owner == "item":
            of_item.append(name)
            findings.append(ColumnFinding(name, "property of the item", reason, confidence))
        elif owner == "user":
            of_user.append(name)
            findings.append(ColumnFinding(name, "property of the user", reason, confidence))
        else:
            rest.append(name)
            findings.append(ColumnFinding(name, "property of the edge", reason, confidence))
    return replace(
        made, groups=groups, of_user=tuple(of_user), of_item=tuple(of_item), rest=tuple(rest), left_out=left_out,
        findings=(*made.findings, *findings),
    )  # fmt: skip


def _owner(
    name: str, column: ColumnProfile, user: ColumnProfile, item: ColumnProfile, summed: bool
) -> tuple[str, str, float]:
    """The owner of a column ("user", "item" or "edge"), with reason and confidence."""
    prior = name_semantics.infer_owner(name)
    by_user, by_item = measure_dependency(user, column), measure_dependency(item, column)
    price = _is_price(name)
    if prior == "edge" or name in ("event",):
        return "edge", "by its name", 0.9
    if price and (summed or by_item.fails) and not (by_item.holds and by_item.repeated >= _MIN_PRICE_REPEATS):
        return "edge", "a price of the sale", 0.7
    if prior == "user" and not by_user.fails:
        return "user", _describe(by_user, user.name) or "by its name", _rate(by_user)
    if prior in ("item", "user") and not by_item.fails and (prior == "item" or by_item.holds):
        return "item", _describe(by_item, item.name) or "by its name", _rate(by_item)
    if column.num_distinct > 1 and not prior:
        user_says = not column.unique and is_significant(user, column, by_user)
        item_says = not column.unique and is_significant(item, column, by_item)
        if item_says and (not user_says or by_item.repeated >= by_user.repeated):
            return "item", _describe(by_item, item.name), 0.8 if not user_says else 0.5
        if user_says:
            return "user", _describe(by_user, user.name), 0.8 if not item_says else 0.5
    return "edge", "depends on neither" if column.num_distinct > 1 else "", 0.7


def _has_sibling(name: str, meanings: Mapping[str, NameMeaning], columns: Iterable[str]) -> bool:
    """Whether another column with the same word belongs to the item by its name: brewery_name and brewery_id."""
    word = meanings[name].word
    return any(
        other != name and name_semantics.tokenize(other)[:1] == [word] and name_semantics.infer_owner(other) == "item"
        for other in columns
    )


def _is_price(name: str) -> bool:
    return (
        bool(set(name_semantics.tokenize(name)) & lexicon.LINE_PRICES)
        or name_semantics.fold(name) in lexicon.LINE_PRICES
    )


def _rate(found: FunctionalDependency) -> float:
    """The confidence of evidence by name, increased by a dependency."""
    return 0.7 + (0.28 * (1 - found.chance) if found.holds else 0)


def _describe(found: FunctionalDependency, key: str) -> str:
    if not found.holds:
        return ""
    exact = "" if not found.violations else f", {found.violations:,} violations"
    rows = "repeated row" if found.repeated == 1 else "repeated rows"
    return f"depends on {key} ({found.repeated:,} {rows}{exact})"
