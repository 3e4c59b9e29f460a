import socket
from collections.abc import Iterator

import pytest

from recthinker.cli.up.ports import require_free
from recthinker.errors import ConfigError

SETTING = "orchestration.airflow_port"


@pytest.fixture(params=["127.0.0.1", "0.0.0.0"])
def listening(request: pytest.FixtureRequest) -> Iterator[socket.socket]:
    """Listens as servers do."""
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((request.param, 0))
        server.listen()
        yield server


def test_a_taken_port_is_told_with_the_setting_that_changes_it(listening: socket.socket) -> None:
    port = listening.getsockname()[1]
    told = rf"port {port} of 127.0.0.1 is taken; set {SETTING} .*RECTHINKER__ORCHESTRATION__AIRFLOW_PORT="
    with pytest.raises(ConfigError, match=told):
        require_free(port, SETTING)


def test_a_port_that_was_let_go_of_is_free(listening: socket.socket) -> None:
    port = listening.getsockname()[1]
    with socket.create_connection(("127.0.0.1", port)), listening.accept()[0] as answer:
        answer.close()  # the server's end waits for the last packets
    listening.close()
    require_free(port, SETTING)
