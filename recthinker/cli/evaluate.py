"""`recthinker evaluate`: the evaluation of the model that serves, as tables."""

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table

from recthinker.registry import EVALUATION_FILE, TEMPORAL_FILE, Registry
from recthinker.report import Evaluation, read_evaluation
from recthinker.report.adaptivity import Adaptivity, Figure, FurtherCalls
from recthinker.report.evaluation import Shuffles
from recthinker.settings import Settings


def show_evaluation(settings: Settings, protocol: str, console: Console) -> None:
    """Print what was logged with the model that serves, by `protocol`."""
    registry = Registry(settings)
    version = registry.resolve()
    name = TEMPORAL_FILE if protocol.startswith("temporal") else EVALUATION_FILE
    evaluation = read_evaluation(registry.evaluation(version, name))
    if evaluation is None:
        console.print(f"model {version} keeps no evaluation (model.path); the job's last line has the figures")
        return
    console.print(evaluation.protocol, style="dim")
    title = f"Model {version}, {evaluation.users:,} users, {evaluation.left_out:,} left out"
    console.print(_systems(evaluation, title))
    if evaluation.shuffles:
        console.print(_shuffles(evaluation.shuffles))
    if evaluation.segments:
        console.print(_segments(evaluation))
    if evaluation.ablations:
        console.print(_ablations(evaluation))
    if evaluation.adaptivity:
        console.print(_adaptivity(evaluation.adaptivity))
        console.print(_effort(evaluation.adaptivity))
    if evaluation.further_calls:
        console.print(_further(evaluation.further_calls))
    console.print(_probes(evaluation))


def _systems(evaluation: Evaluation, title: str) -> Table:
    k = evaluation.k
    leads = {pair.against: pair for pair in evaluation.paired}
    table = _table(title, "system", f"NDCG@{k}", f"HR@{k}", "MRR", "agent minus it")
    for one in evaluation.systems:
        lead = leads.get(one.name)
        table.add_row(
            one.name,
            f"{one.ndcg:.3f} [{one.ndcg_low:.3f}, {one.ndcg_high:.3f}]",
            f"{one.hr:.3f} [{one.hr_low:.3f}, {one.hr_high:.3f}]",
            "" if one.mrr is None else f"{one.mrr:.3f} [{one.mrr_low:.3f}, {one.mrr_high:.3f}]",
            f"{lead.difference:+.3f} [{lead.low:+.3f}, {lead.high:+.3f}]" if lead else "",
        )
    chance = evaluation.chance
    mrr = "" if chance.mrr is None else f"{chance.mrr:.3f}"
    table.add_row("a random order, by rule", f"{chance.ndcg:.3f}", f"{chance.hr:.3f}", mrr, "")
    return table


def _shuffles(shuffles: Shuffles) -> str:
    orders = ", ".join(f"{order.ndcg:.3f}" for order in shuffles.orders)
    return (
        f"In each order shown: {orders}; it changes the NDCG of {shuffles.users_moved:.0%} of the users, a user's by "
        f"{shuffles.user_sd:.3f} (sd); ranks correlate with the order shown by {shuffles.order_correlation:+.3f}."
    )


def _segments(evaluation: Evaluation) -> Table:
    names = [system.name for system in evaluation.systems]
    table = _table(f"NDCG@{evaluation.k} by segment", "segment", "users", *names)
    for part in evaluation.segments:
        table.add_row(f"{part.name}: {part.rule}", f"{part.users:,}", *(f"{one.ndcg:.3f}" for one in part.systems))
    return table


def _ablations(evaluation: Evaluation) -> Table:
    table = _table(f"The agent with less to read, NDCG@{evaluation.k}", "what", "NDCG", "calls", "all tools lead by")
    for one in evaluation.ablations:
        lead = f"{one.lead.difference:+.3f} [{one.lead.low:+.3f}, {one.lead.high:+.3f}]"
        table.add_row(one.name, f"{one.ndcg:.3f}", f"{one.calls:.2f}", lead)
    return table


def _adaptivity(effort: Adaptivity) -> Table:
    title = "Does it call more where it would be wrong?"
    wrong, right = f"wrong without tools, {effort.wrong_users:,}", f"right without tools, {effort.right_users:,}"
    table = _table(title, "episodes", wrong, right, "difference")
    for name, one in (
        ("with any call", effort.any_call),
        (f"with {effort.extra}", effort.extra_call),
        ("calls of each", effort.mean_calls),
    ):
        table.add_row(name, _told(one.wrong), _told(one.right), _told(one.difference, "+"))
    return table


def _further(stops: Iterable[FurtherCalls]) -> Table:
    title = "Does it call again where it would be wrong by then?"
    table = _table(title, "after", "wrong by then", "right by then", "difference", "NDCG that calling on added")
    for one in stops:
        shares = (
            f"{_told(share)} of {users:,}"
            for share, users in ((one.further.wrong, one.wrong_users), (one.further.right, one.right_users))
        )
        table.add_row(one.calls, *shares, _told(one.further.difference, "+"), _told(one.gain, "+"))
    return table


def _effort(effort: Adaptivity) -> str:
    bins = "; ".join(f"{one.shortest:,}-{one.longest:,} {_told(one.calls)}" for one in effort.history_bins)
    gains = "; ".join(f"{one.calls} {_told(one.gain, '+')}" for one in effort.gains)
    return (
        f"Calls by events before the target: {bins}.\n"
        f"Spearman of calls with these events {_told(effort.history, '+')}, with NDCG without tools "
        f"{_told(effort.blind_ndcg, '+')}.\n"
        f"{effort.extra.capitalize()}, as a guess that it is wrong without tools: precision {_told(effort.precision)}, "
        f"by chance {_told(effort.wrong_share)}; recall {_told(effort.recall)}; restraint {_told(effort.restraint)}.\n"
        f"NDCG that tools add, by calls made: {gains}."
    )


def _told(figure: Figure | None, sign: str = "") -> str:
    """A figure with its interval, where there is one."""
    if figure is None:
        return "not told"
    return f"{figure.value:{sign}.3f} [{figure.low:{sign}.3f}, {figure.high:{sign}.3f}]"


def _probes(evaluation: Evaluation) -> Table:
    table = _table("Probes for leaks", "probe", "value", "", "expected")
    for probe in evaluation.probes:
        verdict = "[red]alarm[/red]" if probe.is_alarm else "[green]quiet[/green]"
        table.add_row(probe.name, f"{probe.value:.3f}", verdict, probe.expectation)
    return table


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for name in columns:
        table.add_column(name)
    return table
