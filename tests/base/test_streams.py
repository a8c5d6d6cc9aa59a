"""Chance: known answers of the generator, and what must not move whose draws."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graftline.base.streams import Keys, Streams, philox4x32, site_key

# Random123 kat_vectors, philox4x32 10 rounds: counter, key, result
KNOWN = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


@pytest.mark.parametrize(("counter", "key", "expected"), KNOWN)
def test_philox_gives_the_published_known_answers(counter, key, expected):
    words = philox4x32(tuple(np.array([word], dtype=np.uint64) for word in counter), key)
    assert tuple(int(word[0]) for word in words) == expected


@given(st.integers(0, 2**31), st.lists(st.integers(0, 10_000), min_size=2, max_size=20, unique=True), st.integers(1, 7))
def test_a_draw_depends_on_its_own_key_only(seed, patients, size):
    stream = Streams(seed).named("anything", 3)
    together = stream.uniform(Keys.of(1, site_key("FR-REN"), np.array(patients)), size)
    for row, patient in enumerate(patients):
        alone = stream.uniform(Keys.of(1, site_key("FR-REN"), patient), size)
        assert np.array_equal(alone[0], together[row])


def test_no_two_streams_of_a_million_are_equal():
    replicate, kth = (grid.ravel() for grid in np.meshgrid(np.arange(1000), np.arange(1000)))
    draws = Streams(1).named("birthday").uniform(Keys.of(replicate, site_key("A"), kth), 2)
    assert len(np.unique(draws, axis=0)) == 1_000_000


def test_draws_are_uniform_and_purposes_are_independent():
    keys = Keys.of(0, site_key("A"), np.arange(200_000))
    one, two = (Streams(7).named("p", part).uniform(keys)[:, 0] for part in (1, 2))
    assert one.min() > 0 and one.max() < 1
    assert abs(one.mean() - 0.5) < 4 / np.sqrt(12 * len(one))
    assert abs(np.corrcoef(one, two)[0, 1]) < 4 / np.sqrt(len(one))


def test_a_longer_draw_begins_with_the_shorter_one():
    keys = Keys.of(0, 1, np.arange(5))
    stream = Streams(7).named("p")
    assert np.array_equal(stream.uniform(keys, 7)[:, :3], stream.uniform(keys, 3))


def test_choice_follows_its_probabilities():
    keys = Keys.of(0, 1, np.arange(100_000))
    drawn = Streams(7).named("c").choice(keys, np.array([0.2, 0.5, 0.3]))
    assert np.allclose(np.bincount(drawn) / len(drawn), [0.2, 0.5, 0.3], atol=0.01)


def test_nobody_draws_nothing():
    assert Streams(7).named("p").normal(Keys.of(0, 1, np.arange(0)), 3).shape == (0, 3)
    assert len(Streams(7).named("p").choice(Keys.of(0, 1, np.arange(0)), np.array([0.2, 0.8]))) == 0
