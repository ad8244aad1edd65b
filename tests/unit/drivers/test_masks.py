"""Secrets in changed parameters: marked on record, put back for the call."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atomiton.drivers.masks import masked, unmasked
from atomiton.errors import NodeError

SECRETS = {"TOKEN": "s3cr3t", "LONGER": "s3cr3t-more", "ODD": "a\x1aTOKEN;b", "TINY": "abc"}
VALUES = st.recursive(
    st.none()
    | st.integers()
    | st.binary()
    | st.text()
    | st.lists(st.sampled_from([*SECRETS.values(), "\x1a", "TOKEN;", "0;", "x"])).map("".join),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def test_no_secret_is_left_anywhere() -> None:
    value = {
        "s3cr3t": ["Bearer s3cr3t-more", {"deep": "s3cr3ts3cr3t"}],
        "body": b"\xff s3cr3t",
        "at": datetime(2026, 1, 1, tzinfo=UTC),
    }
    hidden = masked(value, SECRETS)
    assert "s3cr3t" not in repr(hidden)
    assert unmasked(hidden, SECRETS) == value


@given(VALUES)
def test_what_was_masked_is_put_back(value: object) -> None:
    assert unmasked(masked(value, SECRETS), SECRETS) == value


@pytest.mark.parametrize("secrets", [None, {}, {"TOKEN": None}])
def test_text_that_looks_like_a_mark_brings_no_secret(secrets: object) -> None:
    text = "\x1aTOKEN; and \x1a0;"
    assert unmasked(masked(text, secrets), SECRETS) == text


def test_a_secret_that_is_not_set_here_is_named() -> None:
    with pytest.raises(NodeError, match="'TOKEN'"):
        unmasked(masked("s3cr3t", SECRETS), {})
