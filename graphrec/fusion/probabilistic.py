"""Probabilistic record linkage by several fields that may differ slightly, such as name, birth date and city.

splink computes the model of Fellegi and Sunter (1969): its parameters are the probabilities that a field agrees if two
records are the same person (m) and if they are not (u). If there are enough records, they are estimated from these.
"""

import importlib
import logging
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from graphrec.errors import GraphrecError
from graphrec.fusion.candidate_pairs import SIDES, MatchedPairs, concat_pairs
from graphrec.fusion.normalisation import get_text, is_identifier, normalise_values, normalise_words
from graphrec.fusion.records import KEY
from graphrec.schema import LinkRule

#: Minimum probability of a listed pair.
MIN_PROBABILITY = 0.7
#: Minimum ratio of the odds of a clear pair to the odds of any other pair of its records.
_CLEAR_ODDS_RATIO = 10.0
#: Minimum records of each source for which parameters are estimated; for fewer records they are set.
_MIN_RECORDS = 200
#: Sample size for the estimation of u.
_SAMPLED_PAIRS = 2_000_000
#: Maximum pairs of one blocking rule; if more pairs agree in one field, two or three fields must agree.
_MAX_PAIRS = 5_000_000
_SEED = 1
#: Initial m: the probabilities that a field is equal, similar and different in two records of one person.
_INITIAL_M = [0.85, 0.10, 0.05]


def match_fields(rule: LinkRule, left: pd.DataFrame, right: pd.DataFrame) -> MatchedPairs:
    """The pairs that are probably one person by the fields of a rule, with the probability as confidence.

    Records need a value in at least two fields (one if the rule has one field), and pairs must agree in at least one.
    A pair is clear if its odds are ten times those of any other pair of its records; else it is ambiguous.

    Raises:
        GraphrecError: splink is not installed.
    """
    if not set(rule.on) <= set(left.columns) & set(right.columns):
        return MatchedPairs(concat_pairs([]), concat_pairs([]))
    sides = _normalise_fields(rule, left), _normalise_fields(rule, right)
    if any(side.empty for side in sides):
        return MatchedPairs(concat_pairs([]), concat_pairs([]))
    predicted = _LinkageModel(rule.on, *sides).predict()
    pairs = _add_evidence(rule, predicted, left, right)
    if not rule.one_to_one:
        return MatchedPairs(pairs, pairs.head(0))
    return _split_by_odds(pairs)


def _normalise_fields(rule: LinkRule, records: pd.DataFrame) -> pd.DataFrame:
    """Columns unique_id and the normalised field0, field1, …; records with too few values are dropped."""
    columns: dict[str, pd.Series[str]] = {"unique_id": records[KEY].astype("str")}
    for index, name in enumerate(rule.on):
        text = get_text(records, name)
        assert text is not None  # match_fields checks the columns
        columns[f"field{index}"] = (
            normalise_values(name, text)
            if is_identifier(name)
            else text.map(normalise_words, na_action="ignore").astype("str")
        )
    frame = pd.DataFrame(columns)
    num_values = frame.drop(columns="unique_id").notna().sum(axis=1)
    return frame[num_values >= min(2, len(rule.on))].reset_index(drop=True)


