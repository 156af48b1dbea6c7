"""Reaches for rights that it was not given, over processes of its user, mounts, devices and files."""

import os
import signal
import stat

from trying import LIBC, append, call

CLONE_NEWUSER, CLONE_NEWNS, PTRACE_ATTACH, PTRACE_DETACH = 0x1000_0000, 0x2_0000, 16, 17


def apart(act):
    """In a child, so that a namespace that is made is left again with it."""

    def acted():
        reader, writer = os.pipe()
        if os.fork() == 0:
            try:
                act()
                os.write(writer, b"0")
            except OSError as error:
                os.write(writer, str(error.errno).encode())
            os._exit(0)
        os.wait()
        number = int(os.read(reader, 8))
        if number:
            raise OSError(number, "in a child")

    return acted


def mounted():
    call("unshare", CLONE_NEWNS)()
    # MS_REC | MS_PRIVATE: nothing of it is seen outside.
    call("mount", None, b"/", None, 0x4000 | 0x4_0000, None)()
    call("mount", b"none", b".", b"tmpfs", 0, None)()


def traced(number):
    def act():
        call("ptrace", PTRACE_ATTACH, number, 0, 0)()
        os.waitpid(number, 0x4000_0000)
        LIBC.ptrace(PTRACE_DETACH, number, 0, 0)

    return act


def made(name, mode):
    return lambda: os.close(os.open(name, os.O_CREAT | os.O_WRONLY, mode))


def tries(given):
    append("own.py")()
    return {
        "trace": traced(given["pid"]),
        "user namespace": apart(call("unshare", CLONE_NEWUSER)),
        "mount": apart(mounted),
        "chroot": apart(lambda: os.chroot(".")),
        "device": lambda: os.mknod("device", 0o666 | stat.S_IFCHR, os.makedev(1, 3)),
        "become root": lambda: os.setuid(0),
        "owner": lambda: os.chown("own.py", 1, 1),
        "set-user-ID": lambda: os.chmod("own.py", 0o4755),
        "set-user-ID at birth": made("born", 0o4755),
        "settings of the kernel": lambda: os.close(os.open("/proc/sys/kernel/core_pattern", os.O_WRONLY)),
        "memory of the machine": lambda: os.mknod("memory", 0o666 | stat.S_IFCHR, os.makedev(1, 1)),
        "signal": lambda: os.kill(given["pid"], signal.SIGKILL),
    }
