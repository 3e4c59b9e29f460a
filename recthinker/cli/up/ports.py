"""Ports of 127.0.0.1 that servers are to listen at."""

import errno
import socket

from recthinker.cli.up.site import HOST
from recthinker.errors import ConfigError
from recthinker.settings import ENV_PREFIX


def require_free(port: int, setting: str) -> None:
    """Nothing listens at the port.

    Args:
        port: of `HOST`.
        setting: that it comes from, as `section.key`.

    Raises:
        ConfigError: it is taken, or is not ours to take.
    """
    with socket.socket() as probe:
        # As servers do: a port that has just been let go of is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            why = "is taken" if error.errno == errno.EADDRINUSE else f"cannot be used ({error.strerror})"
            variable = f"{ENV_PREFIX}{setting.replace('.', '__').upper()}"
            raise ConfigError(
                f"port {port} of {HOST} {why}; set {setting} to another one ({variable}=...), or end what listens there"
            ) from error
