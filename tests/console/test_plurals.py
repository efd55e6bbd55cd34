"""No sentence of a page begins with a number that its noun must agree with: "1 devices" is nobody's language."""

import re

from tests.console.test_words import sentences

BEGINS = re.compile(r"%\((count|waiting|dead|units|devices|fleet)\)s (\w+s|are|were)\b")


def test_no_sentence_counts_in_the_plural_alone() -> None:
    assert [text for text in sorted(sentences()) if BEGINS.search(text)] == []
