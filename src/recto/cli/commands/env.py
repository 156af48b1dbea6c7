"""`recto env`: environments of projects, and of the store."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from datetime import UTC, datetime

from recto.app import App
from recto.cli.console import Console
from recto.cli.project import declaration_at
from recto.cli.waiting import progress
from recto.environments import Environment, Explanation
from recto.environments.answers import in_words
from recto.environments.failures import Remembered
from recto.keys import Ingredients
from recto.problems import SettingsError, counted, problem, size
from recto.settings.readers import parse_size
from recto.store import Entry


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Does the action of the second word."""
    return ACTIONS[arguments.action](arguments, console)


def build(arguments: argparse.Namespace, console: Console) -> int:
    """Prints the interpreter of the project's environment, which is built if it is not there."""
    app = App()
    with progress(console) as show:
        environment = app.environments.ensure(declaration_at(arguments.path), app.grant, show, retry=arguments.retry)
    with environment:
        _print(environment, arguments.json, console)
    return 0


def update(arguments: argparse.Namespace, console: Console) -> int:
    """Prints what moved, and the interpreter."""
    app = App()
    with progress(console) as show:
        updated = app.environments.update(declaration_at(arguments.path), app.grant, show)
    with updated.environment as environment:
        if arguments.json:
            moved = [{"name": name, "before": was, "after": now} for name, was, now in updated.moved]
            console.json({**_environment(environment), "moved": moved})
            return 0
        console.say(f"Moved: {in_words(updated.moved)}." if updated.moved else "Nothing moved.")
        _print(environment, False, console)
    return 0


def _print(environment: Environment, as_json: bool, console: Console) -> None:
    console.problems(environment.remarks)
    if as_json:
        console.json(_environment(environment))
    else:
        console.data(str(environment.python))


def _environment(environment: Environment) -> dict[str, object]:
    return {
        "key": None if environment.key is None else environment.key.digest,
        "state": environment.origin,
        "python": str(environment.python),
        "problems": [remark.to_json() for remark in environment.remarks],
    }


def show(arguments: argparse.Namespace, console: Console) -> int:
    """Prints the manifest of the project's environment."""
    explanation = App().environments.explain(declaration_at(arguments.path))
    if arguments.json:
        console.json(
            {
                "key": None if explanation.environment_key is None else explanation.environment_key.digest,
                "state": explanation.state,
                "manifest": None if explanation.manifest is None else dict(explanation.manifest),
                "failure": _failure(explanation.failure),
            }
        )
        _tell(explanation.failure, console)
        return 0
    console.data(f"environment {explanation.environment_key or 'not resolved yet'} ({explanation.state})")
    manifest = explanation.manifest or {}
    for name in ("built_at", "build_seconds", "proof", "installed_bytes", "base"):
        if name in manifest:
            console.data(f"  {name.replace('_', ' '):16}{manifest[name]}")
    packages = explanation.environment.values("packages") if explanation.environment else ()
    for package in packages:
        console.data(f"  {package.split()[0]}")
    _show_failure(explanation.failure, console)
    return 0


def explain(arguments: argparse.Namespace, console: Console) -> int:
    """Prints every input of both keys."""
    explanation = App().environments.explain(declaration_at(arguments.path))
    if arguments.json:
        console.json(explanation_to_json(explanation))
        _tell(explanation.failure, console)
        return 0
    console.data(f"spec key {explanation.spec_key}")
    _ingredients(explanation.spec, console)
    if explanation.environment is None:
        console.data("environment key: not resolved yet")
    else:
        console.data(f"environment key {explanation.environment_key} ({explanation.state})")
        _ingredients(explanation.environment, console)
    _show_failure(explanation.failure, console)
    return 0


def explanation_to_json(explanation: Explanation) -> dict[str, object]:
    """The object of `env explain --json`."""
    return {
        "spec_key": explanation.spec_key.digest,
        "spec": explanation.spec.to_json(),
        "environment_key": None if explanation.environment_key is None else explanation.environment_key.digest,
        "environment": None if explanation.environment is None else explanation.environment.to_json(),
        "state": explanation.state,
        "failure": _failure(explanation.failure),
    }


def _failure(failure: Remembered | None) -> dict[str, object] | None:
    if failure is None:
        return None
    return {
        "since": _time(failure.since),
        "until": _time(failure.until),
        "under_caps": failure.under_caps,
        "problems": [found.to_json() for found in failure.error.problems],
    }


