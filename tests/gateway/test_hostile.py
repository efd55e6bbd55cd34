"""Whatever is sent, the answer is an answer: never a 500, never half of a message stored."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from agent.wire import CHECKIN, ENROLL, SECTIONS
from tests.gateway.test_hot_path import Connection, hot
from web.gateway.hot import HotPath

__all__ = ["hot"]

text = st.text(st.characters(), max_size=40)
"""Every character that there is, halves of surrogate pairs and zeros among them."""
leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | text
values = st.recursive(leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4))
sections = st.dictionaries(st.sampled_from(SECTIONS), st.dictionaries(text, values, max_size=5), max_size=4)
reports = st.fixed_dictionaries(
    {
        "id": st.uuids().map(str),
        "at": text,
        "sections": sections,
        "digests": st.dictionaries(st.sampled_from(SECTIONS), st.just("0" * 16), max_size=4),
    }
)
results = st.lists(
    st.fixed_dictionaries(
        {"id": text, "state": st.sampled_from(["done", "failed", "refused", "busy"])},
        optional={"detail": text, "data": st.dictionaries(text, values, max_size=3)},
    ),
    max_size=3,
)
checkins = st.fixed_dictionaries({}, optional={"report": reports, "results": results})
relaxed = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def send(hot: HotPath, path: str, value: Any) -> Any:
    from werkzeug.test import Client

    body = json.dumps(value).encode()
    return Client(hot).post(path, data=body, environ_overrides={"gunicorn.socket": Connection()})


def saying(**content: object) -> dict[str, Any]:
    return {"report": {"id": "0" * 32, "at": "", "sections": {"system": content}, "digests": {}}}


@relaxed
@example(saying(hostname="\ud800", model="\x00"))
@example(saying(**{"\ud800": 1, "\x00": [[[[["\udfff"]]]]]}))
@example(saying(number=10**400, small=-(10**30), real=1e308))
@given(message=checkins)
def test_every_message_of_the_right_shape_is_taken_or_refused(hot: HotPath, message: dict[str, Any]) -> None:
    assert send(hot, CHECKIN, message).status_code in (200, 204, 422)


@relaxed
@given(message=values)
def test_every_other_message_is_refused(hot: HotPath, message: Any) -> None:
    assert send(hot, CHECKIN, message).status_code in (200, 204, 422)
    assert send(hot, ENROLL, message).status_code == 422


@pytest.mark.parametrize("token", ["\ud800", "\x00", "x" * 64, "../../etc/passwd", "%00"])
def test_a_strange_token_is_an_unknown_invitation(hot: HotPath, token: str) -> None:
    message = {
        "token": token,
        "csr": "",
        "platform": "linux",
        "serial": None,
        "hostname": "",
        "model": None,
        "version": "",
    }

    # The signer is away in this test: nothing but its absence or the refusal may be told.
    assert send(hot, ENROLL, message).status_code in (404, 422, 503)
