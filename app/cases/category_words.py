"""Which first-level category a report is likely about, by the pairs of letters that reports of each category have. A hint. Pure.

A naive Bayes classifier: what it learns is how many reports of a category have a pair. The names of the categories below count
as reports, so that it knows something of a category that nobody has reported about yet.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from app.cases.similar_reports import fold, pairs

# Chosen on messages kept apart (tests/rules/test_category_words.py).
_SMOOTHING: Final = 2.0
_OF_NAMES: Final = 8
_MOST_OF_A_NAME: Final = 5
_OF_TITLE: Final = 5
_OF_FREQUENCY: Final = 3.0
_TITLE, _TEXT = 200, 400
_WORDS: Final = 3


@dataclass(slots=True)
class CategoryWords:
    """How many reports of each category have a pair, and how many reports there are."""

    pairs: dict[str, Counter[str]] = field(default_factory=dict)
    reports: Counter[str] = field(default_factory=Counter)

    def learn(self, category: str, title: str, body: str) -> None:
        in_title, everywhere = _pairs_of(title, body)
        self.reports[category] += 1
        self.pairs.setdefault(category, Counter()).update(in_title | everywhere)

    def without_rare(self, least: int) -> "CategoryWords":
        """Pairs that are in so many reports at least: what is in one alone tells nothing, and might tell of it."""
        known: Counter[str] = Counter()
        for counts in self.pairs.values():
            known.update(counts)
        kept = {
            category: Counter({pair: n for pair, n in counts.items() if known[pair] >= least})
            for category, counts in self.pairs.items()
        }
        return CategoryWords(kept, Counter(self.reports))

    def add(self, other: "CategoryWords") -> None:
        self.reports.update(other.reports)
        for category, counts in other.pairs.items():
            self.pairs.setdefault(category, Counter()).update(counts)

    def prepared(self, names: Mapping[str, Iterable[str]]) -> "Ranking":
        """For the named first-level categories, each with the names of all below it."""
        counts = {one: Counter(self.pairs.get(one, ())) for one in names}
        for one, below in names.items():
            for pair, n in _pairs_of_names(one, below).items():
                counts[one][pair] += _OF_NAMES * n
        vocabulary = frozenset(pair for each in counts.values() for pair in each)
        told = sum(self.reports[one] for one in names) + len(names)
        return Ranking(
            vocabulary,
            {
                one: _Likelihood(
                    each,
                    each.total() + _SMOOTHING * len(vocabulary),
                    _OF_FREQUENCY * math.log((self.reports[one] + 1) / told),
                )
                for one, each in counts.items()
            },
        )


@dataclass(frozen=True, slots=True)
class _Likelihood:
    """Of one category: the counts of its pairs, their sum with what smooths it, and the logarithm of how frequent it is."""

    counts: Counter[str]
    whole: float
    frequency: float

    def of(self, pair: str) -> float:
        return math.log((self.counts[pair] + _SMOOTHING) / self.whole)


@dataclass(frozen=True, slots=True)
class Ranking:
    """What the words of categories say of reports."""

    vocabulary: frozenset[str]
    categories: dict[str, _Likelihood]

    def rank(self, title: str, body: str) -> list[tuple[str, tuple[str, ...]]]:
        """All categories, the likeliest first, with the pairs of the report that speak most for each."""
        in_title, everywhere = _pairs_of(title, body)
        known = {
            pair: _OF_TITLE if pair in in_title else 1
            for pair in in_title | everywhere
            if pair in self.vocabulary and not pair.isdigit()
        }
        shares = {
            one: {pair: each.of(pair) for pair in known} for one, each in self.categories.items()
        }
        scores = {
            one: each.frequency + sum(times * shares[one][pair] for pair, times in known.items())
            for one, each in self.categories.items()
        }
        average = {
            pair: sum(each[pair] for each in shares.values()) / len(shares) for pair in known
        }
        ordered = sorted(scores, key=lambda one: -scores[one])
        return [(one, _speaking(shares[one], average)) for one in ordered]


def _speaking(own: Mapping[str, float], average: Mapping[str, float]) -> tuple[str, ...]:
    found = sorted(own, key=lambda pair: average[pair] - own[pair])
    return tuple(pair for pair in found[:_WORDS] if own[pair] > average[pair])


def _pairs_of(title: str, body: str) -> tuple[set[str], set[str]]:
    return pairs(fold(title[:_TITLE])), pairs(fold(body[:_TEXT]))


def _pairs_of_names(category: str, below: Iterable[str]) -> Counter[str]:
    """No pair more than a few times: a word in all names of a category would drown the others."""
    counted: Counter[str] = Counter()
    for name in (category, *below):
        counted.update(pairs(fold(name)))
    return Counter({pair: min(n, _MOST_OF_A_NAME) for pair, n in counted.items()})
