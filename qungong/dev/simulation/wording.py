"""What the people of the invented year say, read from data/simulation.toml. None of it was ever written by anybody."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from random import Random
from typing import Any

from app.limits.terms import Kind
from qungong.dev.simulation.people import Names


@dataclass(frozen=True, slots=True)
class Topic:
    """Something people report; `department` leads where the county dispatches, by its short code."""

    category: str
    weight: float
    department: str
    assistants: Sequence[str]
    kinds: Mapping[Kind, float]
    titles: Sequence[str]
    bodies: Sequence[str]
    answers: Sequence[str]


@dataclass(frozen=True, slots=True)
class Wording:
    topics: Sequence[Topic]
    words: Mapping[str, Sequence[str]]
    names: Names

    def said(self, what: str, rng: Random) -> str:
        return rng.choice(self.words[what])

    def told(self, patterns: Sequence[str], place: str, rng: Random) -> str:
        return rng.choice(patterns).format(
            place=place, spot=self.said("spots", rng), n=rng.randint(2, 9)
        )


@cache
def wording() -> Wording:
    read: dict[str, Any] = tomllib.loads(
        files("qungong").joinpath("data/simulation.toml").read_text("utf-8")
    )
    topics = tuple(
        Topic(**one | {"kinds": {Kind(kind): weight for kind, weight in one["kinds"].items()}})
        for one in read["topic"]
    )
    words = read["words"]
    return Wording(topics, words, Names(words["surnames"], words["given"]))
