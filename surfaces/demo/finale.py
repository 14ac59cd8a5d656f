"""The end of the demo: what the nine systems of an onboarding hold, what the journal proves, where to go next."""

from __future__ import annotations

from rich.text import Text

from runtime.settings import Settings
from runtime.views import RunView
from surfaces.cli.processes import program
from surfaces.cli.screen import Screen, rule
from surfaces.cli.tables import count, listing, short
from surfaces.demo.acceptance import Result


def show_result(screen: Screen, result: Result, view: RunView) -> None:
    """The nine systems, counted by themselves, and the proof."""
    table = listing("", "system", "holds", "times", "id", "", wrap=("",))
    for counted in result.counted:
        good = counted.times == 1
        table.add_row(
            Text("✓" if good else "✗", style="green" if good else "red"),
            counted.wanted.system,
            counted.wanted.what,
            str(counted.times),
            counted.id,
            Text(counted.wanted.words, style="dim"),
        )
    screen.show(rule("7  What the nine systems hold, counted by themselves"), table)
    screen.show(rule("8  What the journal proves"))
    if result.retried is not None:
        screen.show(_good(f"a retry: {result.retried.step} failed ({result.retried.failure.message}), then went well"))
    if result.reconciled is not None:
        evidence = f" ({result.reconciled.evidence})" if result.reconciled.evidence else ""
        screen.show(
            _good(
                f"a reconcile: the answer for {result.reconciled.step} was lost; the system says it happened{evidence}"
            )
        )
    if result.verified.ok:
        screen.show(_good(f"a chain that holds: {result.verified.entries} entries, each sealed to the one before"))
    decided = [review for review in view.reviews if review.verdict is not None]
    screen.show(
        _good(
            f"who decided: {count(len(decided), 'verdict')} by people, {count(len(view.decisions), 'decision')} in all"
        )
    )


def show_way_on(screen: Screen, settings: Settings, run_id: str) -> None:
    """Where to go next."""
    here = f"STEWARD_STATE={settings.state} {program()}"
    ways = (
        ("make chat", "the same in the browser: type the sentence, answer the reviews"),
        (f"{here} show {short(run_id)}", "this run, whole: every decision with its reason"),
        (f"{here} sandbox", "Acme as the demo left it, with the page that counts effects"),
        ("docs/index.md", "how it works, and how to add a system of your own"),
    )
    screen.show(rule("Where to go next"))
    for way, what in ways:
        screen.show(Text(way, style="cyan"), Text(f"    {what}", style="dim"))


def _good(words: str) -> Text:
    return Text("✓ ", style="green").append(words, style="default")
