#!/usr/bin/env python
"""The installation's command line: `python manage.py help` lists the commands."""

import os
import sys

from django.core.management import execute_from_command_line
from django.db import DatabaseError, InterfaceError

from publishing.db import outages
from scaigrid_site import bootstrap, demo_model


def main() -> None:
    """Prepare data folder, secret and database, then run the command; a database that is away is one sentence."""
    bootstrap.prepare(os.environ)
    if "--llm" in sys.argv:
        # Before Django reads its settings: the model is one of them.
        demo_model.attach(os.environ)
    try:
        execute_from_command_line(sys.argv)
    except (DatabaseError, InterfaceError) as error:
        if not outages.is_outage(error) or "--traceback" in sys.argv:
            raise
        sys.exit(f"The database that DATABASE_URL names cannot be used: {outages.explain(error)}.")


if __name__ == "__main__":
    main()
