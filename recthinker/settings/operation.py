"""Settings of orchestration, the demo and the report."""

from datetime import date

from pydantic import Field

from recthinker.settings.base import Section


class OrchestrationSettings(Section):
    """The DAGs."""

    start_date: date
    """First logical date that the schedule knows."""
    schedule: str | None
    """Cron of the nightly run, UTC; null: by trigger only."""
    upkeep_schedule: str | None
    """Cron of the tables' upkeep, UTC; null: by trigger only."""
    retrain_schedule: str | None
    """Cron of retraining, UTC; null: by trigger only."""
    inference_pool: str
    """Airflow pool that bounds the shards that run at once; a task of retraining or evaluation takes all of it."""
    inference_pool_slots: int = Field(ge=1)
    """Its size."""
    task_timeout_minutes: int = Field(ge=1)
    """A task that runs longer is ended."""
    training_timeout_minutes: int = Field(ge=1)
    """The same for a task that trains, collects rollouts or evaluates."""
    retries: int = Field(ge=0)
    """Retries of a task whose failure may pass."""
    airflow_port: int = Field(ge=1, le=65535)
    """Port of Airflow's page and API on 127.0.0.1 (`make up`)."""
    mlflow_port: int = Field(ge=1, le=65535)
    """Port of MLflow's page on 127.0.0.1 (`make up`)."""


class DemoSettings(Section):
    """What `make nightly` runs on."""

    ds: date
    """Logical date of the demo."""


class ReportSettings(Section):
    """The nightly page."""

    stories: int = Field(ge=0, le=4)
    """Users told as stories: short history, median, most calls, long history, in this order."""
