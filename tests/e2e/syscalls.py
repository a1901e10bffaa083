"""System calls of a process as strace -f -y tells them, in the order in which they happened: each
call with the place of its beginning and of its end among all, so that "before" can be shown."""

import codecs
import dataclasses
import re
import subprocess

# What reads, writes, makes durable or renames; sockets too.
CALLS = ("fdatasync,fsync,write,writev,pwrite64,pwritev,sendmsg,sendto,recvmsg,recvfrom,read,readv,"
         "rename,renameat,renameat2,accept4")
LONGEST = 1 << 20  # bytes of a string that are shown

_LINE = re.compile(r"(\d+) +(.*)", re.S)
_RESUMED = re.compile(r"<\.\.\. (\w+) resumed>(.*)", re.S)
_CALL = re.compile(r"(\w+)\((.*)\) += (-?\d+)", re.S)
_FILE = re.compile(r"\d+<([^>]*)>")
_TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"', re.S)


def prefix(output):
    """The command that runs another one and writes down its system calls."""
    return ["strace", "-f", "-y", "-qq", "-s", str(LONGEST), "-e", f"trace={CALLS}",
            "-e", "signal=none", "-o", str(output)]


def is_permitted():
    """Whether this machine lets strace look at a process."""
    run = subprocess.run(["strace", "-f", "-o", "/dev/null", "true"], capture_output=True)
    return run.returncode == 0


@dataclasses.dataclass
class Call:
    """A system call that returned. `began` and `ended` count the lines of the trace; `file` is the
    path (or socket) of its first argument, `texts` are its strings as bytes."""
    name: str
    began: int
    ended: int
    file: str
    texts: list
    result: int

    @property
    def data(self):
        return b"".join(self.texts)


def read_calls(path):
    """All calls, in the order in which they ended."""
    calls, open_calls = [], {}
    for number, line in enumerate(path.read_text(errors="surrogateescape").splitlines()):
        process, text = _LINE.fullmatch(line).groups()
        if text.endswith("<unfinished ...>"):
            open_calls[process] = (number, text.removesuffix("<unfinished ...>").rstrip())
            continue
        began = number
        if resumed := _RESUMED.match(text):
            began, start = open_calls.pop(process)
            text = start + resumed.group(2)
        if match := _CALL.match(text):
            name, arguments, result = match.groups()
            file = _FILE.match(arguments)
            calls.append(Call(name, began, number, file.group(1) if file else "",
                              [_unescape(t) for t in _TEXT.findall(arguments)], int(result)))
    return calls


def _unescape(text):
    return codecs.decode(text, "unicode_escape").encode("latin-1")
