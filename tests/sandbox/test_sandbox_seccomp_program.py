"""The filter's program, read as the kernel reads it, on both architectures; and its numbers against other sources."""

from __future__ import annotations

import errno
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest
from classic_bpf import evaluate
from hypothesis import given
from hypothesis import strategies as st

from recto.problems import SandboxError
from recto.sandbox.seccomp import OFFLINE_RULES, RULES, UNSHARED_RULES, program
from recto.sandbox.seccomp.numbers import CALLS, NEWEST
from recto.sandbox.seccomp.rules import Rule

# AUDIT_ARCH_X86_64, _AARCH64, and those whose programs the same kernels run: _I386, _ARM.
ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
OLDER = {"x86_64": 0x40000003, "aarch64": 0x40000028}
ALLOW, ERROR, KILL = 0x7FFF0000, 0x00050000, 0x80000000
# Linux 6.6 and 6.15 brought them: headers and libraries may be older.
NEW_CALLS = {"fchmodat2", "open_tree_attr"}
EVERYTHING = (*RULES, *UNSHARED_RULES, *OFFLINE_RULES)

machines = st.sampled_from(sorted(ARCHITECTURES))
words = st.integers(0, 2**64 - 1)
# Mostly numbers that the rules compare with, some with an upper half that does not count.
interesting = sorted({value for rule in EVERYTHING for it in rule.conditions for value in it.values} | {3, 5, 40})
arguments = st.lists(
    st.one_of(words, st.sampled_from(interesting), st.sampled_from(interesting).map(lambda low: low | 0xABC << 32)),
    min_size=6,
    max_size=6,
)


assembled = cache(program)


def answer(machine: str, number: int, given: list[int], rules: tuple[Rule, ...] = RULES) -> int:
    """What a call comes to under the filter."""
    return evaluate(assembled(machine, rules), ARCHITECTURES[machine], number, given)


def refusal(rules: tuple[Rule, ...], call: str, given: list[int]) -> int | None:
    """The error that the first rule that says so has, by plain reading."""
    for rule in rules:
        holds = (((given[it.argument] & it.mask) in it.values) == it.among for it in rule.conditions)
        if call in rule.calls and all(holds):
            return rule.error
    return None


@pytest.mark.parametrize("machine", sorted(ARCHITECTURES))
@given(number=st.integers(0, NEWEST), given_=arguments)
def test_a_call_in_no_rule_is_allowed(machine: str, number: int, given_: list[int]) -> None:
    taken = {getattr(CALLS[call], machine) for rule in RULES for call in rule.calls}

    assert number in taken or answer(machine, number, given_) == ALLOW


@pytest.mark.parametrize("machine", sorted(ARCHITECTURES))
@pytest.mark.parametrize("rules", [RULES, EVERYTHING], ids=["shared", "everything"])
@given(call=st.sampled_from(sorted(CALLS)), given_=arguments)
def test_a_call_is_refused_exactly_where_a_rule_says_so(
    machine: str, rules: tuple[Rule, ...], call: str, given_: list[int]
) -> None:
    number = getattr(CALLS[call], machine)
    error = refusal(rules, call, given_)

    expected = ALLOW if error is None else ERROR | error

    assert number is None or answer(machine, number, given_, rules) == expected


@pytest.mark.parametrize("machine", sorted(ARCHITECTURES))
@pytest.mark.parametrize("rule", EVERYTHING, ids=lambda rule: f"{rule.calls[0]}-{rule.reason[:20]}")
def test_each_rule_refuses_each_of_its_calls_by_itself(machine: str, rule: Rule) -> None:
    given_ = [0] * 6
    for it in rule.conditions:
        given_[it.argument] = (
            it.values[0] if it.among else next(n for n in (7, 1 << 29, 0o4000) if n & it.mask not in it.values)
        )

    for call in rule.calls:
        if (number := getattr(CALLS[call], machine)) is not None:
            assert answer(machine, number, given_, (rule,)) == ERROR | rule.error


@given(machine=machines, number=st.integers(NEWEST + 1, 2**32 - 1), given_=arguments)
def test_a_call_newer_than_the_rules_is_answered_as_by_an_older_kernel(
    machine: str, number: int, given_: list[int]
) -> None:
    assert answer(machine, number, given_) == ERROR | errno.ENOSYS


@given(number=st.integers(0, NEWEST))
def test_the_other_abi_of_64_bit_processors_is_not_there(number: int) -> None:
    assert answer("x86_64", 0x40000000 | number, [0] * 6) == ERROR | errno.ENOSYS


