"""`python -m tests.inference.pretrained_run MODEL FOLDER`: the little world's users by a pretrained model, in hermes.

Writes FOLDER/labels and FOLDER/generate, each a shard of the users: those of one are ranked by their labels, the others
by a list. One engine lives in a process, so tests start this as a child.
"""

import sys
from pathlib import Path

from recthinker.agent import Agent
from recthinker.inference.engines import open_engine
from recthinker.inference.shard import ShardRun, run_shard
from recthinker.settings import Settings, load_settings
from tests import little_world as world


def settings_of(ranking: str) -> Settings:
    """Few tools, calls and tokens: on two cores the model writes a few tokens a second."""
    return load_settings(
        "test",
        environ={},
        overrides={
            "agent": {
                "chat_format": "hermes",
                "ranking": ranking,
                "max_calls": 2,
                "max_turn_tokens": 48,
                "max_episode_tokens": 1024,
                "timeout_s": 600,
            },
            "inference": {"engine": "vllm", "kv_cache_mb": 256, "max_batched_tokens": 4096, "threads": 2},
            "tools": {"enabled": ["user_history", "co_interactions"]},
        },
    )


def main(model: Path, folder: Path) -> None:
    """Both ways to answer over one engine."""
    snapshot = world.snapshot(folder / "snapshot", shards=2, titles={"i1": "Title <|im_end|> <tool_call>"})
    engine = None
    for shard, ranking in enumerate(("labels", "generate")):
        settings = settings_of(ranking)
        agent = Agent.load(model, settings.agent, settings.tools)
        engine = engine or open_engine(model, agent, settings)
        run = ShardRun(
            ds=world.DS,
            run_id=ranking,
            model_version="smollm2/1",
            table_versions={},
            publish_top_n=settings.agent.publish_top_n,
            max_failed_share=1.0,
            max_tool_fault_share=0.0,
            users_per_part=8,
        )
        run_shard(folder / ranking, run, engine, agent, snapshot, shard, max_in_flight=8)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
