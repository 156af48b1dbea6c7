"""`ensure`: the verb of the product.

    declaration ─▶ verdict ─▶ spec key ─┬─ known: environment key ─▶ lease
                                        └─ new: resolve ─▶ lock ─▶ verdict on the lock ─▶ build ─▶ publish ─▶ lease

Check, lock, check again: whoever finds the environment missing takes the mutex of the spec key and looks once more,
so that many requests for one new spec make one build. Requests in one process share a flight (see `flights`), which
takes the mutex for all of them. What failed is remembered for a while (see `failures`) and looked for in the same
places, so that many requests for what fails make one attempt. Nothing is locked, and no thread started, on the way of a
hit or of a failure that is remembered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from msgspec import Struct, field

from recto.builder.base import Builder
from recto.declaration.model import Declaration
from recto.environments.answers import Answers, environment_ingredients_of, environment_key, known_by, moves
from recto.environments.asks import Ask
from recto.environments.construction import Construction
from recto.environments.flight import Flight
from recto.environments.flights import Flights
from recto.environments.last_good import LastGood
from recto.environments.model import Checked, Environment, Explanation, Footing, Origin, State, Update
from recto.interpreters import Base
from recto.keys import ContentPolicy, EnvironmentKey, declaration_digest
from recto.policy import Grant, Plan, Policy, Verdict, judge_plan, judge_request
from recto.problems import BuildError, Problem, Refused, ResolveError
from recto.progress import Event, Progress, silent
from recto.resolver.base import Resolution, Resolver
from recto.store import Lease, Miss, Store

if TYPE_CHECKING:
    from recto.environments.failures import Failures
    from recto.environments.last_good import LastGood

Cancelled = Callable[[], bool]
T = TypeVar("T")
Found = TypeVar("Found")


def never() -> bool:
    """The answer of somebody who does not cancel."""
    return False


def nobody() -> None:
    """Finishes nothing: environments are right without it, and slower."""


class Options(Struct, frozen=True):
    """The operator's rules, and the parts of them that change what an environment contains."""

    policy: Policy = field(default_factory=Policy)
    content: ContentPolicy = field(default_factory=ContentPolicy)