@given(machine=machines, number=st.integers(0, 2**32 - 1), architecture=st.integers(0, 2**32 - 1))
def test_a_call_of_another_architecture_ends_the_process(machine: str, number: int, architecture: int) -> None:
    code = program(machine)

    for other in {architecture, *ARCHITECTURES.values(), OLDER[machine]} - {ARCHITECTURES[machine]}:
        assert evaluate(code, other, number) == KILL


@pytest.mark.parametrize("machine", sorted(ARCHITECTURES))
@pytest.mark.parametrize("family", range(46))
def test_four_families_of_sockets_are_left_and_two_without_a_network(machine: str, family: int) -> None:
    socket, pair = (getattr(CALLS[name], machine) for name in ("socket", "socketpair"))
    stream = [family, 1, 0, 0, 0, 0]

    online = {answer(machine, number, stream) for number in (socket, pair)}
    offline = {answer(machine, number, stream, (*RULES, *OFFLINE_RULES)) for number in (socket, pair)}

    assert online == ({ALLOW} if family in (1, 2, 10, 16) else {ERROR | errno.EPERM})
    assert offline == ({ALLOW} if family in (1, 16) else {ERROR | errno.EPERM})


@pytest.mark.parametrize("machine", sorted(ARCHITECTURES))
def test_what_interpreters_and_kernels_need_is_allowed(machine: str) -> None:
    # Threads and forks of glibc, sockets with flags, ordinary terminals, one's own limits.
    threads, fork = 0x3D0F00, 0x1200011
    needed = {
        "clone": ([threads], [fork]),
        "socket": ([1, 0x80001, 0], [2, 0x80801, 6], [10, 0x80002, 0], [16, 0x80003, 0]),
        "ioctl": ([0, 0x5401], [0, 0x5413], [0, 0x541B]),
        "personality": ([0xFFFFFFFF], [0]),
        "prlimit64": ([0, 7], [0, 9]),
    }

    for call, several in needed.items():
        for given_ in several:
            assert answer(machine, getattr(CALLS[call], machine), given_, (*RULES, *UNSHARED_RULES)) == ALLOW, call


def test_rules_and_numbers_are_of_the_same_calls() -> None:
    assert {call for rule in EVERYTHING for call in rule.calls} == set(CALLS)


def test_no_two_calls_have_one_number() -> None:
    for machine in ARCHITECTURES:
        numbers = [number for call in CALLS.values() if (number := getattr(call, machine)) is not None]
        assert len(set(numbers)) == len(numbers)


def test_an_architecture_without_rules_is_refused() -> None:
    with pytest.raises(SandboxError, match=r"`riscv64`.*`x86_64` and `aarch64`"):
        program("riscv64")


def _headers(machine: str) -> dict[str, int]:
    """The numbers of this machine's kernel headers for an architecture."""
    places = {
        "x86_64": [Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"), Path("/usr/include/asm/unistd_64.h")],
        "aarch64": [Path("/usr/include/asm-generic/unistd.h")],
    }
    found = next((place for place in places[machine] if place.exists()), None)
    if found is None:
        pytest.skip(f"no kernel headers of {machine}: install linux-libc-dev")
    # Where a call has a 64-bit form under the same number, the generic header names it after that.
    lines = re.findall(r"^#define __NR(?:3264)?_(\w+)\s+(\d+)$", found.read_text(), re.MULTILINE)
    return {name: int(number) for name, number in lines}


@pytest.mark.parametrize("machine", sorted(ARCHITECTURES))
def test_numbers_are_those_of_the_kernels_headers(machine: str) -> None:
    headers = _headers(machine)
    ours = {name: number for name, call in CALLS.items() if (number := getattr(call, machine)) is not None}
    # An old header does not know the newest.
    known = {name: number for name, number in ours.items() if name in headers or number <= max(headers.values())}

    assert set(ours) - set(known) <= NEW_CALLS
    assert {name: headers.get(name) for name in known} == known
    assert not {name for name in set(CALLS) - set(ours) if name in headers}


@pytest.mark.parametrize("machine", sorted(ARCHITECTURES))
def test_numbers_are_those_of_libseccomp(machine: str) -> None:
    resolver = shutil.which("scmp_sys_resolver")
    if resolver is None:
        pytest.skip("scmp_sys_resolver is not installed: it comes with Debian's package seccomp")
    theirs = {}
    for name in CALLS:
        said = subprocess.run([resolver, "-a", machine, name], capture_output=True, text=True, check=True).stdout
        theirs[name] = int(said)

    # Negative: a call that the architecture does not have, or one that this libseccomp does not know yet.
    unknown = {name for name, number in theirs.items() if number < 0}
    assert {name: number for name, number in theirs.items() if name not in unknown} == {
        name: getattr(call, machine) for name, call in CALLS.items() if name not in unknown
    }
    assert {name for name in unknown if getattr(CALLS[name], machine) is not None} <= NEW_CALLS
