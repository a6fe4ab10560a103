"""Servers that send requests elsewhere, answer without an end, or only think."""

from __future__ import annotations

import gzip
import tracemalloc

import pytest

from curation.engines.chat import Answer
from curation.engines.openai_client import MOST_BYTES
from tests.curation import server_faults
from tests.curation.engines.server_chats import ask, echo
from tests.curation.engines.server_chats import no_server_known as no_server_known
from tests.curation.hostile_server import HostileServer
from tests.curation.server_faults import in_turn

from .trials import Trials, share

pytestmark = pytest.mark.usefixtures("no_server_known")
STATUSES = (301, 302, 303, 307, 308)
PLACES = ("{}/chat/completions", "{}", "//{}/v1", "{}/v1?next=/v1", "http:{}")


def test_redirects_to_another_server(trials: Trials) -> None:
    trial = trials["a server sends a request on to another one"]
    for number in share(of_all=len(STATUSES) * len(PLACES), of_every_run=5):
        status, place = STATUSES[number % len(STATUSES)], PLACES[number // len(STATUSES)]
        trial.tried += 1
        with HostileServer(echo) as other:
            host = other.url.removesuffix("/v1")
            location = place.format(host.removeprefix("http:" if place.startswith(("//", "http:")) else ""))
            elsewhere = server_faults.redirects(location.replace("////", "//"), status)
            with HostileServer(echo, in_turn(then=elsewhere)) as hostile:
                (outcome,) = ask(hostile, "a report", attempts=2)
            trial.let_in += bool(other.log) or isinstance(outcome, Answer)
            trial.survived += not isinstance(outcome, Answer)


def test_answers_without_an_end(trials: Trials) -> None:
    trial = trials["an answer of 64 MiB and more, packed and not, eight at once"]
    bomb = server_faults.packed(gzip.compress(b" " * 64 * 2**20, 9))
    for act in (server_faults.too_large, bomb):
        trial.tried += 1
        with HostileServer(echo, in_turn(then=act)) as hostile:
            tracemalloc.start()
            outcomes = ask(hostile, *map(str, range(8)), attempts=2, concurrency=8)
            most = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        trial.let_in += sum(isinstance(outcome, Answer) for outcome in outcomes)
        trial.survived += most < 8 * 4 * MOST_BYTES
