"""Answers as they come in: whole, in pieces, cut off, or no answers at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.drill.probes.answer import AnswerReader, BrokenAnswerError

PLAIN = (
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Served-By: app1\r\nX-Load-Balancer:lb1\r\n\r\nhello"
)
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5;ext=1\r\nhello\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n"
)
TRAILER = CHUNKED[:-2] + b"X-Sum: 1\r\nX-More: 2\r\n\r\n"
BODILESS = b"HTTP/1.1 204 No Content\r\n\r\n"
AFTER_HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + PLAIN


def test_a_whole_answer_has_its_status_and_headers() -> None:
    answer = AnswerReader().feed(PLAIN)
    assert answer is not None
    assert (answer.status, answer.keeps_open) == (200, True)
    assert answer.headers["x-served-by"] == "app1"
    assert answer.headers["x-load-balancer"] == "lb1"


@pytest.mark.parametrize("whole", [PLAIN, CHUNKED, TRAILER, BODILESS, AFTER_HINTS])
@given(data=st.data())
def test_it_is_complete_with_its_last_byte_however_it_is_cut(
    whole: bytes, data: st.DataObject
) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=8)))
    reader = AnswerReader()
    pieces = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    while pieces and not pieces[-1]:
        pieces.pop()
    assert [reader.feed(piece) for piece in pieces[:-1]] == [None] * (len(pieces) - 1)
    assert reader.feed(pieces[-1][:-1]) is None
    assert reader.feed(pieces[-1][-1:]) is not None


@pytest.mark.parametrize(
    ("head", "keeps_open"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: Close\r\n\r\n", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", False),
    ],
)
def test_it_says_whether_the_connection_stays_open(head: bytes, *, keeps_open: bool) -> None:
    answer = AnswerReader().feed(head)
    assert answer is not None
    assert answer.keeps_open is keeps_open


def test_a_body_without_a_length_ends_with_the_connection() -> None:
    reader = AnswerReader()
    assert reader.feed(b"HTTP/1.1 200 OK\r\n\r\nsome") is None
    assert reader.feed(b"thing") is None
    assert not reader.end().keeps_open


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "closed without an answer"),
        (PLAIN[:20], "closed in the middle of the answer"),
        (PLAIN[:-1], "closed in the middle of the answer"),
        (CHUNKED[:-1], "closed in the middle of the answer"),
    ],
)
def test_an_answer_that_is_cut_off_is_none(data: bytes, reason: str) -> None:
    reader = AnswerReader()
    assert reader.feed(data) is None
    with pytest.raises(BrokenAnswerError, match=reason):
        reader.end()


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"HTTP/1.1 OK\r\n\r\n",
        b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 20_000,
    ],
)
def test_what_is_no_http_is_refused(data: bytes) -> None:
    with pytest.raises(BrokenAnswerError):
        AnswerReader().feed(data)
