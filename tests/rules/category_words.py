"""Learns the category words that are shipped, from real messages that stay outside the product.

`python -m tests.rules.category_words` writes app/cases/data/category_words.json.
"""

import csv
import gzip
import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any, Final

from app.cases.category_words import CategoryWords
from app.cases.suggested_categories import SHIPPED, read_words

ROOT: Final = Path(__file__).parents[2]
MESSAGES: Final = ROOT.parent / "shared" / "data" / "grievances.jsonl.gz"
_LIST: Final = ROOT / "qungong" / "data" / "categories.csv"
# Of what is in one message alone nothing is shipped.
LEAST: Final = 2


def labelled() -> list[dict[str, Any]]:
    """Messages with their first-level category."""
    with gzip.open(MESSAGES, "rt", encoding="utf-8") as lines:
        return [one for one in map(json.loads, lines) if one.get("category")]


def names_by_category() -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    with _LIST.open(encoding="utf-8", newline="") as rows:
        for row in csv.DictReader(rows):
            found[row["level1"]] += [row["level2"], row["level3"]]
    return dict(found)


def learned(messages: list[dict[str, Any]]) -> CategoryWords:
    words = CategoryWords()
    for one in messages:
        words.learn(one["category"], one["title"], one["text"])
    return words.without_rare(LEAST)


def written(words: CategoryWords) -> str:
    told = {
        "reports": dict(sorted(words.reports.items())),
        "pairs": {
            name: dict(sorted(counts.items())) for name, counts in sorted(words.pairs.items())
        },
    }
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")) + "\n"


def main() -> None:
    SHIPPED.write_text(written(learned(labelled())), encoding="utf-8")
    known = read_words()
    sys.stdout.write(f"{SHIPPED.name}: {sum(map(len, known.pairs.values()))} pairs\n")


if __name__ == "__main__":
    main()
