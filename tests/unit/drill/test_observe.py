"""When clients are served: so many good requests in a row, and none in flight among them."""

from __future__ import annotations

from lab.drill.events import Request
from lab.drill.observe import Observer
from tests.unit.drill.histories import a_request


def seen(*requests: Request) -> Observer:
    observer = Observer(slow_s=0.25, probes=("http",))
    for request in requests:
        observer.see(request)
    return observer


def test_good_requests_count_from_the_last_one_on_that_was_not() -> None:
    good = [a_request(t) for t in (1, 2, 3, 4)]
    bad = a_request(2.5, outcome="failed")
    assert seen(*good).good_since(float("-inf")) == 4
    assert seen(*good).good_since(good[1].t) == 2
    assert seen(*good, bad).good_since(float("-inf")) == 2
    assert seen(bad, *good).good_since(float("-inf")) == 2, "in whatever order they are over"


def test_the_client_with_the_fewest_decides() -> None:
    others = [a_request(t, probe="session") for t in (1, 2, 3, 4, 5)]
    assert seen(a_request(1), a_request(4.5), *others).good_since(float("-inf")) == 2


def test_what_was_begun_after_one_that_is_in_flight_is_not_counted_yet() -> None:
    in_flight = a_request(3)
    good = [a_request(t, waits_since=in_flight.t if t > 3 else None) for t in (1, 2, 4, 5)]
    observer = seen(*good)
    assert (observer.good_since(float("-inf")), observer.answered) == (2, in_flight.t)
    observer.see(in_flight.model_copy(update={"outcome": "failed", "took_s": 3.0}))
    observer.see(a_request(6.5))
    assert observer.good_since(float("-inf")) == 3, "of those after it, as it went wrong"


def test_one_client_that_waits_holds_all_back() -> None:
    waits = a_request(1, probe="session", waits_since=a_request(0.5).t)
    observer = seen(waits, a_request(1), a_request(2), a_request(3))
    assert observer.good_since(float("-inf")) == 0
    observer.lost("session", "killed")
    assert observer.answered == a_request(3).t + a_request(3).took_s
