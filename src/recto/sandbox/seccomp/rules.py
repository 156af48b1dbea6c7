"""What a contained command may not ask of the kernel, and why.

Everything that no rule names is allowed: a list of what is allowed breaks kernels, Node and Deno with each of their
releases. So each rule stands for a way out of the sandbox, into other processes, or into parts of the kernel that
documents have no use for and that have had more than their share of holes.

Landlock is not denied: who wants to lock themselves in further may.
"""

from __future__ import annotations

import errno

from msgspec import Struct

INT = 0xFFFF_FFFF
# socket(2), linux/socket.h.
AF_UNIX, AF_INET, AF_INET6, AF_NETLINK = 1, 2, 10, 16
SOCK_STREAM, SOCK_DGRAM, SOCK_TYPE_MASK = 1, 2, 0xF
NETLINK_ROUTE = 0
# CLONE_NEWNS, _NEWCGROUP, _NEWUTS, _NEWIPC, _NEWUSER, _NEWPID, _NEWNET of linux/sched.h. CLONE_NEWTIME shares its bit
# with the signal of clone(2) and means something in unshare and clone3 only.
NEW_NAMESPACES = 0x0002_0000 | 0x0200_0000 | 0x0400_0000 | 0x0800_0000 | 0x1000_0000 | 0x2000_0000 | 0x4000_0000
# linux/stat.h: the bits that make a program run as its owner, or as its group. asm-generic/fcntl.h: what makes
# a file; the second without O_DIRECTORY, which it comes with.
S_ISUID, S_ISGID = 0o4000, 0o2000
O_CREAT, O_TMPFILE = 0o100, 0o20000000
# asm-generic/ioctls.h.
TIOCSTI, TIOCLINUX, TIOCSETD = 0x5412, 0x541C, 0x5423
# linux/personality.h: PER_LINUX, PER_LINUX32, UNAME26 with either, and the question which one it is.
HARMLESS_PERSONALITIES = (0, 0x8, 0x2_0000, 0x2_0008, INT)
# linux/resource.h, linux/ioprio.h.
PRIO_USER, IOPRIO_WHO_USER = 2, 3


class Condition(Struct, frozen=True):
    """Holds where `argument` (from 0), of which the bits of `mask` count, is one of `values`; or none, if not `among`.

    The kernel takes all of these arguments as 32 bits wide, so that what stands above counts for it as little as here.
    """

    argument: int
    values: tuple[int, ...]
    mask: int = INT
    among: bool = True


class Rule(Struct, frozen=True):
    """Each of `calls`, where all conditions hold, fails with `error` (errno(3)) and does nothing."""

    calls: tuple[str, ...]
    reason: str
    conditions: tuple[Condition, ...] = ()
    error: int = errno.EPERM


_NO_NAMESPACES = (
    Rule(
        ("unshare", "setns"),
        "A user namespace of its own gives all privileges over new parts of the kernel.",
    ),
    Rule(("clone",), "The same, by another door.", (Condition(0, (0,), NEW_NAMESPACES, among=False),)),
    Rule(
        ("clone3",),
        "Its flags stand in memory, where no filter can look; C libraries fall back to clone where it is missing.",
        error=errno.ENOSYS,
    ),
)

_NO_MOUNTS = (
    Rule(
        (
            *("mount", "umount2", "pivot_root", "chroot"),
            *("fsopen", "fsconfig", "fsmount", "fspick", "move_mount", "open_tree", "open_tree_attr", "mount_setattr"),
        ),
        "What is shown read-only, or not at all, stays so.",
    ),
    Rule(
        ("open_by_handle_at", "name_to_handle_at"),
        "A handle opens any file of a file system, wherever it is shown.",
    ),
)

_NO_OTHER_PROCESSES = (
    Rule(
        ("ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd", "kcmp"),
        "Other processes' memory and descriptors are theirs.",
    ),
)

_NO_RARE_PARTS = (
    Rule(
        ("keyctl", "add_key", "request_key"),
        "Keyrings belong to the user, not to the sandbox.",
    ),
    Rule(("bpf",), "Programs in the kernel."),
    Rule(("perf_event_open",), "It measures other processes and the kernel."),
    Rule(("userfaultfd",), "It stops the kernel in the middle of a call, which most exploits of races want."),
    Rule(
        ("io_uring_setup", "io_uring_enter", "io_uring_register"),
        "Calls that are made through it pass by this filter.",
    ),
    Rule(("fanotify_init",), "It watches files of other processes."),
    Rule(("modify_ldt", "ioperm", "iopl", "uselib"), "Ways of old programs, with a history of holes."),
    Rule(("vmsplice",), "It lends memory to pipes instead of copying it: CVE-2008-0600, CVE-2020-29374."),
    Rule(
        ("ioctl",),
        "They type into the terminal of whoever watches, or change what drives it.",
        (Condition(1, (TIOCSTI, TIOCLINUX, TIOCSETD)),),
    ),
    Rule(
        ("personality",),
        "Some make memory easier to attack: no randomness of addresses, readable means executable.",
        (Condition(0, HARMLESS_PERSONALITIES, among=False),),
    ),
)


