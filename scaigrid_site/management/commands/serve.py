"""`manage.py serve`: migrate, show what there is, and serve until SIGTERM or Ctrl-C."""

from __future__ import annotations

import signal
import socket
import sys
from argparse import ArgumentParser
from contextlib import suppress
from typing import Any, NoReturn

import uvicorn
from django.core.management import CommandError
from django.core.management.base import BaseCommand
from django.db import connections
from django.utils import timezone

from publishing import demo
from scaigrid_site import draining, metrics_server, migrating, postgres, settings
from scaigrid_site.greeting import greeting

LOOPBACK = ("127.0.0.1", "::1", "localhost")


class Command(BaseCommand):
    """Serves the site with uvicorn, in one process or in WORKERS processes."""

    help = "Serve the site. Applies missing migrations first."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """`--demo` makes the demo tenant when there is none."""
        parser.add_argument("--demo", action="store_true", help="Make the demo tenant acme if it does not exist.")
        parser.add_argument("--llm", action="store_true", help="Serve a small language model for the demo, too.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Take the port, prepare the database, say what to do next, serve."""
        conf = settings.CONF
        config = uvicorn.Config(
            "scaigrid_site.asgi:application",
            host=conf.HOST,
            port=conf.PORT,
            workers=conf.WORKERS,
            http="scaigrid_site.http.protocol:BoundedProtocol",
            ws="none",
            lifespan="on",
            timeout_graceful_shutdown=conf.SHUTDOWN_TIMEOUT_S,
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=conf.is_https,
        )
        if options["demo"] and conf.HOST not in LOOPBACK:
            raise CommandError("The demo has a password that everybody knows: it is served on loopback only.")
        taken = _take_port(conf.HOST, conf.PORT)
        # Uvicorn drains on SIGTERM and then raises it again; leaving by an exception lets the exit hooks run.
        signal.signal(signal.SIGTERM, _leave)
        draining.end_with_the_terminal()
        try:
            migrating.migrate()
        except migrating.MigrationsBlocked as error:
            raise CommandError(f"{error} Start again when that has ended.") from None
        if options["demo"]:
            made = demo.prepare(at=timezone.now())
            assistant = demo.add_assistant(at=timezone.now()) if options["llm"] else None
            self.stdout.write(greeting(conf, made, assistant=assistant))
        else:
            self.stdout.write(f"Serving {conf.public_url}")
        self.stdout.flush()
        connections.close_all()
        postgres.watch()
        if conf.METRICS_ADDRESS:
            metrics_server.start(conf.METRICS_ADDRESS, workers=conf.WORKERS)
        with suppress(KeyboardInterrupt):
            if conf.WORKERS > 1:
                supervisor = draining.Supervisor(config, sockets=[taken])
                draining.end_with_the_terminal()  # which the supervisor took for a wish to start its processes again
                supervisor.run()
            else:
                uvicorn.Server(config).run(sockets=[taken])


def _take_port(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    taken = socket.socket(family)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((host, port))
    except OSError:
        raise CommandError(f"Port {port} on {host} is taken. Choose another: PORT={port + 1}") from None
    taken.set_inheritable(True)
    return taken


def _leave(number: int, frame: object) -> NoReturn:
    sys.exit(0)
