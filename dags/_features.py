"""The feature task group, the same one in `nightly_recommendations` and `feature_tables`."""

from airflow.sdk import task_group

from dags._jobs import job_task


@task_group(group_id="features")
def features(day: str) -> None:
    """Quality gate of the landing tables, then all feature tables of the day."""
    job_task("build_features")(day)
