"""The ways to run a Core, by the driver's name in a Core version."""

from typing import Final

from scaicore.drivers.flow import FlowDriver
from scaicore.drivers.remote import RemoteDriver
from scaicore.runtime.protocol import Driver

DRIVERS: Final[dict[str, Driver]] = {
    "flow": FlowDriver(),
    "remote": RemoteDriver(),
}
