"""Pin what a night uses: the model that its alias names now, the snapshot, the shards.

Reads the registry and the snapshot of this run, every byte of which is checked; writes <run_dir>/inference_plan.json.
Safe to run again.
"""

from jobs._cli import Job, main
from recthinker.inference.plan import InferencePlan, plan_inference
from recthinker.registry import Registry


def run(job: Job) -> str:
    """Pin model, snapshot and shards of this run."""
    settings = job.settings
    plan: InferencePlan = plan_inference(
        Registry(settings).resolve(),
        settings.paths.snapshots / job.ds / job.run_id,
        settings,
        ds=job.ds,
        run_id=job.run_id,
    )
    plan.write(job.run_dir)
    made_with = f"model {plan.model_version}, prompt {plan.prompt_version}"
    keep = "" if plan.expected_runs is None else f", about {plan.expected_runs} of them to run"
    return f"{plan.users} users in {len(plan.shards)} shards{keep}, {made_with}"


if __name__ == "__main__":
    main("plan_inference", run)