def _lends(argument: int) -> Condition:
    """Holds where the mode lends the owner's or the group's rights."""
    return Condition(argument, (0,), S_ISUID | S_ISGID, among=False)


def _making(call: str, argument: int) -> tuple[Rule, ...]:
    """No file is made by opening it with such a mode; where an opening makes none, its mode is rubbish."""
    conditions = ((Condition(argument - 1, (bit,), bit), _lends(argument)) for bit in (O_CREAT, O_TMPFILE))
    return tuple(Rule((call,), "The same.", both) for both in conditions)


# What is left in a project is seen outside of the sandbox too, where programs may lend rights. That a directory hands
# its group on cannot be asked for either: the kernel has one bit for both.
_NO_LENT_RIGHTS = (
    Rule(
        ("chmod", "fchmod", "creat", "mknod"),
        "A program that is left in a project would run as whoever rendered, for everybody who can reach it.",
        (_lends(1),),
    ),
    Rule(("fchmodat", "fchmodat2", "mknodat"), "The same.", (_lends(2),)),
    *_making("open", 2),
    *_making("openat", 3),
    Rule(
        ("openat2",),
        "Its mode stands in memory, where no filter can look; programs fall back to openat where it is missing.",
        error=errno.ENOSYS,
    ),
)

_NO_MACHINE = (
    Rule(
        ("kexec_load", "kexec_file_load", "reboot"),
        "The machine goes on with its own kernel.",
    ),
    Rule(
        ("init_module", "finit_module", "delete_module", "create_module", "query_module", "get_kernel_syms"),
        "Code in the kernel.",
    ),
    Rule(
        ("swapon", "swapoff", "acct", "quotactl", "quotactl_fd", "nfsservctl", "vhangup", "lookup_dcookie", "_sysctl"),
        "Administration of the machine.",
    ),
    Rule(("settimeofday", "clock_settime", "adjtimex", "clock_adjtime"), "The clock is everybody's."),
    Rule(("sethostname", "setdomainname"), "So is the name."),
    Rule(("syslog",), "The kernel's log holds addresses, and what other users did."),
)


def _sockets(*families: int) -> tuple[Rule, ...]:
    """No sockets but of these families, and of them the usual kinds."""
    return (
        Rule(
            ("socket", "socketpair"),
            "A network namespace does not hold AF_VSOCK, which leads to the hypervisor; and a family loads its module.",
            (Condition(0, families, among=False),),
        ),
        Rule(
            ("socket",),
            "Of the kernel's own channels only the one that lists interfaces, which message libraries ask.",
            (Condition(0, (AF_NETLINK,)), Condition(2, (NETLINK_ROUTE,), among=False)),
        ),
        Rule(
            ("socket",),
            "Streams and datagrams are all that documents use: no raw packets, DCCP or SCTP's.",
            (
                Condition(0, (AF_INET, AF_INET6)),
                Condition(1, (SOCK_STREAM, SOCK_DGRAM), SOCK_TYPE_MASK, among=False),
            ),
        ),
    )


_EVERYWHERE = (*_NO_NAMESPACES, *_NO_MOUNTS, *_NO_OTHER_PROCESSES, *_NO_RARE_PARTS, *_NO_LENT_RIGHTS, *_NO_MACHINE)

# Of a command in namespaces of its own.
RULES = (*_sockets(AF_UNIX, AF_INET, AF_INET6, AF_NETLINK), *_EVERYWHERE)

_SELF = (Condition(0, (0,), among=False),)

# Of one without, beside `RULES`: what namespaces would hide from it.
UNSHARED_RULES = (
    Rule(
        (
            *("shmget", "shmat", "shmctl", "shmdt", "semget", "semop", "semtimedop", "semctl"),
            *("msgget", "msgsnd", "msgrcv", "msgctl", "mq_open", "mq_unlink"),
        ),
        "Shared memory, semaphores and queues of System V and POSIX have no place in the file system to be hidden.",
    ),
    Rule(
        ("prlimit64",),
        "Limits of other processes of the same user; of itself, a process says 0.",
        _SELF,
    ),
    Rule(
        ("move_pages", "migrate_pages"),
        "Memory of other processes of the same user.",
        _SELF,
    ),
    Rule(("process_madvise", "process_mrelease"), "The same, by descriptor."),
    Rule(
        ("setpriority", "ioprio_set"),
        "Priorities of other processes and groups.",
        (Condition(1, (0,), among=False),),
    ),
    Rule(("setpriority",), "Priorities of all processes of the user.", (Condition(0, (PRIO_USER,)),)),
    Rule(("ioprio_set",), "The same.", (Condition(0, (IOPRIO_WHO_USER,)),)),
)

# Of one that may not reach a network and has no network namespace. Unix sockets stay: kernels answer over them.
OFFLINE_RULES = _sockets(AF_UNIX, AF_NETLINK)
