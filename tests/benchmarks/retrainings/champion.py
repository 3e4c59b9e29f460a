"""`python -m tests.benchmarks.retrainings.champion`: a model of random weights serves.

Its tokens are its own, so it draws no rollouts: the planner does, and there is something to learn from at this size.
"""

from recthinker.agent import CompactFormat, train_tokenizer
from recthinker.registry import Registry
from recthinker.settings import load_settings
from recthinker.tools import BUILT_IN
from recthinker.training.tiny import new_model, save_model


def main() -> None:
    """Make and register it."""
    settings = load_settings()
    folder = settings.paths.var / "random"
    chat = CompactFormat(train_tokenizer(["a title"], settings.model.vocabulary, BUILT_IN))
    model = new_model(chat, settings.model, max_length=settings.agent.max_episode_tokens, seed=1)
    save_model(model, chat, folder)
    registry = Registry(settings)
    with registry.training_run("train") as run:
        registry.register(folder, run.run_id, alias=settings.model.alias)


if __name__ == "__main__":
    main()