@dataclass(frozen=True)
class _LinkageModel:
    """The Fellegi-Sunter model of the pairs of two sources, computed by splink.

    Attributes:
        names: the properties that are the fields.
        left, right: the frames that `_normalise_fields` returns.
    """

    names: tuple[str, ...]
    left: pd.DataFrame
    right: pd.DataFrame

    @property
    def columns(self) -> list[str]:
        return [f"field{index}" for index in range(len(self.names))]

    def predict(self) -> pd.DataFrame:
        """The pairs from MIN_PROBABILITY on: columns left_key, right_key, confidence and match weights mw_field0, …."""
        blocks = self._choose_blocks()
        if not blocks:
            return pd.DataFrame(columns=[*SIDES, "confidence", *(f"mw_{column}" for column in self.columns)])
        splink = _import_splink()
        with duckdb.connect(config={"threads": 1}) as connection:  # one thread sums in a fixed order
            connection.execute("SET enable_progress_bar = false")
            database = splink.DuckDBAPI(connection)
            tables = [
                database.register(side, dataset_display_name=name)
                for side, name in ((self.left, "ours"), (self.right, "theirs"))
            ]
            settings = self._build_settings(splink, blocks)
            linker = splink.Linker(tables, settings, log_level=None)
            if min(len(self.left), len(self.right)) >= _MIN_RECORDS:
                self._estimate_parameters(splink, linker)
            scored = linker.inference.predict(threshold_match_probability=MIN_PROBABILITY).as_pandas_dataframe()
        return self._select_columns(scored)

    def _select_columns(self, scored: pd.DataFrame) -> pd.DataFrame:
        """The pairs as splink returns them with the columns of `predict`, the left source on the left."""
        swapped = (scored["source_dataset_l"] == "theirs").to_numpy()
        ends = scored["unique_id_l"].to_numpy(), scored["unique_id_r"].to_numpy()
        pairs = pd.DataFrame({"left_key": np.where(swapped, ends[1], ends[0])})
        pairs["right_key"] = np.where(swapped, ends[0], ends[1])
        pairs["confidence"] = scored["match_probability"].round(4).clip(upper=0.9999).to_numpy()
        for column in self.columns:
            pairs[f"mw_{column}"] = scored[f"mw_{column}"].to_numpy()
        return pairs.sort_values(SIDES, ignore_index=True)

    def _choose_blocks(self) -> list[tuple[str, ...]]:
        """The blocking rules: sets of fields in which compared pairs agree, each with at most _MAX_PAIRS pairs."""
        blocks: list[tuple[str, ...]] = []
        for size in (1, 2, 3):
            for chosen in combinations(self.columns, size):
                covered = any(set(block) <= set(chosen) for block in blocks)
                if not covered and 0 < self._count_pairs(list(chosen)) <= _MAX_PAIRS:
                    blocks.append(chosen)
        return blocks

    def _count_pairs(self, columns: list[str]) -> int:
        """The number of pairs that agree in the columns."""
        counts = [side[columns].dropna().value_counts() for side in (self.left, self.right)]
        return int(counts[0].mul(counts[1], fill_value=0).sum())

    def _build_settings(self, splink: Any, blocks: list[tuple[str, ...]]) -> Any:  # splink, imported late, has no types
        return splink.SettingsCreator(
            link_type="link_only",
            comparisons=[self._build_comparison(column) for column in self.columns],
            blocking_rules_to_generate_predictions=[splink.block_on(*block) for block in blocks],
            probability_two_random_records_match=1 / max(len(self.left), len(self.right), 2),
            retain_matching_columns=False,
            retain_intermediate_calculation_columns=True,
        )

    def _build_comparison(self, column: str) -> Any:  # of splink
        """The levels of a field: equal, similar (Jaro-Winkler from 0.88, in numbers one typing error), different."""
        library = importlib.import_module("splink.comparison_library")
        values = pd.concat([self.left[column], self.right[column]]).dropna()
        numeric = values.str.contains(r"^[\d ]+$").mean() > 0.5
        comparison = (
            library.DamerauLevenshteinAtThresholds(column, [1])
            if numeric
            else library.JaroWinklerAtThresholds(column, [0.88])
        )
        equal = self._estimate_chance_agreement(column)
        similar = min(0.02, (1 - equal) / 2)
        return comparison.configure(m_probabilities=_INITIAL_M, u_probabilities=[equal, similar, 1 - equal - similar])

    def _estimate_chance_agreement(self, column: str) -> float:
        """The probability that two persons agree in a field, estimated from pairs of records of one source.

        Records of one source are hardly ever the same person.
        """
        equal, pairs = 1.0, 10.0  # pseudo-counts
        for side in (self.left, self.right):
            counts = side[column].dropna().value_counts()
            equal += float((counts * (counts - 1)).sum()) / 2
            pairs += float(counts.sum() * (counts.sum() - 1)) / 2
        return min(equal / pairs, 0.95)

    def _estimate_parameters(self, splink: Any, linker: Any) -> None:  # of splink
        """Estimate u from random pairs and m by expectation maximisation."""
        linker.training.estimate_u_using_random_sampling(_SAMPLED_PAIRS, seed=_SEED)
        for column in self.columns:
            if len(self.columns) > 2 and 0 < self._count_pairs([column]) <= _MAX_PAIRS:
                linker.training.estimate_parameters_using_expectation_maximisation(splink.block_on(column))


def _import_splink() -> Any:  # the module: an optional dependency that needs a second to load
    logger = logging.getLogger("splink")
    if not logger.hasHandlers():  # without a handler, Python writes warnings to stderr
        logger.addHandler(logging.NullHandler())
    try:
        return importlib.import_module("splink")
    except ImportError as error:
        raise GraphrecError(
            "people are linked by several fields with the package splink, which is not installed; "
            "run pip install 'graphrec[people]', or declare a link by an exact or normalised key"
        ) from error


def _add_evidence(rule: LinkRule, pairs: pd.DataFrame, left: pd.DataFrame, right: pd.DataFrame) -> pd.DataFrame:
    """The pairs with a text on each field: "name Anna, birth_date 1990-01-02 ~ 1990-01-20, city Bonn ≠ Ulm"."""
    parts_by_field = []
    for index, name in enumerate(rule.on):
        values = []
        for side, records in zip(SIDES, (left, right), strict=True):
            text = get_text(records, name)
            assert text is not None  # match_fields checks the columns
            text_by_key = text.set_axis(records[KEY])
            values.append(pairs[side].map(text_by_key).fillna("").tolist())
        weight = pairs[f"mw_field{index}"].tolist()
        parts_by_field.append([_describe_field(name, *cell) for cell in zip(weight, *values, strict=True)])
    evidence = [", ".join(parts) for parts in zip(*parts_by_field, strict=True)]
    return pairs[[*SIDES, "confidence"]].assign(evidence=pd.Series(evidence, index=pairs.index, dtype="str"))


def _describe_field(name: str, weight: float, left: str, right: str) -> str:
    if not left or not right:
        return f"{name} missing"
    if normalise_words(left) == normalise_words(right):
        return f"{name} {left}"
    return f"{name} {left} {'~' if weight > 0 else '≠'} {right}"


def _split_by_odds(pairs: pd.DataFrame) -> MatchedPairs:
    """Clear pairs, whose odds are ten times those of any other pair of their records, and ambiguous pairs."""
    pairs = pairs.sort_values(["confidence", *SIDES], ascending=[False, True, True], ignore_index=True)
    odds = pairs["confidence"] / (1 - pairs["confidence"])
    rival = pd.Series(0.0, index=pairs.index)
    for side in SIDES:
        rank = pairs.groupby(side).cumcount()
        best = odds.groupby(pairs[side]).transform("max")
        second = odds.where(rank == 1, 0.0).groupby(pairs[side]).transform("max")
        rival = pd.Series(np.maximum(rival, second.where(rank == 0, best)))
    clear = odds >= _CLEAR_ODDS_RATIO * rival
    assigned = pairs["left_key"].isin(pairs.loc[clear, "left_key"]) | pairs["right_key"].isin(
        pairs.loc[clear, "right_key"]
    )
    return MatchedPairs(pairs[clear], pairs[~assigned])
