"""Links of people (or whatever has several fields) by all fields together, each of which may differ a little.

The work is done by splink: the model of Fellegi and Sunter (1969), whose parameters say how often a field agrees among
records of one person and among others. If there are enough records, splink learns them from the records themselves.
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
from graphrec.fusion.candidate_pairs import SIDES, Divided, gathered
from graphrec.fusion.normalisation import canonical, is_identifier, plain, raw
from graphrec.schema import LinkRule

#: Below this probability nothing is said of a pair.
LOWEST = 0.7
#: How many times the odds of the second candidate the odds of the best must be.
_CLEAR_ODDS = 10.0
#: Fewer records on a side teach nothing: the parameters are set then.
_FEWEST_TO_LEARN = 200
_SAMPLED_PAIRS = 2_000_000
#: Pairs that agree in one field are compared if there are not more of them; else those that agree in two fields.
_MOST_PAIRS = 5_000_000
_SEED = 1
#: How often a field is equal, similar and different among records of one person, before anything is learnt.
_SAME_PERSON = [0.85, 0.10, 0.05]


def match_fields(rule: LinkRule, left: pd.DataFrame, right: pd.DataFrame) -> Divided:
    """The pairs that are probably one person by the fields of a rule, with the probability as confidence.

    Records need a value in at least two of the fields (one, where the rule has one). Compared are records that agree
    in at least one field. A pair is clear where no other of the same record comes near; else it is ambiguous.

    Raises:
        GraphrecError: splink is not installed.
    """
    if not set(rule.on) <= set(left.columns) & set(right.columns):
        return Divided(gathered([]), gathered([]))
    sides = _fields(rule, left), _fields(rule, right)
    if any(side.empty for side in sides):
        return Divided(gathered([]), gathered([]))
    predicted = _Comparison(rule.on, *sides).predict()
    found = _with_evidence(rule, predicted, left, right)
    if not rule.one_to_one:
        return Divided(found, found.head(0))
    return _divided(found)


def _fields(rule: LinkRule, records: pd.DataFrame) -> pd.DataFrame:
    """Columns unique_id and field0, field1, … in one spelling; rows with too few values are left out."""
    columns: dict[str, pd.Series[str]] = {"unique_id": records["key"].astype("str")}
    for place, name in enumerate(rule.on):
        text = raw(records, name)
        assert text is not None  # match_fields has looked
        spelt = canonical(name, text) if is_identifier(name) else text.map(plain, na_action="ignore").astype("str")
        columns[f"field{place}"] = spelt
    frame = pd.DataFrame(columns)
    there = frame.drop(columns="unique_id").notna().sum(axis=1)
    return frame[there >= min(2, len(rule.on))].reset_index(drop=True)


@dataclass(frozen=True)
class _Comparison:
    """The fields of two sources, and what splink says of their pairs."""

    names: tuple[str, ...]
    left: pd.DataFrame
    right: pd.DataFrame

    @property
    def columns(self) -> list[str]:
        return [f"field{place}" for place in range(len(self.names))]

    def predict(self) -> pd.DataFrame:
        """The pairs that are not improbable: columns left_key, right_key, confidence and mw_field0, …."""
        blocks = self._blocks()
        if not blocks:
            return pd.DataFrame(columns=[*SIDES, "confidence", *(f"mw_{column}" for column in self.columns)])
        splink = _splink()
        with duckdb.connect(config={"threads": 1}) as connection:  # one thread adds in one order: the same every time
            connection.execute("SET enable_progress_bar = false")
            database = splink.DuckDBAPI(connection)
            tables = [
                database.register(side, dataset_display_name=name)
                for side, name in ((self.left, "ours"), (self.right, "theirs"))
            ]
            settings = self._settings(splink, blocks)
            linker = splink.Linker(tables, settings, log_level=None)
            if min(len(self.left), len(self.right)) >= _FEWEST_TO_LEARN:
                self._learn(splink, linker)
            scored = linker.inference.predict(threshold_match_probability=LOWEST).as_pandas_dataframe()
        return self._tidied(scored)

    def _tidied(self, scored: pd.DataFrame) -> pd.DataFrame:
        swapped = (scored["source_dataset_l"] == "theirs").to_numpy()
        ends = scored["unique_id_l"].to_numpy(), scored["unique_id_r"].to_numpy()
        tidy = pd.DataFrame({"left_key": np.where(swapped, ends[1], ends[0])})
        tidy["right_key"] = np.where(swapped, ends[0], ends[1])
        tidy["confidence"] = scored["match_probability"].round(4).clip(upper=0.9999).to_numpy()
        for column in self.columns:
            tidy[f"mw_{column}"] = scored[f"mw_{column}"].to_numpy()
        return tidy.sort_values(SIDES, ignore_index=True)

    def _blocks(self) -> list[tuple[str, ...]]:
        """The sets of fields in which pairs must agree to be compared, few enough for time and memory."""
        blocks: list[tuple[str, ...]] = []
        for size in (1, 2, 3):
            for chosen in combinations(self.columns, size):
                covered = any(set(block) <= set(chosen) for block in blocks)
                if not covered and 0 < self._pairs(list(chosen)) <= _MOST_PAIRS:
                    blocks.append(chosen)
        return blocks

    def _pairs(self, columns: list[str]) -> int:
        """How many pairs agree in the columns."""
        counts = [side[columns].dropna().value_counts() for side in (self.left, self.right)]
        return int(counts[0].mul(counts[1], fill_value=0).sum())

    def _settings(self, splink: Any, blocks: list[tuple[str, ...]]) -> Any:  # splink comes late, and has no types then
        return splink.SettingsCreator(
            link_type="link_only",
            comparisons=[self._comparison(column) for column in self.columns],
            blocking_rules_to_generate_predictions=[splink.block_on(*block) for block in blocks],
            probability_two_random_records_match=1 / max(len(self.left), len(self.right), 2),
            retain_matching_columns=False,
            retain_intermediate_calculation_columns=True,
        )

    def _comparison(self, column: str) -> Any:  # of splink
        """How a field is compared: equal, similar (one typing error in a number, nearly the same word), different."""
        library = importlib.import_module("splink.comparison_library")
        values = pd.concat([self.left[column], self.right[column]]).dropna()
        numeric = values.str.contains(r"^[\d ]+$").mean() > 0.5
        made = (
            library.DamerauLevenshteinAtThresholds(column, [1])
            if numeric
            else library.JaroWinklerAtThresholds(column, [0.88])
        )
        equal = self._equal_by_chance(column)
        similar = min(0.02, (1 - equal) / 2)
        return made.configure(m_probabilities=_SAME_PERSON, u_probabilities=[equal, similar, 1 - equal - similar])

    def _equal_by_chance(self, column: str) -> float:
        """How often two people have an equal value: as two of one source have it, who are hardly ever one person."""
        equal, pairs = 1.0, 10.0  # what is assumed before any pair is seen
        for side in (self.left, self.right):
            counts = side[column].dropna().value_counts()
            equal += float((counts * (counts - 1)).sum()) / 2
            pairs += float(counts.sum() * (counts.sum() - 1)) / 2
        return min(equal / pairs, 0.95)

    def _learn(self, splink: Any, linker: Any) -> None:  # of splink
        """Have splink estimate how often fields agree, among others by sampling, among the same by maximisation."""
        linker.training.estimate_u_using_random_sampling(_SAMPLED_PAIRS, seed=_SEED)
        for column in self.columns:
            if len(self.columns) > 2 and 0 < self._pairs([column]) <= _MOST_PAIRS:
                linker.training.estimate_parameters_using_expectation_maximisation(splink.block_on(column))


def _splink() -> Any:  # the module, which is an optional dependency and takes a second to load
    logger = logging.getLogger("splink")
    if not logger.hasHandlers():  # without any, Python writes its warnings to stderr
        logger.addHandler(logging.NullHandler())
    try:
        return importlib.import_module("splink")
    except ImportError as error:
        raise GraphrecError(
            "people are linked by several fields with the package splink, which is not installed; "
            "run pip install 'graphrec[people]', or declare a link by an exact or normalised key"
        ) from error


def _with_evidence(rule: LinkRule, pairs: pd.DataFrame, left: pd.DataFrame, right: pd.DataFrame) -> pd.DataFrame:
    """The pairs with what is said of each field: "name Anna, birth_date 1990-01-02 ~ 1990-01-20, city differs"."""
    parts_by_field = []
    for place, name in enumerate(rule.on):
        values = []
        for side, records in zip(SIDES, (left, right), strict=True):
            text = raw(records, name)
            assert text is not None  # match_fields has looked
            values.append(pairs[side].map(pd.Series(text.to_numpy(), index=records["key"])).fillna("").tolist())
        weight = pairs[f"mw_field{place}"].tolist()
        parts_by_field.append([_said(name, *cell) for cell in zip(weight, *values, strict=True)])
    evidence = [", ".join(parts) for parts in zip(*parts_by_field, strict=True)]
    return pairs[[*SIDES, "confidence"]].assign(evidence=pd.Series(evidence, index=pairs.index, dtype="str"))


def _said(name: str, weight: float, left: str, right: str) -> str:
    if not left or not right:
        return f"{name} missing"
    return f"{name} {left}" if plain(left) == plain(right) else f"{name} {left} {'~' if weight > 0 else '≠'} {right}"


def _divided(pairs: pd.DataFrame) -> Divided:
    """The pairs that are far better than any other of their records; and those that others come near to."""
    pairs = pairs.sort_values(["confidence", *SIDES], ascending=[False, True, True], ignore_index=True)
    odds = pairs["confidence"] / (1 - pairs["confidence"])
    rival = pd.Series(0.0, index=pairs.index)
    for side in SIDES:
        place = pairs.groupby(side).cumcount()
        best = odds.groupby(pairs[side]).transform("max")
        second = odds.where(place == 1, 0.0).groupby(pairs[side]).transform("max")
        rival = pd.Series(np.maximum(rival, second.where(place == 0, best)))
    clear = odds >= _CLEAR_ODDS * rival
    taken = pairs["left_key"].isin(pairs.loc[clear, "left_key"]) | pairs["right_key"].isin(
        pairs.loc[clear, "right_key"]
    )
    return Divided(pairs[clear], pairs[~taken])
