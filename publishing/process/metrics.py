"""What a process counts for its operator, by Prometheus' client; nothing is counted where that is off.

    metrics.activate()                      # once, when METRICS_ADDRESS is set
    if metrics.active is not None:          # all that a call costs while it is off
        metrics.active.note_decisions(16, 0.0004)

Names and buckets are OpenTelemetry's for generative AI where it has some. No label holds a user, a key or a text, and
of models the first `MOST_MODELS` have names of their own: a caller cannot make a series.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from prometheus_client import Counter, Gauge, Histogram

MOST_MODELS: Final = 200
OTHER: Final = "other"
# OpenTelemetry's advice for `gen_ai.server.request.duration`, and for the time to a token.
DURATIONS: Final = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
FIRST_TOKENS: Final = (0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
TOKEN_TIMES: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5)
DECISIONS: Final = (0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
BATCHES: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 1024)


class FinishedRun(NamedTuple):
    """What is counted of a run. Seconds; `first_token_s` is None where no text was sent."""

    model: str
    purpose: str
    outcome: str
    is_streamed: bool
    duration_s: float
    first_token_s: float | None
    prompt_tokens: int
    completion_tokens: int


class RunCounts(NamedTuple):
    """What runs of one kind are counted by: looked up once, since that costs more than counting."""

    runs: Counter
    duration: Histogram
    first_token: Histogram
    token_time: Histogram
    prompt_tokens: Counter
    completion_tokens: Counter


class Metrics:
    """The metrics of this process."""

    def __init__(self) -> None:
        kind = ("model", "purpose", "outcome", "stream")
        self._runs = Counter("scaigrid_runs", "Runs of Cores that have ended, by how.", kind)
        model = ("gen_ai_request_model",)
        self._duration = Histogram(
            "gen_ai_server_request_duration_seconds",
            "How long a run took.",
            (*model, "error_type"),
            buckets=DURATIONS,
        )
        self._first_token = Histogram(
            "gen_ai_server_time_to_first_token_seconds",
            "From the begin of a run to its first text.",
            model,
            buckets=FIRST_TOKENS,
        )
        self._token_time = Histogram(
            "gen_ai_server_time_per_output_token_seconds",
            "Of a stream: the time behind its first token, by each further one.",
            model,
            buckets=TOKEN_TIMES,
        )
        self._tokens = Counter("scaigrid_tokens", "Tokens of runs that have ended.", (*model, "gen_ai_token_type"))
        self._refusals = Counter("scaigrid_refusals", "Calls that were refused or failed.", ("code", "status"))
        self._decision = Histogram(
            "scaigrid_decision_seconds",
            "How long the statement that decides about calls took: no decision is older than that, so what was revoked "
            "counts from the next one on.",
            buckets=DECISIONS,
        )
        self._batch = Histogram("scaigrid_batch_size", "How much one statement was about.", ("what",), buckets=BATCHES)
        self._lost = Counter("scaigrid_usage_lost", "Rows of the ledger that could not be kept.")
        self._now = {
            name: Gauge(f"scaigrid_{name}", f"{meaning}, once a second.", multiprocess_mode="livesum")
            for name, meaning in NOW.items()
        }
        self._models: set[str] = set()
        self._kinds: dict[tuple[str, str, str, bool], RunCounts] = {}
        self._batches = {what: self._batch.labels(what) for what in ("decide", "usage")}

    def note_run(self, run: FinishedRun) -> None:
        """Count a run that has ended."""
        key = (run.model, run.purpose, run.outcome, run.is_streamed)
        counts = self._kinds.get(key) or self._counts(*key)
        counts.runs.inc()
        counts.duration.observe(run.duration_s)
        counts.prompt_tokens.inc(run.prompt_tokens)
        counts.completion_tokens.inc(run.completion_tokens)
        if run.first_token_s is not None and run.is_streamed:
            counts.first_token.observe(run.first_token_s)
            if run.completion_tokens > 1:
                counts.token_time.observe((run.duration_s - run.first_token_s) / (run.completion_tokens - 1))

    def note_refusal(self, code: str, status: int) -> None:
        """Count a call that was refused or failed."""
        self._refusals.labels(code, status).inc()

    def note_decisions(self, count: int, seconds: float) -> None:
        """Count a statement that decided about so many calls."""
        self._decision.observe(seconds)
        self._batches["decide"].observe(count)

    def note_written(self, count: int) -> None:
        """Count a statement that wrote so many rows of the ledger."""
        self._batches["usage"].observe(count)

    def note_lost(self) -> None:
        """Count a row of the ledger that could not be kept."""
        self._lost.inc()

    def show(self, **now: float) -> None:
        """What is true now, by the names in `NOW`."""
        for name, value in now.items():
            self._now[name].set(value)

    def _counts(self, model: str, purpose: str, outcome: str, is_streamed: bool) -> RunCounts:
        shown = self._label(model)
        key = (shown, purpose, outcome, is_streamed)
        if key not in self._kinds:
            stream = "yes" if is_streamed else "no"
            error_type = "" if outcome == "ok" else outcome
            self._kinds[key] = RunCounts(
                self._runs.labels(shown, purpose, outcome, stream),
                self._duration.labels(shown, error_type),
                self._first_token.labels(shown),
                self._token_time.labels(shown),
                self._tokens.labels(shown, "input"),
                self._tokens.labels(shown, "output"),
            )
        return self._kinds[key]

    def _label(self, model: str) -> str:
        if model not in self._models:
            if len(self._models) >= MOST_MODELS:
                return OTHER
            self._models.add(model)
        return model


NOW: Final = {
    "runs_running": "Runs that go on",
    "runs_waiting": "Calls that wait in line for one of them to end",
    "streams_open": "Streams that are open",
    "database_connections_in_use": "Connections to the database that a statement uses",
    "database_connections_idle": "Connections to the database that wait for one",
    "usage_rows_waiting": "Rows of the ledger that are not written yet",
}

active: Metrics | None = None


def activate() -> Metrics:
    """Count from now on, in this process."""
    global active
    active = active or Metrics()
    return active


def note_decisions(count: int, seconds: float) -> None:
    """Count a statement that decided about so many calls, where metrics are on."""
    if active is not None:
        active.note_decisions(count, seconds)
