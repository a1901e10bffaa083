"""A network of its own for this process and all that it starts: a loopback and nothing else, so no
packet can leave. Needs no root: without it, the process becomes root of a namespace of its own."""

import ctypes
import fcntl
import os
import pathlib
import signal
import socket
import struct

CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
SIOCSIFFLAGS, IFF_UP = 0x8914, 1
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None, use_errno=True)


def enter():
    """To be called before the first thread starts. OSError: no namespaces can be had here."""
    user, group = os.geteuid(), os.getegid()
    flags = CLONE_NEWNET | (CLONE_NEWUSER if user != 0 else 0)
    if LIBC.unshare(flags) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"no namespace can be made here: {os.strerror(error)}")
    if user != 0:
        pathlib.Path("/proc/self/setgroups").write_text("deny", "ascii")
        pathlib.Path("/proc/self/uid_map").write_text(f"0 {user} 1", "ascii")
        pathlib.Path("/proc/self/gid_map").write_text(f"0 {group} 1", "ascii")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))


def die_with_parent():
    """A preexec_fn: the kernel ends this process when the thread that started it ends."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
