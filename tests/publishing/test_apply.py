"""`manage.py apply FILE.yaml`: what there shall be, as code."""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from identity import actors, groups
from identity.models import AuditEntry, Group, Tenant, User
from publishing import actions, registry
from publishing.models import Core, CoreVersion, Flow, FlowVersion, Publication, UsageLimit
from tests.conftest import echo_document
from tests.support.staff import audited

ACME = """
tenants:
  - slug: acme
    name: Acme
    users:
      - {email: root@acme.test, role: tenant_admin, staff: true, password: change-me}
      - {email: ann@acme.test, role: tenant_user}
    groups:
      - {id: group_acme_eng, name: Engineering, members: [ann@acme.test, "group:group_acme_ops"]}
      - {id: group_acme_ops, name: Operations, members: []}
    flows:
      - file: echo.json
        deploy: true
"""

Apply = Callable[..., str]


@pytest.fixture
def apply(db: None, tmp_path: Path) -> Apply:
    """Writes a file beside the echo flow, applies it, and gives what was printed."""
    (tmp_path / "echo.json").write_text(json.dumps(echo_document()))

    def run(text: str, *options: str) -> str:
        out = StringIO()
        (tmp_path / "grid.yaml").write_text(text)
        call_command("apply", str(tmp_path / "grid.yaml"), *options, stdout=out)
        return out.getvalue()

    return run


def inside(lines: str) -> str:
    """A file with one tenant, acme, and `lines` in it."""
    return "tenants:\n  - slug: acme\n" + "\n".join(f"    {line}" for line in lines.splitlines())


def with_flow(lines: str) -> str:
    return inside("flows:\n  - file: echo.json\n" + "\n".join(f"    {line}" for line in lines.splitlines()))


def refusal(apply: Apply, text: str) -> str:
    with pytest.raises(CommandError) as refused:
        apply(text)
    return str(refused.value)


def test_the_files_tenants_people_and_flows_exist_afterwards(apply: Apply) -> None:
    apply(ACME)
    root = User.objects.get(email="root@acme.test")
    assert (root.tenant_id, root.role, root.is_staff, root.is_superuser) == ("acme", "tenant_admin", True, False)
    assert root.check_password("change-me")
    assert groups.members(Group.objects.get(scaikey_id="group_acme_eng")) == ["ann@acme.test", "group:group_acme_ops"]
    assert Publication.objects.get().name == "scaicore/acme/echo-agent"


def test_a_second_run_changes_and_tells_nothing(apply: Apply) -> None:
    apply(ACME)
    before = (audited(), FlowVersion.objects.count(), CoreVersion.objects.count())
    assert apply(ACME) == "Nothing changes.\n"
    assert (audited(), FlowVersion.objects.count(), CoreVersion.objects.count()) == before


def test_a_plan_says_what_the_run_says_and_changes_nothing(apply: Apply) -> None:
    planned = apply(ACME, "--plan").splitlines()
    assert not Tenant.objects.exists()
    assert not AuditEntry.objects.exists()
    done = apply(ACME).splitlines()
    assert planned[:-1] == done[:-1]
    assert (planned[-1], done[-1]) == ("9 changes would be made. Nothing was changed.", "9 changes made.")


def test_every_change_is_audited_as_the_commands(apply: Apply) -> None:
    apply(ACME)
    assert set(AuditEntry.objects.values_list("actor", flat=True)) == {"manage.py apply"}
    assert audited() == [
        "tenant.saved",
        "user.saved",
        "user.password_set",
        "user.saved",
        "group.saved",
        "group.saved",
        "group.members_set",
        "flow.created",
        "core.deployed",
        "core.published",
    ]


def test_what_the_file_does_not_mention_is_left_alone(apply: Apply, engineering: Group, bo: User, cy: User) -> None:
    apply(inside("users: [{email: ann@acme.test, name: Ann}]\ngroups: [{id: group_acme_eng}]"))
    assert groups.members(engineering) == ["ann@acme.test"]
    assert (Group.objects.get().name, User.objects.get(email="ann@acme.test").role) == ("Engineering", "tenant_user")
    assert User.objects.filter(email__in=["bo@acme.test", "cy@globex.test"]).count() == 2


def test_named_members_replace_and_an_empty_list_empties(apply: Apply, engineering: Group, bo: User) -> None:
    apply(inside("groups: [{id: group_acme_eng, members: [Bo@acme.test]}]"))
    assert groups.members(engineering) == ["bo@acme.test"]
    printed = apply(inside("groups: [{id: group_acme_eng, members: []}]"))
    assert printed.splitlines()[0] == "~ members of group_acme_eng: - bo@acme.test"
    assert groups.members(engineering) == []


