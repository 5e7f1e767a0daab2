#!/usr/bin/env python
"""The installation's command line: `python manage.py help` lists the commands."""

import os
import sys

from django.core.management import execute_from_command_line

from scaigrid_site import bootstrap, demo_model


def main() -> None:
    """Prepare data folder, secret and database, then run the command."""
    bootstrap.prepare(os.environ)
    if "--llm" in sys.argv:
        # Before Django reads its settings: the model is one of them.
        demo_model.attach(os.environ)
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