def _show_failure(failure: Remembered | None, console: Console) -> None:
    if failure is None:
        return
    until = _time(failure.until) + (", or until the limits change" if failure.under_caps else "")
    codes = dict.fromkeys(found.code for found in failure.error.problems if found.level == "error")
    console.data(f"failed {_time(failure.since)}: {', '.join(codes)}")
    console.data(f"remembered until {until}; `recto env build --retry` tries again now")
    _tell(failure, console)


def _tell(failure: Remembered | None, console: Console) -> None:
    """What failed, in words."""
    console.problems(() if failure is None else failure.error.problems)


def _ingredients(ingredients: Ingredients, console: Console) -> None:
    for name, value in ingredients.entries:
        if isinstance(value, str):
            console.data(f"  {name:16}{value or '-'}")
            continue
        console.data(f"  {name:16}{len(value) or '-'}")
        for item in value:
            console.data(f"    {item}")


def listing(arguments: argparse.Namespace, console: Console) -> int:
    """Prints the environments of the store, the one used last first."""
    entries = sorted(App().store.environments(), key=lambda entry: -entry.last_used)
    if arguments.json:
        console.json({"environments": [_entry(entry) for entry in entries]})
        return 0
    for entry in entries:
        marks = " ".join(word for word, on in (("pinned", entry.pinned), ("in use", entry.in_use)) if on)
        console.data(f"{entry.key.digest[:12]}  {size(entry.bytes):>9}  {_time(entry.last_used)}  {marks}".rstrip())
    console.say(counted(len(entries), "environment"))
    return 0


def _entry(entry: Entry) -> dict[str, object]:
    return {
        "key": entry.key.digest,
        "bytes": entry.bytes,
        "last_used": _time(entry.last_used),
        "pinned": entry.pinned,
        "in_use": entry.in_use,
    }


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def prune(arguments: argparse.Namespace, console: Console) -> int:
    """Prints what was removed."""
    try:
        budget = None if arguments.budget is None else parse_size(arguments.budget)
    except ValueError as error:
        raise SettingsError(
            problem("setting-invalid", name="--budget", value=arguments.budget, reason=str(error))
        ) from error
    app = App()
    pruned = app.store.prune(budget)
    left = app.sweep_temporary()
    if arguments.json:
        console.json({"removed": [key.digest for key in pruned.evicted], "freed_bytes": pruned.freed_bytes})
    else:
        console.data(f"removed {counted(len(pruned.evicted), 'environment')}, freed {size(pruned.freed_bytes)}")
    if left:
        console.say(f"Removed {counted(left, 'leftover')} of commands that were killed.")
    return 0


def finish(arguments: argparse.Namespace, console: Console) -> int:
    """Compiles what environments in use still lack, and waits where another process is at it."""
    app = App()
    if arguments.background:
        # Renders come first.
        os.nice(10)
    app.sweep_temporary()
    count = app.finishing.run(0.0 if arguments.background else app.settings.build_seconds)
    if arguments.json:
        console.json({"finished": count})
    else:
        console.data(f"finished {counted(count, 'environment')}")
    return 0


def pin(arguments: argparse.Namespace, console: Console) -> int:
    """Keeps an environment whatever its age."""
    return _on_entry(arguments, console, lambda store_app, entry: store_app.store.pin(entry.key), "pinned")


def unpin(arguments: argparse.Namespace, console: Console) -> int:
    """Lets an environment go again."""
    return _on_entry(arguments, console, lambda store_app, entry: store_app.store.unpin(entry.key), "unpinned")


def remove(arguments: argparse.Namespace, console: Console) -> int:
    """Removes an environment now."""
    return _on_entry(arguments, console, lambda store_app, entry: store_app.store.remove(entry.key), "removed")


def _on_entry(arguments: argparse.Namespace, console: Console, act: Callable[[App, Entry], object], done: str) -> int:
    app = App()
    entry = app.store.find(arguments.key)
    act(app, entry)
    if arguments.json:
        console.json({"key": entry.key.digest, "done": done})
    else:
        console.data(f"{done} {entry.key}")
    return 0


ACTIONS: dict[str, Callable[[argparse.Namespace, Console], int]] = {
    "build": build,
    "show": show,
    "explain": explain,
    "update": update,
    "list": listing,
    "prune": prune,
    "finish": finish,
    "pin": pin,
    "unpin": unpin,
    "rm": remove,
}
