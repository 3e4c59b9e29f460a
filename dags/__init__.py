"""The DAGs: wiring only, one file a DAG; each task runs a job of `jobs/` in a child process."""
