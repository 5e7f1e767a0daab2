"""`manage.py create_api_key`."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from identity import keys
from identity.models import ApiKey, AuditEntry, Tenant, User
from tests.support.serving import ROOT, database_url


def create(*args: str) -> str:
    out = StringIO()
    call_command("create_api_key", *args, stdout=out)
    return out.getvalue()


def test_the_key_stands_alone_on_standard_output(ann: User) -> None:
    printed = create("--user", "Ann@acme.test", "--name", "CI")
    live = keys.find(printed.strip())
    assert printed == printed.strip() + "\n"
    assert live is not None
    assert live.user == ann


def test_the_audit_log_names_the_command(ann: User) -> None:
    create("--user", "ann@acme.test", "--name", "CI")
    assert AuditEntry.objects.get(action="key.minted").actor == "manage.py create_api_key"


def test_a_key_is_limited_to_the_models_that_are_named(ann: User) -> None:
    create("--user", "ann@acme.test", "--name", "CI", "--model", "scaicore/acme/a", "--model", "scaicore/acme/b")
    assert ApiKey.objects.get().models == ["scaicore/acme/a", "scaicore/acme/b"]


def test_expiry_counts_whole_days(ann: User) -> None:
    create("--user", "ann@acme.test", "--name", "CI", "--expires-in", "30")
    expires_at = ApiKey.objects.get().expires_at
    assert expires_at is not None
    assert timedelta(days=29, hours=23) < expires_at - timezone.now() <= timedelta(days=30)


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["--user", "nobody@acme.test", "--name", "CI"], "There is no user nobody@acme.test."),
        (["--user", "ann@acme.test", "--name", " "], "The key has no name. Give the key a name"),
        (["--user", "ann@acme.test", "--name", "CI", "--expires-in", "0"], "--expires-in must be 1 to 36500 days."),
        (["--user", "ann@acme.test", "--name", "CI", "--expires-in", "-1"], "--expires-in must be 1 to 36500 days."),
        (["--user", "ann@acme.test", "--name", "CI", "--expires-in", "99999999999"], "--expires-in must be"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(ann: User, args: list[str], sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence):
        create(*args)
    assert not ApiKey.objects.exists()


def test_a_key_that_would_open_nothing_is_not_made(ann: User) -> None:
    Tenant.objects.update(is_active=False)
    with pytest.raises(CommandError, match="switched off"):
        create("--user", "ann@acme.test", "--name", "CI")


def test_a_failure_leaves_standard_output_empty(transactional_db: None) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "create_api_key", "--user", "nobody@acme.test", "--name", "CI"],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": database_url()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "There is no user nobody@acme.test." in done.stderr
