"""The tables of node kinds: the whole language, each kind once, with a schema that editors can read."""

from scaicore import KINDS, UNAVAILABLE, describe

LANGUAGE = {
    "entry_api",
    "entry_webhook",
    "entry_schedule",
    "llm_rigid",
    "llm_guarded",
    "llm_flexible",
    "logic_decision",
    "logic_loop",
    "logic_parallel",
    "tool_plugin",
    "tool_http",
    "data_variable_set",
    "checkpoint",
    "hitl_decision",
    "hitl_review",
    "queue_publish",
    "queue_consume",
    "queue_escalation",
    "compute_provision",
    "compute_exec",
    "compute_file_upload",
    "compute_file_download",
    "compute_destroy",
    "subflow_call",
}


def test_every_kind_of_the_language_runs_here_or_says_what_is_missing():
    assert {*KINDS, *UNAVAILABLE} == LANGUAGE
    assert KINDS.keys().isdisjoint(UNAVAILABLE)


def test_each_kind_describes_its_config():
    described = {kind["kind"]: kind for kind in describe()}
    assert described.keys() == KINDS.keys()
    schema = described["llm_rigid"]["config_schema"]["$defs"]["LlmRigid"]
    assert schema["required"] == ["template"]
    assert {"result_binding", "timeout_s", "template"} == set(schema["properties"])
