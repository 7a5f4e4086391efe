"""Random numbers that are the same in every backend: a function of a seed, a parameter's name and the step, with no state.

Threefry-2x32 with 20 rounds (Salmon et al. 2011) turns a key and a counter, two 32-bit words each, into two words that look
random.  The key is made of the seed and the parameter's name, the counter of a pair of elements and the step: an order of
parameters, a parameter that joins late, a route to another rule change no draw, and nothing has to be remembered.

The text here is written over ``+ ^ & | << >>``, which a Python int, an array of uint32 and a tensor of int64 all answer; a
backend counts elements in integers of its own and lends its module for ``sqrt``, ``log``, ``cos`` and ``sin``.

>>> [hex(word) for word in threefry2x32((0x13198A2E, 0x03707344), (0x243F6A88, 0x85A308D3))]
['0xc4923a9c', '0x483df7a0']
"""

from __future__ import annotations

import functools
import hashlib
import math
from collections.abc import Callable
from typing import Any

from lossopt.errors import InputError
from lossopt.hyper import Number
from lossopt.ops import Ops

MASK = 0xFFFFFFFF
ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
PARITY = 0x1BD11BDA
"""Skein's constant: the third word of a key makes the xor of all three this."""

Words = tuple[Any, Any]


def threefry2x32(key: tuple[int, int], counter: Words, word: Callable[[int], Any] = int) -> Words:
    """Two words of 32 bits from a key and a counter of two words each; 20 rounds.

    Args:
        key: two whole numbers that are known now.
        counter: two whole numbers, or arrays of them.
        word: makes of a known number one that the arrays take as it is; ``uint32``, where JAX would make an int32 of it.

    Reference:
        John K. Salmon, Mark A. Moraes, Ron O. Dror, David E. Shaw. Parallel random numbers: as easy as 1, 2, 3. 2011.
        doi:10.1145/2063384.2063405
    """
    keys, mask = (*key, key[0] ^ key[1] ^ PARITY), word(MASK)
    x, y = counter[0] + word(keys[0]) & mask, counter[1] + word(keys[1]) & mask
    for block in range(1, 6):
        for bits in ROTATIONS[(block - 1) % 2]:
            x = x + y & mask
            y = (y << bits & mask | y >> 32 - bits) ^ x
        x = x + word(keys[block % 3]) & mask
        y = y + word(keys[(block + 1) % 3] + block & MASK) & mask
    return x, y


@functools.cache
def key_of(seed: int, name: str) -> tuple[int, int]:
    """The key of a parameter: under the seed as key, the cipher of 64 bits of the SHA-256 of the name."""
    digest = hashlib.sha256(canonical(name).encode()).digest()
    return threefry2x32((seed, 0), (int.from_bytes(digest[:4], "big"), int.from_bytes(digest[4:8], "big")))


def canonical(name: str) -> str:
    """A parameter's name as PyTorch has it: ``hidden.kernel`` is ``hidden.weight``; one without a name is the first, ``0``."""
    from lossopt.tasks.mapping import LEAVES  # it loads NumPy, which the core does without until here

    module, dot, leaf = name.rpartition(".")
    return module + dot + LEAVES.get(leaf, leaf) or "0"


@functools.cache
def check_names(names: tuple[str, ...]) -> None:
    """Two parameters of one name would draw the same noise.

    Raises:
        InputError: there are two such.
    """
    seen: dict[str, int] = {}
    for i, name in enumerate(names):
        first = seen.setdefault(canonical(name), i)
        if first != i:
            raise InputError(f"the parameters {names[first]!r} and {name!r} would draw the same noise: both are {canonical(name)!r} to "
                             "PyTorch; rename one of them")  # fmt: skip


def normal_pairs(module: Any, key: tuple[int, int], counter: Words, real: Callable[[Any], Any],
                 word: Callable[[int], Any] = int) -> tuple[Any, Any]:  # fmt: skip
    """Two standard normals for each counter, independent: Box and Muller's transform of its two words.

    The uniform numbers have 24 bits, which float32 holds exactly: every precision draws the same, up to its own rounding.  The
    largest normal is 5.8, as that of torch.randn in float32.

    Args:
        module: numpy, jax.numpy or torch, for sqrt, log, cos and sin.
        key: from `key_of`.
        counter: the numbers of the pairs, an array of whole numbers, and the step.
        real: makes floating-point numbers of whole ones.
        word: as in `threefry2x32`.

    Reference:
        G. E. P. Box, Mervin E. Muller. A Note on the Generation of Random Normal Deviates. 1958. doi:10.1214/aoms/1177706645
    """
    x, y = threefry2x32(key, counter, word)
    radius = module.sqrt(-2.0 * module.log(real((x >> 8) + 1) * 2.0**-24))
    angle = real((y >> 8 << 1 & 0xFFFFFF) + 1) * (math.pi * 2.0**-25)  # 23 bits of a quarter turn; two others are the signs
    first = (1.0 - 2.0 * real(y & 1)) * (radius * module.cos(angle))
    second = (1.0 - 2.0 * real(y >> 1 & 1)) * (radius * module.sin(angle))
    return first, second


def annealed(ops: Ops, step: Number, eta: Number, gamma: Number) -> Any:
    """The standard deviation of noise whose variance is ``eta / t**gamma``."""
    return ops.sqrt(eta / step**gamma)
