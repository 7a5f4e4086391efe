"""What is the next character?  The help texts of Python's own language reference, which come with every CPython.

``pydoc_data.topics``, about 460,000 characters of prose and code.  Each Python version has its own text, so figures of
different versions cannot be compared.
"""

from __future__ import annotations

import numpy as np

from lossopt.errors import InputError
from lossopt.tasks.scores import bits_per_character
from lossopt.tasks.task import Data, Task

VOCABULARY = "\n" + "".join(map(chr, range(32, 127)))
"""The newline and printable ASCII; any other character is read as ``?``."""

LENGTH = 32
"""The characters of one sample."""


def data() -> Data:
    """Stretches of 32 characters as numbers, shape (N, 32), and the characters that follow each of them.

    The last tenth of the text is held out; 100 stretches of it, evenly spread, are scored.
    """
    text = encode(read())
    count = (len(text) - 1) // LENGTH
    inputs, targets = (text[at : at + count * LENGTH].reshape(count, LENGTH) for at in (0, 1))
    cut = count * 9 // 10
    scored = np.linspace(cut, count - 1, 100).astype(int)
    return Data(train=(inputs[:cut], targets[:cut]), test=(inputs[scored], targets[scored]))


def read() -> str:
    """The whole text, topic after topic.

    Raises:
        InputError: this Python was installed without it.
    """
    try:
        from pydoc_data.topics import topics
    except ImportError as error:
        raise InputError("this Python has no pydoc_data.topics, which the text comes from; some systems package it apart") from error
    return "\n".join(topics[name] for name in sorted(topics))


def encode(text: str) -> np.ndarray:
    """Each character's place in the vocabulary.

    >>> encode("a b").tolist()
    [66, 1, 67]
    """
    place = {character: i for i, character in enumerate(VOCABULARY)}
    return np.array([place.get(character, place["?"]) for character in text], np.int64)


task = Task(name="characters", data=data, models="transformer", sizes=(len(VOCABULARY), len(VOCABULARY)),
            score=bits_per_character, score_name="bits per character")  # fmt: skip
