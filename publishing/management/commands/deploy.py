"""`manage.py deploy FLOW.json --host URL --key KEY`: save a document as a flow of any ScaiGrid, and deploy it."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from publishing import documents, strict_json
from publishing.deploy_client import DeployClient, DeployRefused, SavedFlow

VARIABLE = "SCAIGRID_TOKEN"


class Command(BaseCommand):
    """Calls `/api/v1` of the host; it reads nothing from this installation's database."""

    help = f"Save a flow document on a ScaiGrid and deploy it. The key may also come from ${VARIABLE}."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The file, the host, and the key."""
        parser.add_argument("file", type=Path, metavar="FLOW.json")
        parser.add_argument("--host", required=True, metavar="URL", help="For example https://grid.example.com")
        parser.add_argument(
            "--accept-memory-change",
            action="store_true",
            help="Deploy although the live version's memories would not be read any more.",
        )
        parser.add_argument(
            "--test", action="store_true", help="Run the flow's tests first, and deploy only when all of them pass."
        )
        parser.add_argument("--key", default="", help=f"An API key of a tenant admin. Left out: ${VARIABLE}.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Find the flow by its name, save, deploy, print what the server says."""
        flow = _flow(options["file"])
        key = options["key"] or os.environ.get(VARIABLE, "")
        if not key:
            raise CommandError(f"Give an API key: --key KEY, or ${VARIABLE} in the environment.")
        try:
            grid = DeployClient(options["host"], key)
            known = grid.flow(flow["name"])
            saved = grid.save(known, flow) if known else grid.create(flow)
            if options["test"]:
                self._test(grid, saved)
            self.stdout.write(grid.deploy(saved, accepts_memory_change=options["accept_memory_change"]).message)
        except DeployRefused as refusal:
            raise CommandError(str(refusal)) from None

    def _test(self, grid: DeployClient, saved: SavedFlow) -> None:
        """Print how each test went; an error where one failed."""
        report = grid.run_tests(saved)
        for test in report.tests:
            self.stdout.write(str(test))
        if report.failed:
            failed = f"{report.failed} of {len(report.tests)} tests failed"
            raise CommandError(f"{failed}. Version {saved.version} is saved, and nothing was deployed.")


def _flow(path: Path) -> dict[str, Any]:
    """What the API is sent: the document with the name, and the description if it has one."""
    try:
        content = strict_json.load(path)
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from None
    except strict_json.InvalidJson as error:
        raise CommandError(f"{path}: {error}") from None
    if not isinstance(content, dict) or not isinstance(content.get("name"), str) or not content["name"].strip():
        raise CommandError(f"{path} is not a flow document: it must be a JSON object with a name.")
    description = documents.find_description(content)
    described = {"description": description} if description else {}
    return {"name": content["name"].strip(), "content": content, **described}