def test_a_password_is_set_once(apply: Apply, ann: User) -> None:
    assert apply(inside("users: [{email: ann@acme.test, password: another-secret}]")) == "Nothing changes.\n"
    assert User.objects.get(pk=ann.pk).check_password("change-me")


def test_users_and_tenants_are_switched_off(apply: Apply, ann: User) -> None:
    printed = apply(inside("active: false\nusers: [{email: ann@acme.test, active: false}]"))
    assert printed.splitlines()[:2] == [
        "~ tenant acme: active true → false",
        "~ user ann@acme.test: active true → false",
    ]
    assert not User.objects.get(pk=ann.pk).is_active


def test_only_the_file_that_says_so_makes_a_superuser(apply: Apply, ann: User) -> None:
    apply(inside("users: [{email: ann@acme.test, superuser: true}]"))
    assert User.objects.get(pk=ann.pk).is_superuser


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (inside("users: [{email: a@a.test}, {name: B}]"), "tenants[0].users[1].email: This key is required."),
        (
            inside("users: [{email: a@a.test, emial: b@a.test}]"),
            "tenants[0].users[0].emial: This key is not known here.",
        ),
        ("{}", "tenants: This key is required."),
        ("tenants: []\nuser: []", "user: This key is not known here."),
        (inside("users: [{email: a@a.test, role: boss}]"), "tenants[0].users[0].role: Invalid enum value 'boss'."),
        (inside("users: [{email: 5}]"), "tenants[0].users[0].email: Expected `str`, got `int`."),
        (inside("users: [{email: nobody}]"), "tenants[0].users[0].email: Enter a valid email address."),
        (inside("active: 1"), "tenants[0].active: Expected `bool`, got `int`."),
        (inside("users:"), "tenants[0].users: Expected `array`, got `null`."),
        ("tenants: [{slug: A_B}]", "tenants[0].slug: Use 1 to 63 lower-case letters"),
        (
            inside("users: [{email: a@a.test, password: password}]"),
            "tenants[0].users[0].password: This password is too",
        ),
        (inside("groups: [{id: a b}]"), "tenants[0].groups[0].id: Use letters, digits"),
        (
            inside("groups: [{id: g, members: [x@acme.test]}]"),
            "tenants[0].groups[0].members[0]: The user x@acme.test does not exist in acme.",
        ),
        (
            inside("groups: [{id: g, members: ['group:x']}]"),
            "tenants[0].groups[0].members[0]: The group x does not exist in acme.",
        ),
        (
            inside("groups: [{id: g, members: ['group:g']}]"),
            "tenants[0].groups[0].members: Leave the group itself out.",
        ),
        (inside("groups: [{id: g}, {id: g}]"), "tenants[0].groups[1].id: g is in tenants[0].groups[0] already."),
        (
            inside("users: [{email: a@a.test}, {email: A@a.test}]"),
            "tenants[0].users[1].email: a@a.test is in tenants[0].users[0] already.",
        ),
        ("tenants: [{slug: a}, {slug: a}]", "tenants[1].slug: a is in tenants[0] already."),
        (inside("flows: [{file: none.json}]"), "none.json cannot be read: No such file or directory."),
        (inside("flows: [{}]"), "tenants[0].flows[0]: Name a file, or write the document under content."),
        (inside("flows: [{file: echo.json, content: {}}]"), "tenants[0].flows[0]: Name a file, or write"),
        (inside("flows: [{content: {}}]"), "tenants[0].flows[0].name: Neither the document nor this entry"),
        (inside("flows: [{content: {name: x, at: 2026-01-01}}]"), "tenants[0].flows[0].content: The document holds"),
        (inside("flows: [{content: {name: x, at: .nan}}]"), "tenants[0].flows[0].content: The document holds"),
        (
            inside("flows: [{file: grid.yaml}]"),
            "tenants[0].flows[0].file: This is not valid JSON: invalid character (byte 4).",
        ),
        (with_flow("deploy: true\ngroup_ids: [x]"), "tenants[0].flows[0].group_ids[0]: The group x does not exist."),
        (inside("flows: [{content: {name: x}, deploy: true}]"), "tenants[0].flows[0].nodes: "),
        (inside("flows: [{file: echo.json}, {file: echo.json}]"), "tenants[0].flows[1].name: Echo Agent is in"),
        ("", "must be a mapping with the key tenants."),
        ("[tenants]", "must be a mapping with the key tenants."),
        ("tenants: [", "is not valid YAML, line 1, column 11: "),
        ("tenants: []\ntenants: []", "is not valid YAML, line 2, column 1: the key tenants is there twice."),
        ("tenants: &all []", "is not valid YAML, line 1, column 10: the anchor or alias all is not taken; write"),
        ("tenants: *all", "is not valid YAML, line 1, column 10: the anchor or alias all is not taken; write"),
        ("tenants:\n- &t {slug: x}\n- *t", "is not valid YAML, line 2, column 3: the anchor or alias t is not"),
        ("&k tenants: []", "is not valid YAML, line 1, column 1: the anchor or alias k is not taken; write"),
        ("tenants: [&s x]", "is not valid YAML, line 1, column 11: the anchor or alias s is not taken; write"),
        ("tenants: !!python/object:os.system []", "is not valid YAML, line 1, column 10: could not determine"),
        ('tenants: ["\\0"]', "is not valid YAML, line 1, column 11: a character that cannot be stored."),
        ('tenants: ["\\ud800"]', "is not valid YAML, line 1, column 11: a character that cannot be stored."),
        ("tenants: [2026-99-99]", "is not valid YAML: month must be in 1..12."),
        ("[" * 100_000, "is nested too deeply."),
    ],
)
def test_an_error_is_a_sentence_with_its_place(apply: Apply, text: str, sentence: str) -> None:
    assert sentence in refusal(apply, text)
    assert not Tenant.objects.exists()
    assert not AuditEntry.objects.exists()


