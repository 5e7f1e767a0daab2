"""The last moments of a listening socket: who was greeted is let in, and nobody is greeted after them."""

from __future__ import annotations

import ctypes
import socket
import struct
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

# From Linux' asm/socket.h and linux/filter.h: a program of one instruction, "return 0", lets no packet through.
SO_ATTACH_FILTER: Final = 26
SO_DETACH_FILTER: Final = 27
_NOTHING: Final = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0), 8)
_PROGRAM: Final = struct.pack("HL", 1, ctypes.addressof(_NOTHING))

GREETING_S: Final = 0.02  # between a caller's first packet and the third, on the networks of a data centre


def greet_nobody(listening: socket.socket) -> None:
    """Let the kernel answer no new caller at this socket.

    A caller whose first packet is not answered sends it again a second later, and is then told that nobody listens; one
    who was greeted as the socket closed would be cut off with the call that they had sent. Linux only; elsewhere the
    moment between the last look and the close stays.
    """
    with suppress(OSError):
        listening.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, _PROGRAM)


def greet_again(listening: socket.socket) -> None:
    """Take `greet_nobody` back, of whichever process shares the socket."""
    with suppress(OSError):
        listening.setsockopt(socket.SOL_SOCKET, SO_DETACH_FILTER, 0)


def greeted(listening: socket.socket) -> Iterator[socket.socket]:
    """Who was greeted by the kernel and not yet by the server."""
    with socket.fromfd(listening.fileno(), listening.family, listening.type) as door, suppress(BlockingIOError):
        door.setblocking(False)
        while True:
            caller, _ = door.accept()
            caller.setblocking(False)
            yield caller
