"""How a task runs its job: output, environment, exit codes, time-outs; with real child processes."""

import subprocess
import sys
import time

import pytest
from airflow.sdk.exceptions import AirflowFailException

from dags._jobs import require_success, run_process


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_lines_are_shown_with_the_job_and_the_last_one_comes_back(capfd: pytest.CaptureFixture[str]) -> None:
    code, last_line = run_process(python("import sys; print('one'); sys.exit('two')"), label="infer_shard 3")
    assert (code, last_line) == (1, "two")
    assert capfd.readouterr().out == "[infer_shard 3] one\n[infer_shard 3] two\n"


def test_job_does_not_see_airflows_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__API_AUTH__JWT_SECRET", "secret")
    monkeypatch.setenv("RECTHINKER_ENV", "test")
    shown = "import os; print(os.environ.get('AIRFLOW__API_AUTH__JWT_SECRET'), os.environ['RECTHINKER_ENV'])"
    assert run_process(python(shown), label="job") == (0, "None test")


def test_exit_0_is_success() -> None:
    require_success(0, "fine")


def test_exit_42_is_not_retried() -> None:
    with pytest.raises(AirflowFailException, match="bad settings"):
        require_success(42, "bad settings")


@pytest.mark.parametrize("code", [1, -9, 137])
def test_other_exit_codes_are_retried(code: int) -> None:
    with pytest.raises(RuntimeError, match="died"):
        require_success(code, "died")


def test_job_ends_with_its_task(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[str]] = []

    class Recorded(subprocess.Popen[str]):
        def __init__(self, *args: object, **options: object) -> None:
            super().__init__(*args, **options)  # type: ignore[call-overload]  # passed through
            started.append(self)

    def time_out(*args: object, **options: object) -> None:
        raise TimeoutError

    monkeypatch.setattr(subprocess, "Popen", Recorded)
    monkeypatch.setattr("builtins.print", time_out)  # as Airflow's execution_timeout does: raises while lines come
    before = time.monotonic()
    with pytest.raises(TimeoutError):
        run_process(python("import time; print('started', flush=True); time.sleep(60)"), label="job")
    assert started[0].returncode is not None
    assert time.monotonic() - before < 30