def test_files_may_begin_with_a_byte_order_mark(apply: Apply, tmp_path: Path) -> None:
    document = tmp_path / "echo.json"
    document.write_bytes(BOM_UTF8 + document.read_bytes())
    apply("\ufeff" + inside("name: Acme\nflows: [{file: echo.json, deploy: true}]"))
    assert Core.objects.get().slug == "echo-agent"


def test_a_file_that_is_not_there_is_a_sentence(db: None) -> None:
    for path in ("/nowhere/grid.yaml", "/"):
        with pytest.raises(CommandError, match=f"{path} cannot be read: "):
            call_command("apply", path)


def test_an_error_at_the_end_leaves_everything_as_it_was(apply: Apply, engineering: Group, ann: User) -> None:
    told = audited()
    refusal(apply, ACME.replace("echo.json", "none.json").replace("tenant_user", "tenant_viewer"))
    assert audited() == told
    assert User.objects.get(pk=ann.pk).role == "tenant_user"


def test_a_user_of_another_tenant_is_not_taken_over(apply: Apply, cy: User) -> None:
    sentence = "tenants[0].users[0].email: cy@globex.test is a user of another tenant."
    assert sentence in refusal(apply, inside("users: [{email: cy@globex.test}]"))


def test_a_group_of_another_tenant_is_no_member(apply: Apply, globex: Tenant) -> None:
    Group.objects.create(tenant=globex, scaikey_id="group_globex")
    sentence = "The group group_globex does not exist in acme."
    assert sentence in refusal(apply, inside("groups: [{id: g, members: ['group:group_globex']}]"))


def test_a_changed_document_is_saved_and_deployed_on_the_same_core(apply: Apply, tmp_path: Path) -> None:
    apply(ACME)
    core = Core.objects.get()
    (tmp_path / "echo.json").write_text(json.dumps(echo_document() | {"variables": [{"name": "a", "type": "string"}]}))
    assert apply(ACME).splitlines() == [
        "~ flow Echo Agent: saved as 1.0.1",
        "~ flow Echo Agent: version 1.0.1 is live as acme/echo-agent",
        "2 changes made.",
    ]
    assert Core.objects.get().pk == core.pk


def test_a_save_in_the_editor_that_changes_nothing_is_no_difference(apply: Apply, root: User) -> None:
    apply(inside("flows: [{file: echo.json}]"))
    flow = Flow.objects.get()
    shown = {**flow.saved.content, "id": flow.pk, "version": "9.9.9"}
    actor = actors.operator("test")
    actions.save_flow(flow, base_version="1.0.0", content=shown, actor=actor, at=timezone.now())
    assert apply(inside("flows: [{file: echo.json}]")) == "Nothing changes.\n"


def test_the_file_overrides_who_may_call(apply: Apply, engineering: Group, ann: User, bo: User) -> None:
    printed = apply(with_flow("deploy: true\ngroup_ids: [group_acme_eng]"))
    publication = Publication.objects.get()
    assert [user.email for user in registry.audience(publication)] == ["ann@acme.test"]
    assert "scaicore/acme/echo-agent for group_acme_eng" in printed
    assert apply(with_flow("deploy: true\ngroup_ids: [group_acme_eng]")) == "Nothing changes.\n"


