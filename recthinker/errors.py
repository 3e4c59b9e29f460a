"""The errors of the project: one class for each boundary that is crossed.

A message says what was expected, what was found and what to do. The model's faults are scored and never raise; the
system's faults raise one of these. Jobs turn them into one sentence on the last line and exit code 42 (retrying cannot
help) or 1 (it may): `retryable` says which.
"""


class RecThinkerError(Exception):
    """Base of all errors that the project raises on purpose."""

    retryable = False
    """Whether the same step may succeed when it is simply run again."""


class ConfigError(RecThinkerError, ValueError):
    """Settings, a command line or the machine's set-up are wrong (unknown key, no Java, missing jar)."""


class SourceError(RecThinkerError, ValueError):
    """Outside data cannot be read as what it claims to be (missing or empty file, wrong column)."""


class TableContractError(RecThinkerError, ValueError):
    """A table does not hold what its contract promises (wrong column, broken key, no rows for a date, failed check)."""


class SnapshotError(RecThinkerError, LookupError):
    """A lookup snapshot is missing, incomplete or corrupt."""


class ToolError(RecThinkerError, ValueError):
    """A tool was called with arguments it cannot take; the agent reads the message as the tool's result."""


class EngineError(RecThinkerError, RuntimeError):
    """The inference engine cannot start or died; episodes are not to blame."""

    retryable = True


class TrainingError(RecThinkerError, RuntimeError):
    """Training cannot start or produced a model that cannot be used."""


class RegistryError(RecThinkerError, RuntimeError):
    """A model, run or alias is missing from MLflow, or its files are not a model."""


class JobError(RecThinkerError, RuntimeError):
    """A job that ran as a child process failed; the message carries its last line."""