class Environments:
    """Environments for declarations: built once, shared by everybody who asks for the same set."""

    def __init__(
        self,
        store: Store,
        resolver: Resolver,
        builder: Builder,
        base: Callable[[], Base],
        options: Options,
        finish: Callable[[], None] = nobody,
    ) -> None:
        """`finish` is called when an environment in use lacks bytecode: it sees to it and returns at once."""
        self._store = store
        self._base = base
        self._finish = finish
        self._policy = options.policy
        self._content = options.content
        self._construction = Construction(store, builder, options.policy, finish)
        self._answers = Answers(store, resolver, options.policy.resolve_seconds_max)
        self._ensuring = Flights[Environment](share=Environment.share, close=Environment.close)
        self._updating = Flights[Update](share=Update.share, close=Update.close)
        self._resolving = Flights[Resolution](share=_itself, close=_nothing)

    def ensure(
        self,
        declaration: Declaration,
        grant: Grant | None = None,
        progress: Progress = silent,
        cancelled: Cancelled = never,
        retry: bool = False,
    ) -> Environment:
        """The environment of this declaration, held until it is closed; use it as a context manager.

        Without a grant nothing is installed. Raises Refused, BaseError, ResolveError, BuildError, StoreError or
        Cancelled; nothing half made is left behind by any of them. `progress` and `cancelled` are called on this
        thread. Whoever cancels leaves the work to the others that ask for the same; the last one out stops it (see
        `flights`). What failed a short while ago is raised again, with a `failure-remembered` among its problems; with
        `retry` it is tried again.
        """
        ask = self._ask(declaration)
        if declaration.empty:
            return self._plain(ask.base, declaration.remarks)
        _allow(self.judge(declaration, grant))
        hit = self._hit(ask)
        if hit is not None:
            return hit
        occasion = self._occasion(ask, retry)
        return self._ensuring.join((ask.wording, retry), partial(self._prepare, ask, occasion), progress, cancelled)

    def plain(self) -> Environment:
        """The base interpreter with its own packages: what somebody gets who may not install."""
        return self._plain(self._base(), ())

    def keep_good(self, document: str, declaration: Declaration, environment: Environment) -> None:
        """Keeps in mind that the document of this name was rendered well with this environment.

        Does nothing where the policy has no use for it.
        """
        if self._policy.last_good:
            from recto.environments import last_good

            last_good.keep(self._store, document, declaration, self._base(), environment)

    def last_good(self, document: str, grant: Grant | None = None) -> LastGood | None:
        """What the document was last rendered with, where the policy allows to use it in place of what fails now.

        Held until its environment is closed.
        """
        if not self._policy.last_good:
            return None
        from recto.environments import last_good

        return last_good.find(self._store, document, self._base(), self._policy, grant or Grant())

    def judge(self, declaration: Declaration, grant: Grant | None) -> Verdict:
        """Whether this grant may have this declaration installed; resolves and downloads nothing."""
        if declaration.empty:
            return Verdict()
        return judge_request(self._policy, grant or Grant(), declaration_digest(declaration))

    def check(
        self,
        declaration: Declaration,
        grant: Grant | None = None,
        resolve: bool = True,
        progress: Progress = silent,
        cancelled: Cancelled = never,
        retry: bool = False,
    ) -> Checked:
        """The price tag: what would be installed, what the base has, and the verdict; installs nothing.

        A resolution that succeeds is kept, so that what was shown is what will be installed. Somebody without the
        right to install causes no resolution. What failed a short while ago is shown as failed, unless `retry`; only
        where a cap refused it is the price still worked out.
        """
        ask = self._ask(declaration)
        verdict = self.judge(declaration, grant)
        if declaration.empty:
            return Checked(declaration, ask.spec, None, "ready", verdict, Plan(), declaration.remarks)
        resolution, failed = self._answers.kept(ask.spec), tuple[Problem, ...]()
        try:
            occasion = self._occasion(ask, retry, refusals=False)
            if resolution is None and resolve and verdict.allowed:
                work = partial(self._price, ask, occasion)
                resolution = self._resolving.join((ask.wording, retry), work, progress, cancelled)
        except (ResolveError, BuildError) as error:
            failed = error.problems
        if resolution is None:
            state: State = "failed" if failed else self._state(ask, None)
            return Checked(declaration, ask.spec, None, state, verdict, None, (*failed, *declaration.remarks))
        key = environment_key(ask, resolution)
        verdict = Verdict((*verdict.problems, *judge_plan(self._policy, resolution.plan).problems))
        state = "failed" if failed else self._state(ask, key)
        found = (*failed, *resolution.remarks, *declaration.remarks)
        return Checked(declaration, ask.spec, key, state, verdict, resolution.plan, found)

    def explain(self, declaration: Declaration) -> Explanation:
        """Every input of the spec key and, once it was resolved, of the environment key; and what is remembered."""
        ask = self._ask(declaration)
        resolution = self._answers.kept(ask.spec)
        key = None if resolution is None else environment_key(ask, resolution)
        state = self._state(ask, key)
        failure = None if declaration.empty or state == "ready" else self._failures.known(ask)
        if failure is not None and state == "absent":
            state = "failed"
        if resolution is None or key is None:
            return Explanation(ask.spec, ask.ingredients, None, None, state, None, failure)
        manifest = self._store.manifest(key)
        return Explanation(
            spec_key=ask.spec,
            spec=ask.ingredients,
            environment_key=key,
            environment=environment_ingredients_of(ask, resolution),
            state=state,
            manifest=None if isinstance(manifest, Miss) else manifest,
            failure=failure,
        )

    def footing(self, declaration: Declaration, key: EnvironmentKey) -> Footing | None:
        """What shows that this environment is the answer, so that it can be given again without asking.

        None unless it is the finished answer now, as `ensure` would give it.
        """
        seen = self._store.seen(self._ask(declaration).spec, key)
        known = known_by(seen)
        if known is None or known.key != key or seen.mark_data is not None:
            return None
        return Footing(seen, (*known.remarks, *declaration.remarks))

    def update(
        self,
        declaration: Declaration,
        grant: Grant | None = None,
        progress: Progress = silent,
        cancelled: Cancelled = never,
    ) -> Update:
        """The environment after a fresh resolution, and what moved; when this fails, the last answer stays.

        Raises what `ensure` raises. It is always tried, whatever is remembered.
        """
        ask = self._ask(declaration)
        if declaration.empty:
            return Update(self._plain(ask.base, declaration.remarks), None, ())
        _allow(self.judge(declaration, grant))
        return self._updating.join(ask.wording, partial(self._renew, ask), progress, cancelled)

    def _ask(self, declaration: Declaration) -> Ask:
        return Ask.of(declaration, self._base(), self._content)

    def _plain(self, base: Base, remarks: tuple[Problem, ...]) -> Environment:
        return Environment(None, base.python, base.prefix, "base", remarks)

    def _hit(self, ask: Ask) -> Environment | None:
        known = self._answers.known(ask.spec)
        lease = None if known is None else self._lease(known.key)
        if known is None or lease is None:
            return None
        if self._store.is_unfinished(known.key):
            # Whoever was at it may have been killed.
            self._finish()
        return Environment.leased(lease, "cached", (*known.remarks, *ask.declaration.remarks))

    def _lease(self, key: EnvironmentKey) -> Lease | None:
        lease = self._store.lease(key)
        return None if isinstance(lease, Miss) else lease

    @property
    def _failures(self) -> Failures:
        # Not for a hit, like all that is imported inside of a function here.
        from recto.environments.failures import Failures

        return Failures(self._store, self._policy)

    def _occasion(self, ask: Ask, retry: bool, refusals: bool = True) -> str | None:
        """Raises what is remembered of this ask; for a `retry`, which failure that is."""
        if not retry:
            self._failures.tell(ask, refusals=refusals)
            return None
        known = self._failures.known(ask)
        return None if known is None else known.occasion

    def _prepare(self, ask: Ask, occasion: str | None, flight: Flight[Environment]) -> Environment:
        def look() -> Environment | None:
            hit = self._hit(ask)
            if hit is None:
                self._failures.tell(ask, occasion)
            return hit

        with self._alone(ask.spec.digest, flight, look) as hit:
            if hit is not None:
                return hit
            with self._failures.remembering(ask):
                kept = self._answers.kept(ask.spec)
                if kept is not None:
                    return self._realise(ask, kept, flight, kept=True)
                with self._construction.prepared(ask.base, flight.cancelled):
                    found = self._answers.found(ask, flight.progress, flight.cancelled)
                return self._realise(ask, found, flight)

    def _price(self, ask: Ask, occasion: str | None, flight: Flight[Resolution]) -> Resolution:
        def look() -> Resolution | None:
            kept = self._answers.kept(ask.spec)
            if kept is None:
                self._failures.tell(ask, occasion, refusals=False)
            return kept

        with self._alone(ask.spec.digest, flight, look) as kept:
            if kept is not None:
                return kept
            with self._failures.remembering(ask):
                resolution = self._answers.found(ask, flight.progress, flight.cancelled)
            self._failures.forget(ask.spec)
            self._answers.keep(ask, resolution)
            return resolution

    def _renew(self, ask: Ask, flight: Flight[Update]) -> Update:
        before, renewal = self._answers.kept(ask.spec), self._answers.renewal(ask.spec)
        with self._alone(ask.spec.digest, flight, lambda: None):
            # Another process may have updated it since then, while this one waited: that is as new as was asked for.
            latest = self._answers.kept(ask.spec)
            shared = None if self._answers.renewal(ask.spec) == renewal else latest
            # Where there is an answer it stays in force, and that there is no newer one is no reason to withhold it.
            with self._failures.remembering(ask) if latest is None else nullcontext():
                fresh = shared or self._answers.fresh(ask, flight.progress, flight.cancelled, current=True)
                environment = self._realise(ask, fresh, flight, renewed=shared is None)
        if before is None:
            return Update(environment, None, ())
        return Update(environment, environment_key(ask, before), moves(before.lock, fresh.lock))

    def _realise(
        self, ask: Ask, resolution: Resolution, flight: Flight[T], renewed: bool = False, kept: bool = False
    ) -> Environment:
        """The environment of this resolution; the resolution becomes the answer then, unless it is `kept` as that."""
        # It reads and writes TOML.
        from recto.environments.resolutions import written

        _allow(judge_plan(self._policy, resolution.plan))
        resolution = written(resolution)
        key = environment_key(ask, resolution)
        origin: Origin = "cached"
        lease = self._lease(key)
        if lease is None:
            with self._alone(key.digest, flight, partial(self._lease, key)) as lease:
                if lease is None:
                    lease = self._construction.build(ask, key, resolution, flight.progress, flight.cancelled)
                    origin = "built"
        self._failures.forget(ask.spec)
        if not (kept and self._answers.settled(ask.spec, key)):
            self._answers.keep(ask, resolution, renewed)
        return Environment.leased(lease, origin, (*resolution.remarks, *ask.declaration.remarks))

    @contextmanager
    def _alone(self, name: str, flight: Flight[T], look: Callable[[], Found | None]) -> Iterator[Found | None]:
        """What `look` finds, or None and nobody else in a block with this name: check, lock, check again.

        Whoever waits, in this process or another, hears what the one in the block does, and looks again meanwhile.
        """
        found: list[Found] = []

        def needless() -> bool:
            seen = look()
            found.extend([] if seen is None else [seen])
            return seen is not None

        mutex = self._store.mutex(
            name,
            wait_seconds=self._policy.resolve_seconds_max + self._policy.build_seconds_max,
            waiting=lambda: flight.progress(Event("installing", "the same packages are being prepared already")),
            cancelled=flight.cancelled,
            heard=flight.hear,
            needless=needless,
        )
        with mutex as turn:
            if turn is None:
                yield found[0]
                return
            with flight.holding(turn):
                yield look()

    def _state(self, ask: Ask, key: EnvironmentKey | None) -> State:
        if key is not None and self._store.has(key):
            return "ready"
        return "building" if self._store.busy(ask.spec.digest) else "absent"


def _allow(verdict: Verdict) -> None:
    if not verdict.allowed:
        raise Refused(verdict.problems)


def _itself(resolution: Resolution) -> Resolution:
    return resolution


def _nothing(resolution: Resolution) -> None:
    """A resolution holds nothing that would have to be given up."""
