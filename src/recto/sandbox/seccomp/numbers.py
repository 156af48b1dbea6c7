"""The numbers of system calls on the two architectures that are supported.

From Linux: arch/x86/entry/syscalls/syscall_64.tbl, and include/uapi/asm-generic/unistd.h for aarch64. From 424 on
both are one. A test compares them with the headers of the machine.
"""

from __future__ import annotations

from msgspec import Struct


class Numbers(Struct, frozen=True):
    """Of one call; None where the architecture never had it."""

    x86_64: int | None
    aarch64: int | None


# The newest call that the rules were read against: Linux 6.17, `file_setattr`. What comes later is answered as an older
# kernel answers it, which every program knows how to meet.
NEWEST = 469

CALLS = {
    name: Numbers(x86_64, aarch64)
    for name, x86_64, aarch64 in (
        ("_sysctl", 156, None),
        ("acct", 163, 89),
        ("add_key", 248, 217),
        ("adjtimex", 159, 171),
        ("bpf", 321, 280),
        ("chmod", 90, None),
        ("chroot", 161, 51),
        ("clock_adjtime", 305, 266),
        ("clock_settime", 227, 112),
        ("clone", 56, 220),
        ("clone3", 435, 435),
        ("creat", 85, None),
        ("create_module", 174, None),
        ("delete_module", 176, 106),
        ("fanotify_init", 300, 262),
        ("fchmod", 91, 52),
        ("fchmodat", 268, 53),
        ("fchmodat2", 452, 452),
        ("finit_module", 313, 273),
        ("fsconfig", 431, 431),
        ("fsmount", 432, 432),
        ("fsopen", 430, 430),
        ("fspick", 433, 433),
        ("get_kernel_syms", 177, None),
        ("init_module", 175, 105),
        ("io_uring_enter", 426, 426),
        ("io_uring_register", 427, 427),
        ("io_uring_setup", 425, 425),
        ("ioctl", 16, 29),
        ("ioperm", 173, None),
        ("iopl", 172, None),
        ("ioprio_set", 251, 30),
        ("kcmp", 312, 272),
        ("kexec_file_load", 320, 294),
        ("kexec_load", 246, 104),
        ("keyctl", 250, 219),
        ("lookup_dcookie", 212, 18),
        ("migrate_pages", 256, 238),
        ("mknod", 133, None),
        ("mknodat", 259, 33),
        ("modify_ldt", 154, None),
        ("mount", 165, 40),
        ("mount_setattr", 442, 442),
        ("move_mount", 429, 429),
        ("move_pages", 279, 239),
        ("mq_open", 240, 180),
        ("mq_unlink", 241, 181),
        ("msgctl", 71, 187),
        ("msgget", 68, 186),
        ("msgrcv", 70, 188),
        ("msgsnd", 69, 189),
        ("name_to_handle_at", 303, 264),
        ("nfsservctl", 180, 42),
        ("open", 2, None),
        ("open_by_handle_at", 304, 265),
        ("open_tree", 428, 428),
        ("open_tree_attr", 467, 467),
        ("openat", 257, 56),
        ("openat2", 437, 437),
        ("perf_event_open", 298, 241),
        ("personality", 135, 92),
        ("pidfd_getfd", 438, 438),
        ("pivot_root", 155, 41),
        ("prlimit64", 302, 261),
        ("process_madvise", 440, 440),
        ("process_mrelease", 448, 448),
        ("process_vm_readv", 310, 270),
        ("process_vm_writev", 311, 271),
        ("ptrace", 101, 117),
        ("query_module", 178, None),
        ("quotactl", 179, 60),
        ("quotactl_fd", 443, 443),
        ("reboot", 169, 142),
        ("request_key", 249, 218),
        ("semctl", 66, 191),
        ("semget", 64, 190),
        ("semop", 65, 193),
        ("semtimedop", 220, 192),
        ("setdomainname", 171, 162),
        ("sethostname", 170, 161),
        ("setns", 308, 268),
        ("setpriority", 141, 140),
        ("settimeofday", 164, 170),
        ("shmat", 30, 196),
        ("shmctl", 31, 195),
        ("shmdt", 67, 197),
        ("shmget", 29, 194),
        ("socket", 41, 198),
        ("socketpair", 53, 199),
        ("swapoff", 168, 225),
        ("swapon", 167, 224),
        ("syslog", 103, 116),
        ("umount2", 166, 39),
        ("unshare", 272, 97),
        ("uselib", 134, None),
        ("userfaultfd", 323, 282),
        ("vhangup", 153, 58),
        ("vmsplice", 278, 75),
    )
}
