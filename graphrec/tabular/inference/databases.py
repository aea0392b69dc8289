"""The tables of a database: their first rows, primary keys and foreign keys."""

from pathlib import Path

from graphrec.tabular.sniffing import Sniffed


def is_address(text: str) -> bool:
    """Whether an argument is the address of a database, such as sqlite:///shop.db."""
    return "://" in text


def tables(address: str, folder: Path) -> list[Sniffed]:
    raise NotImplementedError