def test_the_file_unpublishes(apply: Apply) -> None:
    apply(with_flow("deploy: true"))
    printed = apply(with_flow("deploy: true\npublish_as_model: false"))
    assert "scaicore/acme/echo-agent for everyone in the tenant → not published" in printed
    assert not Publication.objects.exists()


def test_a_publication_that_was_changed_by_hand_is_set_right_without_a_new_version(
    apply: Apply, engineering: Group
) -> None:
    apply(with_flow("deploy: true\ngroup_ids: [group_acme_eng]"))
    actions.publish(Core.objects.get(), group_ids=[], actor=actors.operator("test"), at=timezone.now())
    apply(with_flow("deploy: true\ngroup_ids: [group_acme_eng]"))
    assert Publication.objects.get().visibility == "groups"
    assert CoreVersion.objects.count() == 1


def test_without_deploy_a_flow_is_saved_and_nothing_is_live(apply: Apply) -> None:
    apply(inside("flows: [{file: echo.json}]"))
    assert Flow.objects.get().saved.version == "1.0.0"
    assert not Core.objects.exists()


def test_a_flow_may_stand_in_the_file_itself_under_a_name_of_its_own(apply: Apply) -> None:
    apply(
        inside(f"flows: [{{name: Inline, description: Here., content: {json.dumps(echo_document())}, deploy: true}}]")
    )
    core = Core.objects.get()
    assert (core.slug, core.description) == ("inline", "Here.")


def test_two_flows_of_one_name_are_not_guessed_between(apply: Apply, echo_flow: Flow) -> None:
    Flow.objects.create(tenant=echo_flow.tenant, name="Echo Agent")
    assert "Several flows of acme are called Echo Agent." in refusal(apply, inside("flows: [{file: echo.json}]"))


LIMITED = (
    with_flow("deploy: true")
    + """
    limits:
      - {measure: requests, per: minute, amount: 60, each: key}
      - {measure: money, per: month, amount: 12.5, model: echo-agent, soft: true}
      - {measure: tokens, per: day, amount: 1000, user: Ann@acme.test}
      - {measure: tokens, per: day, amount: 5000, group: group_acme_eng, each: user}
"""
)


def test_limits_are_set_changed_and_left_alone(apply: Apply, ann: User, engineering: Group) -> None:
    told = apply(LIMITED)
    assert "+ limit 60 requests a minute of the whole tenant, each key" in told
    assert "+ limit 12.5 money a month of the whole tenant on echo-agent" in told
    assert UsageLimit.objects.count() == 4
    assert "Nothing changes" in apply(LIMITED)
    changed = LIMITED.replace("amount: 60,", "amount: 30,").replace(", soft: true", "")
    told = apply(changed)
    assert "60 requests a minute → 30 requests a minute" in told
    assert "12.5 money a month, only warns → 12.5 money a month" in told
    assert UsageLimit.objects.count() == 4
    apply(inside("name: Acme"))
    assert UsageLimit.objects.count() == 4


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ("{measure: words, per: day, amount: 1}", "tenants[0].limits[0].measure: "),
        ("{measure: tokens, per: day}", "tenants[0].limits[0].amount: This key is required."),
        ("{measure: tokens, per: day, amount: 0}", "tenants[0].limits[0].amount: "),
        ("{measure: tokens, per: day, amount: 1, user: cy@globex.test}", "The user cy@globex.test does not exist"),
        ("{measure: tokens, per: day, amount: 1, group: none}", "The group none does not exist in acme."),
        ("{measure: tokens, per: day, amount: 1, model: none}", "The Core none does not exist in acme."),
        ("{measure: tokens, per: day, amount: 1, key: apikey_x}", "This key is not known here."),
        (
            "{measure: tokens, per: day, amount: 1, user: ann@acme.test, group: group_acme_eng}",
            "Name one user, one key or one group, or none of them.",
        ),
    ],
)
def test_a_limit_that_is_none_is_refused_with_its_place(
    apply: Apply, ann: User, cy: User, engineering: Group, lines: str, sentence: str
) -> None:
    assert sentence in refusal(apply, inside(f"limits:\n  - {lines}"))
    assert not UsageLimit.objects.exists()


def test_two_limits_of_the_same_are_refused(apply: Apply, acme: Tenant) -> None:
    one = "{measure: tokens, per: day, amount: 1}"
    assert "is in tenants[0].limits[0] already." in refusal(apply, inside(f"limits:\n  - {one}\n  - {one}"))
