"""One thread of a process that hangs while the others go on: stopped by ptrace, which needs nothing
of the program's own."""

import ctypes
import errno
import os
import pathlib

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_DETACH = 0x4206, 0x4207, 17
WALL = 0x40000000


def ptrace(request, thread):
    if LIBC.ptrace(request, thread, None, None) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def thread_of(pid, name):
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        if (task / "comm").read_text().strip() == name:
            return int(task.name)
    raise AssertionError(f"process {pid} has no thread {name}")


def is_permitted():
    """Whether this machine lets a process stop the thread of another."""
    child = os.fork()
    if child == 0:
        os.read(os.pipe()[0], 1)
        os._exit(0)
    try:
        ptrace(PTRACE_SEIZE, child)
    except OSError:
        return False
    finally:
        os.kill(child, 9)
        os.waitpid(child, WALL)
    return True


class Hung:
    """Holds one thread until `release()`. To be made and released by one thread of the test."""

    def __init__(self, pid, name):
        self.thread = thread_of(pid, name)
        ptrace(PTRACE_SEIZE, self.thread)
        ptrace(PTRACE_INTERRUPT, self.thread)
        os.waitpid(self.thread, WALL)

    def release(self):
        ptrace(PTRACE_DETACH, self.thread)

    def has_ended(self):
        """Whether somebody has killed its process; without this question it would stay a zombie."""
        try:
            thread, status = os.waitpid(self.thread, os.WNOHANG | WALL)
        except OSError as error:
            return error.errno == errno.ECHILD
        return thread != 0 and (os.WIFSIGNALED(status) or os.WIFEXITED(status))
