"""A run of the shard job on a generated world, as `python -m jobs.infer_shard` in a process of its own."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen
from typing import Any

import pyarrow.parquet as pq
import torch
from pyarrow import feather

from recthinker.agent import Agent, CompactFormat, train_tokenizer
from recthinker.inference.plan import InferencePlan
from recthinker.lookup import Snapshot
from recthinker.settings import Settings, load_settings
from recthinker.tools import BUILT_IN
from recthinker.training.tiny import new_model, save_model
from tests.benchmarks.agents.world import DS, AgentWorld
from tests.benchmarks.processes import python, start

WAIT_S = 600


@dataclass(frozen=True, slots=True)
class ShardWorld:
    """Snapshot and model of a drill, and settings of its jobs."""

    folder: Path
    settings: Settings
    agent: Agent
    snapshot: Snapshot
    environment: Mapping[str, str]

    @classmethod
    def make(cls, folder: Path, world: AgentWorld, engine: str, *, users_per_part: int) -> "ShardWorld":
        """Everything that the jobs read, in `folder`."""
        environment = {
            "RECTHINKER_ENV": "bench",
            "RECTHINKER__PATHS__VAR": str(folder.absolute()),
            "RECTHINKER__INFERENCE__ENGINE": engine,
            "RECTHINKER__INFERENCE__USERS_PER_PART": str(users_per_part),
        }
        settings = load_settings("bench", environ=environment)
        chat = CompactFormat(train_tokenizer(world.titles(), settings.model.vocabulary, BUILT_IN))
        model = new_model(chat, settings.model, max_length=settings.agent.max_episode_tokens, seed=2)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.normal_(0.0, 0.1)  # as it starts, a layer adds nothing, and all users would get one ranking
        save_model(model, chat, folder / "model")
        agent = Agent.build(chat, settings.agent, settings.tools)
        return cls(folder, settings, agent, world.write(folder / "snapshot"), environment)

    def run(self, run_id: str) -> "ShardOfRun":
        """A run's only shard, planned and not begun."""
        shard = ShardOfRun(self, run_id)
        InferencePlan(
            ds=DS,
            run_id=run_id,
            model_version="drill/1",
            model_path=str((self.folder / "model").absolute()),
            prompt_version=self.agent.prompt_version,
            snapshot=str(self.snapshot.folder.absolute()),
            shards=[0],
            users=self.snapshot.request_count,
            table_versions={},
        ).write(shard.run_dir)
        return shard


@dataclass(frozen=True, slots=True)
class ShardOfRun:
    """The shard of one run: its job, what is committed, and what came out."""

    world: ShardWorld
    run_id: str

    @property
    def run_dir(self) -> Path:
        """The run's folder."""
        return self.world.settings.paths.runs / DS / self.run_id

    @property
    def log(self) -> Path:
        """All that the last job wrote."""
        return self.run_dir / "job.log"

    @property
    def command(self) -> list[str]:
        """The job."""
        return python("jobs.infer_shard", "--ds", DS, "--run-id", self.run_id, "--shard", "0")

    def start(self, **settings: str) -> "Popen[bytes]":
        """Start the job."""
        return start(self.command, self.log, {**self.world.environment, **settings})

    def finish(self, **settings: str) -> int:
        """Run the job to its end; the exit code."""
        return self.start(**settings).wait(WAIT_S)

    def committed(self) -> list[Path]:
        """Folders of the committed parts."""
        return sorted((self.run_dir / "shards" / ".0.parts").glob("part-*"))

    def committed_users(self) -> int:
        """Users in them."""
        files = (part / "trajectories.arrow" for part in self.committed())
        return sum(feather.read_table(file, columns=["user_id"]).num_rows for file in files)

    def wait_for_parts(self, count: int, job: "Popen[bytes]") -> bool:
        """Wait until so many parts are committed; False where the job ended before."""
        while len(self.committed()) < count:
            if job.poll() is not None:
                return False
            time.sleep(0.02)
        return True

    def summary(self) -> dict[str, Any]:
        """What the finished shard says of itself."""
        told: dict[str, Any] = json.loads((self.run_dir / "shards" / "0" / "summary.json").read_text("utf-8"))
        return told

    def rankings(self) -> dict[str, list[str]]:
        """Every user's ranking; a user who is there twice raises."""
        rows = pq.read_table(self.run_dir / "shards" / "0" / "trajectories.parquet", columns=["user_id", "ranking"])
        found = dict(zip(*(rows[name].to_pylist() for name in ("user_id", "ranking")), strict=True))
        if len(found) != rows.num_rows:
            raise AssertionError(f"{rows.num_rows - len(found)} users are there twice")
        return found

    def last_line(self) -> str:
        """The job's last line: its summary, or what failed."""
        return self.log.read_text("utf-8").splitlines()[-1]
