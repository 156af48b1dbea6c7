"""Starts more processes and threads than it may have. Bounded: 200 of each, which end with it."""

import os
import signal
import threading


def fork():
    made = []
    try:
        for _ in range(200):
            number = os.fork()
            if number == 0:
                signal.pause()
            made.append(number)
    finally:
        for number in made:
            os.kill(number, signal.SIGKILL)
            os.waitpid(number, 0)


def threads():
    over, made = threading.Event(), []
    try:
        for _ in range(200):
            made.append(threading.Thread(target=over.wait))
            made[-1].start()
    except RuntimeError as error:
        made.pop()
        raise BlockingIOError(11, "no more") from error
    finally:
        over.set()
        for one in made:
            one.join()


def tries(given):
    return {"processes": fork, "threads": threads}
