from recthinker.registry.steps import Step, episode_steps
from tests.registry.recorded import episode, failed


def test_steps_alternate_turns_and_calls_with_the_tokens_of_each() -> None:
    assert episode_steps(episode()) == [
        Step("turn", "Rank A Heat B Fargo", "call item_relations B", {"tokens.context": 3, "tokens.written": 2}),
        Step("item_relations", {"labels": ["B"]}, "B 9 actor", {"rows": 1}, is_tool=True),
        # 3 + 2 + 2 tokens before it
        Step("turn", "B 9 actor", "sufficient yes rank B", {"tokens.context": 7, "tokens.written": 3}),
    ]


def test_demand_to_answer_is_a_step_without_a_call() -> None:
    row = episode()
    turns = [*row["turns"][:3], {"role": "agent", "text": "known"}, {"role": "tool", "text": "rank A"}]
    # a turn of 1 token after 7; the demand takes 2, the answer 1, then the end
    forced = episode(turns=turns, agent_mask=[0, 0, 0, 1, 1, 0, 0, 1, 0, 0, 1, 0])
    assert episode_steps(forced)[2:] == [
        Step("turn", "B 9 actor", "known", {"tokens.context": 7, "tokens.written": 1}),
        Step("made to answer", None, "rank A", {"tokens.context": 10, "tokens.written": 1}),
    ]


def test_call_that_the_tool_could_not_take_is_not_ok() -> None:
    call = episode()["tool_calls"][0] | {"ok": False, "arguments": ""}
    step = episode_steps(episode(tool_calls=[call]))[1]
    assert (step.is_ok, step.inputs) == (False, {})


def test_episode_that_never_began_has_no_steps() -> None:
    assert episode_steps(failed()) == []
