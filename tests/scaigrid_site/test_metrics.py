"""What Prometheus reads: true with one process and with several, on an address of its own, and only where it is on."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
import requests
import yaml
from prometheus_client.parser import text_string_to_metric_families

from identity.models import User
from publishing.models import Core
from scaigrid_site.metrics_server import LiveProcesses
from tests.support.chat_calls import call, hello
from tests.support.serving import database_url, free_port, serving

ROOT = Path(__file__).resolve().parents[2]
NAME = "scaicore/acme/echo-agent"
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def scraped(port: int) -> Samples:
    text = requests.get(f"http://127.0.0.1:{port}/metrics", timeout=10).text
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def until(holds: Callable[[], bool]) -> None:
    """Wait until it holds; nothing tells us when."""
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def total(samples: Samples, name: str, **labels: str) -> float:
    return sum(value for (found, has), value in samples.items() if found == name and set(labels.items()) <= set(has))


@pytest.mark.parametrize("workers", ["1", "2"])
def test_calls_are_counted_wherever_they_were_answered(
    transactional_db: None, echo: Core, ann: User, key_of: Callable[[User], str], workers: str
) -> None:
    port, key = free_port(), key_of(ann)
    with serving(METRICS_ADDRESS=f"127.0.0.1:{port}", WORKERS=workers) as server:
        for number in range(12):
            assert call(server, key, hello(stream=number % 2 == 0)).status_code == 200
        assert call(server, "sgk_wrong").status_code == 401
        assert call(server, key, hello(model="scaicore/acme/none")).status_code == 404
        until(lambda: total(scraped(port), "scaigrid_runs_total") == 12)
        found = scraped(port)
        assert total(found, "scaigrid_runs_total", model=NAME, purpose="chat", outcome="ok", stream="yes") == 6
        assert total(found, "gen_ai_server_request_duration_seconds_count", gen_ai_request_model=NAME) == 12
        assert total(found, "gen_ai_server_time_to_first_token_seconds_count") == 6
        assert total(found, "scaigrid_tokens_total", gen_ai_token_type="input") > 0
        assert total(found, "scaigrid_refusals_total", code="invalid_api_key", status="401") == 1
        assert total(found, "scaigrid_refusals_total", code="model_not_found") == 1
        assert total(found, "scaigrid_decision_seconds_count") > 0
        assert total(found, "scaigrid_batch_size_count", what="usage") > 0
        # Nothing of a caller stands in a label, and none of it on the public port.
        assert not [labels for _, labels in found if any(ann.pk in value or key[:10] in value for _, value in labels)]
        assert requests.get(f"{server.url}/metrics", timeout=10).status_code == 404


def test_calls_are_counted_on_when_a_process_was_killed(
    transactional_db: None, echo: Core, ann: User, key_of: Callable[[User], str]
) -> None:
    port, key = free_port(), key_of(ann)
    with serving(METRICS_ADDRESS=f"127.0.0.1:{port}", WORKERS="2") as server:
        for _ in range(10):
            call(server, key)
        until(lambda: total(scraped(port), "scaigrid_runs_total") == 10)
        children = psutil.Process(server.process.pid).children()
        workers = [child for child in children if "spawn_main" in " ".join(child.cmdline())]
        assert len(workers) == 2
        workers[0].send_signal(signal.SIGKILL)
        until(lambda: call(server, key).status_code == 200)
        until(lambda: total(scraped(port), "scaigrid_runs_total") > 10)


DYING = """
import os
from publishing.process import metrics
counting = metrics.activate()
counting.show(runs_running=7)
counting.note_run(metrics.FinishedRun("m", "chat", "ok", False, 0.1, None, 1, 1))
print(os.getpid(), flush=True)
input()
os._exit(9)
"""


def test_a_process_that_ended_says_nothing_of_now_and_keeps_what_it_counted(tmp_path: Path) -> None:
    environment = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    counted = LiveProcesses(tmp_path)
    with subprocess.Popen(
        [sys.executable, "-c", DYING], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert values_of(counted) == {"scaigrid_runs_running": 7, "scaigrid_runs_total": 1}
        process.communicate(b"\n", timeout=30)
    assert values_of(counted) == {"scaigrid_runs_total": 1}


def values_of(counted: LiveProcesses) -> dict[str, float]:
    named = {"scaigrid_runs_running", "scaigrid_runs_total"}
    return {
        sample.name: sample.value for family in counted.collect() for sample in family.samples if sample.name in named
    }


def test_a_caller_cannot_make_a_series() -> None:
    code = """
from prometheus_client import generate_latest
from publishing.process import metrics
metrics.MOST_MODELS = 2
counting = metrics.activate()
for number in range(50):
    counting.note_run(metrics.FinishedRun(f"model-{number}", "chat", "ok", False, 0.1, None, 1, 1))
print(generate_latest().decode())
"""
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert 'model="model-1"' in shown
    assert 'model="model-2"' not in shown
    assert 'scaigrid_runs_total{model="other",outcome="ok",purpose="chat",stream="no"} 48.0' in shown


def test_an_address_that_is_taken_or_none_is_refused_before_anything_is_served(transactional_db: None) -> None:
    for address, said in (("nonsense", "must be host:port"), ("256.1.1.1:99999", "Choose another")):
        ours = {"METRICS_ADDRESS": address, "PORT": str(free_port()), "DATABASE_URL": database_url()}
        environment = os.environ | ours
        ended = subprocess.run(
            [sys.executable, "manage.py", "serve"], capture_output=True, text=True, env=environment, timeout=60
        )
        assert ended.returncode != 0
        assert said in ended.stderr


EVERY = """
from prometheus_client import REGISTRY
from publishing.process import metrics
metrics.activate()
for family in REGISTRY.collect():
    if family.name.startswith(("scaigrid_", "gen_ai_")):
        print(family.name + ("_total" if family.type == "counter" else ""), family.type)
"""
NAMES = re.compile(r"\b(?:scaigrid|gen_ai)_(?!request_model|token_type)\w+")


def test_the_page_the_alerts_and_the_dashboard_name_what_there_is() -> None:
    shown = subprocess.run([sys.executable, "-c", EVERY], capture_output=True, text=True, check=True).stdout
    there = dict(line.split() for line in shown.splitlines())
    page = (ROOT / "docs" / "metrics.md").read_text()
    documented = dict(re.findall(r"^\| `(\w+)` \| (counter|gauge|histogram) \|", page, re.MULTILINE))
    assert documented == there
    alerts = yaml.safe_load((ROOT / "deploy" / "prometheus" / "alerts.yml").read_text())["groups"][0]["rules"]
    assert re.findall(r"^\| `(ScaiGrid\w+)` \|", page, re.MULTILINE) == [alert["alert"] for alert in alerts]
    board = json.loads((ROOT / "deploy" / "grafana" / "dashboard.json").read_text())
    asked = [alert["expr"] for alert in alerts] + [one["expr"] for panel in board["panels"] for one in panel["targets"]]
    named = {re.sub(r"_(bucket|sum|count)$", "", name) for text in asked for name in NAMES.findall(text)}
    assert named - set(there) == set()
