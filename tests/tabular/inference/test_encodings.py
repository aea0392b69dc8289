"""The encoding of a text, detected from its first bytes."""

import pytest

from graphrec.tabular.inference.encodings import detect_encoding


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ("Zoë\n".encode(), "utf-8"),
        ("Zoë\n".encode("cp1252"), "cp1252"),
        ("Zoë\n".encode("utf-16"), "utf-16"),
        ("user\titem\n".encode("utf-16-le"), "utf-16-le"),
        ("Иван купил чай\n".encode("cp1251"), "cp1251"),
        ("用户,商品\n张三,茶叶\n".encode("gb18030"), "gb18030"),
        ("お茶を買いました\n".encode("shift_jis"), "shift_jis"),
    ],
)
def test_encodings(content: bytes, name: str) -> None:
    assert detect_encoding(content)[0] == name
