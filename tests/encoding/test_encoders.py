"""Vectors of texts: what is near, what is 0, and that nothing is downloaded."""

import socket
from pathlib import Path

import numpy as np
import pytest

from graphrec.encoding import EncoderConfig, open_encoder
from graphrec.encoding.tfidf import TfidfEncoder
from graphrec.errors import DataError, GraphrecError, UnknownNameError
from tests.llm_server import Server

TEXTS = ["red apple", "green apple pie", "space war", "war in space", "love", "love story"]


def fit(dim: int = 4) -> TfidfEncoder:
    return TfidfEncoder.fit(TEXTS, dim, np.random.default_rng(0))


def test_tfidf_with_all_dimensions_keeps_the_cosine_of_its_weights() -> None:
    vectors = fit(dim=64).embed([*TEXTS, "apple unknown", " ", "nothing known"])
    assert np.allclose(np.linalg.norm(vectors[:7], axis=1), 1)
    rare, common = (np.log(7 / (1 + count)) + 1 for count in (1, 2))
    expected = rare * 0 + common**2 / (np.hypot(rare, common) * np.sqrt(2 * rare**2 + common**2))
    assert vectors[0] @ vectors[1] == pytest.approx(expected, abs=1e-6)
    assert vectors[0] @ vectors[2] == pytest.approx(0, abs=1e-6)
    assert not vectors[7:].any()  # blank, or without a known word


def test_tfidf_is_saved_and_named_by_its_content(tmp_path: Path) -> None:
    encoder = fit()
    encoder.save(tmp_path / "tfidf.npz")
    restored = TfidfEncoder.load(tmp_path / "tfidf.npz")
    assert restored.name == encoder.name == fit().name != fit(dim=3).name
    assert np.array_equal(restored.embed(TEXTS), encoder.embed(TEXTS))
    (tmp_path / "damaged.npz").write_bytes((tmp_path / "tfidf.npz").read_bytes()[:500])
    with pytest.raises(DataError, match="embed again"):
        TfidfEncoder.load(tmp_path / "damaged.npz")
    with pytest.raises(DataError, match="no words"):
        TfidfEncoder.fit(["", "?!"], 4, np.random.default_rng(0))


def test_wordllama_knows_synonyms_without_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("wordllama")

    def refuse(*_: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    car, automobile, fish, blank = open_encoder(EncoderConfig("wordllama")).embed(
        ["a fast car", "a quick automobile", "fried fish", " "]
    )
    assert car @ automobile > 0.4 > car @ fish
    assert car @ car == pytest.approx(1, abs=1e-5)
    assert not blank.any()


def test_an_endpoint_gives_vectors_in_requests_of_limited_size(llm_server: Server) -> None:
    encoder = open_encoder(EncoderConfig("endpoint", llm_server.url, "good"), "key")
    before = len(llm_server.log())
    vectors = encoder.embed([f"text {k}" for k in range(200)] + [""])
    assert vectors.shape == (201, 16)
    assert [len(entry["body"]["input"]) for entry in llm_server.log()[before:]] == [128, 72]
    assert not vectors[200].any()


def test_a_record_has_no_key_and_names_its_file(tmp_path: Path) -> None:
    config = EncoderConfig("endpoint", "http://localhost/v1", "m", tmp_path / "x.npz")
    config.save(tmp_path / "record.json")
    assert EncoderConfig.load(tmp_path / "record.json") == config
    (tmp_path / "record.json").write_text("[1]")
    with pytest.raises(DataError, match="graphrec embed"):
        EncoderConfig.load(tmp_path / "record.json")


def test_unknown_and_missing_encoders_say_what_to_do() -> None:
    with pytest.raises(UnknownNameError, match="wordllama"):
        open_encoder(EncoderConfig("wordlama"))
    with pytest.raises(GraphrecError, match=r"pip install 'graphrec\[sentences\]'|cannot load"):
        open_encoder(EncoderConfig("sentence-transformers:/no/such/folder"))
