"""Leaves a process that is out of its session, parent, environment and descriptors; it ends after a minute."""

import os
import signal


def leave(mark):
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
            for stream in (0, 1, 2):
                os.close(stream)
            os.execve("/bin/sh", ["sh", "-c", "sleep 60; exit", mark], {})
        os._exit(0)
    os.close(writer)
    os.wait()
    # The end of it comes with the program that the daemon becomes.
    os.read(reader, 1)


def tries(given):
    return {"daemon": lambda: leave(given["mark"])}
