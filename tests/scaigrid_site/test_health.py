"""What load balancers and container platforms ask. With the database away: test_database_away."""

from __future__ import annotations

import requests

from tests.support.serving import Server

ADDRESSES = ["/healthz", "/healthz/live", "/healthz/ready"]


HOSTS = ["127.0.0.1", "10.1.2.3:8000", "balancer.internal", "no host at all"]


def test_a_healthy_server_says_so_without_a_key_and_under_any_host_name(server: Server) -> None:
    for address in ADDRESSES:
        answers = [requests.get(server.url + address, headers={"host": host}, timeout=10) for host in HOSTS]
        assert [(answer.status_code, answer.json()) for answer in answers] == [(200, {"status": "ok"})] * len(HOSTS)
        assert {answer.headers["cache-control"] for answer in answers} == {"no-store"}


def test_a_balancer_may_ask_for_the_head_alone_and_changes_nothing(server: Server) -> None:
    assert requests.head(f"{server.url}/healthz/ready", timeout=10).status_code == 200
    refused = requests.post(f"{server.url}/healthz/ready", timeout=10)
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD")


def test_other_addresses_are_none_of_these(server: Server) -> None:
    assert requests.get(f"{server.url}/healthz/none", timeout=10).status_code == 404
