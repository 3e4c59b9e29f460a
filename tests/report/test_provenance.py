from recthinker.report.provenance import Changed, changed_settings

DEFAULTS = {"rl": {"steps": 60, "lr": 0.1}, "model": {"path": None}, "tools": {"enabled": ["a", "b"]}, "paths": {}}


def test_only_what_differs_is_told_with_its_default() -> None:
    settings = {"rl": {"steps": 30, "lr": 0.1}, "model": {"path": "m"}, "tools": {"enabled": ["a"]}}
    assert changed_settings(settings, DEFAULTS) == (
        Changed("model.path", "m", "none"),
        Changed("rl.steps", "30", "60"),
        Changed("tools.enabled", "a", "a, b"),
    )


def test_a_setting_that_is_no_more_is_told() -> None:
    assert changed_settings({"rl": {"gone": 1}}, DEFAULTS) == (Changed("rl.gone", "1", "no such setting"),)


def test_settings_within_a_setting_are_told_by_their_path() -> None:
    assert changed_settings({"a": {"b": {"c": 1}}}, {"a": {"b": {"c": 2}}}) == (Changed("a.b.c", "1", "2"),)
