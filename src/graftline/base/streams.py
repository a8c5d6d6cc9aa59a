"""Chance: counter-based, named, vectorised random streams.

A draw is a pure function of (seed, purpose, replicate, site, k-th patient at that site, index): there is no state to
share, so results do not depend on the number of workers, on the order of sites or on what else was drawn. Adding a
site or a patient moves nobody else's draws.

Generator: Philox4x32-10 (Salmon, Moraes, Dror & Shaw, SC11, 2011, table 2 and the Random123 known-answer vectors),
written for arrays of counters, because one generator object per patient and purpose costs 30 microseconds. The key is
the seed and the purpose hashed to 64 bits; the 128-bit counter is (block, k, site, replicate), so two patients can
share a block only if they share their key.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

_MASK = np.uint64(0xFFFFFFFF)
_SHIFT = np.uint64(32)
_MULTIPLIERS = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
_WEYL = (np.uint64(0x9E3779B9), np.uint64(0xBB67AE85))
_ROUNDS = 10
_WORDS_PER_BLOCK = 4
_DOUBLES_PER_BLOCK = 2
_DROPPED_BITS = np.uint64(12)  # with 53 bits the largest draw would round up to 1


@dataclass(frozen=True)
class Keys:
    """Who draws: arrays (n,) of replicate number, site key and k-th patient at that site."""

    replicate: NDArray[np.uint32]
    site: NDArray[np.uint32]
    kth: NDArray[np.uint32]

    def __post_init__(self) -> None:
        assert self.replicate.shape == self.site.shape == self.kth.shape, "one replicate, site and k for each"

    def __len__(self) -> int:
        return len(self.replicate)

    def take(self, index: NDArray[np.intp] | NDArray[np.bool_]) -> Keys:
        """The keys at these places (indices or a mask)."""
        return Keys(self.replicate[index], self.site[index], self.kth[index])

    @classmethod
    def of(cls, replicate: ArrayLike, site: ArrayLike, kth: ArrayLike) -> Keys:
        """Keys from anything that broadcasts together."""
        arrays = np.broadcast_arrays(replicate, site, kth)
        return cls(*(np.atleast_1d(array).astype(np.uint32) for array in arrays))


def site_key(site: str) -> int:
    """The 32-bit key of a site, from its name alone, so that other sites do not matter."""
    return int.from_bytes(hashlib.blake2b(site.encode(), digest_size=4).digest(), "little")


@dataclass(frozen=True)
class Stream:
    """Draws for one purpose. The same keys and size always give the same numbers."""

    key: tuple[int, int]

    def uniform(self, keys: Keys, size: int = 1) -> NDArray[np.float64]:
        """Uniform on the open interval (0, 1), shape (patients, size), 52 bits each."""
        blocks = -(-size // _DOUBLES_PER_BLOCK)
        block = np.arange(blocks, dtype=np.uint64)[None, :]
        counter = tuple(
            np.broadcast_to(word.astype(np.uint64), (len(keys), blocks))
            for word in (block, keys.kth[:, None], keys.site[:, None], keys.replicate[:, None])
        )
        words = philox4x32(counter, self.key)  # four arrays (patients, blocks)
        high = np.stack([words[0], words[2]], axis=-1).astype(np.uint64)
        low = np.stack([words[1], words[3]], axis=-1).astype(np.uint64)
        bits = ((high << _SHIFT) | low) >> _DROPPED_BITS
        return ((bits.astype(np.float64) + 0.5) * 2.0**-52).reshape(len(keys), blocks * _DOUBLES_PER_BLOCK)[:, :size]

    def normal(self, keys: Keys, size: int = 1) -> NDArray[np.float64]:
        """Standard normal by inversion, shape (patients, size)."""
        return np.asarray(ndtri(self.uniform(keys, size)), dtype=np.float64)

    def exponential(self, keys: Keys, size: int = 1) -> NDArray[np.float64]:
        """Unit exponential, shape (patients, size)."""
        return -np.log(self.uniform(keys, size))

    def choice(self, keys: Keys, probabilities: NDArray[np.float64]) -> NDArray[np.intp]:
        """One category per patient; `probabilities` is (categories,) or (patients, categories), scaled to sum 1."""
        table = np.atleast_2d(probabilities)
        cumulative = np.cumsum(table, axis=1) / table.sum(axis=1, keepdims=True)
        drawn = self.uniform(keys)
        return np.asarray(np.minimum((drawn > cumulative).sum(axis=1), table.shape[1] - 1), dtype=np.intp)


@dataclass(frozen=True)
class Streams:
    """All chance of one run, from one seed. `streams.named("manufacture", attempt)` is the stream of that purpose."""

    seed: int
    attempt: int = 0
    """0 for what is drawn first; what is drawn again, because the first draw was refused, has other streams"""

    def again(self, attempt: int) -> Streams:
        """The streams of the same seed for the given attempt to draw again, from 1."""
        return Streams(self.seed, attempt)

    def named(self, *purpose: str | int) -> Stream:
        """The stream for a purpose; different purposes are independent."""
        again = [f"attempt:{self.attempt}"] if self.attempt else []
        text = "\x1f".join([str(self.seed), *again, *(f"{type(part).__name__}:{part}" for part in purpose)])
        digest = hashlib.blake2b(text.encode(), digest_size=8, person=b"graftline").digest()
        return Stream((int.from_bytes(digest[:4], "little"), int.from_bytes(digest[4:], "little")))


def philox4x32(
    counter: tuple[NDArray[np.uint64], ...], key: tuple[int, int]
) -> tuple[NDArray[np.uint32], NDArray[np.uint32], NDArray[np.uint32], NDArray[np.uint32]]:
    """Philox4x32-10 of four arrays of 32-bit counter words under one key; four arrays of 32-bit words."""
    assert len(counter) == _WORDS_PER_BLOCK
    c0, c1, c2, c3 = (np.ascontiguousarray(word).astype(np.uint64) for word in counter)
    k0, k1 = np.uint64(key[0]), np.uint64(key[1])
    for _ in range(_ROUNDS):
        left, right = _MULTIPLIERS[0] * c0, _MULTIPLIERS[1] * c2
        c0, c1, c2, c3 = (right >> _SHIFT) ^ c1 ^ k0, right & _MASK, (left >> _SHIFT) ^ c3 ^ k1, left & _MASK
        k0, k1 = (k0 + _WEYL[0]) & _MASK, (k1 + _WEYL[1]) & _MASK
    return c0.astype(np.uint32), c1.astype(np.uint32), c2.astype(np.uint32), c3.astype(np.uint32)
