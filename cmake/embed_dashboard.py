#!/usr/bin/python3
"""embed_dashboard.py DIST OUT.cpp: the dashboard's built files, plain and compressed, in a C++
source. The same files give the same source, whichever Node.js built them."""

import gzip
import hashlib
import pathlib
import sys

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
PACKED = {".png", ".woff2"}  # compressed by themselves
PIECE = 96  # bytes a line; adjacent literals are one
SAFE = set(range(0x20, 0x7F)) - set(b'"\\?')


def literal(data):
    """Octal escapes are three digits long, so what follows never belongs to them."""
    pieces = [data[at:at + PIECE] for at in range(0, len(data), PIECE)] or [b""]
    return "\n".join(
        '     "' + "".join(chr(b) if b in SAFE else f"\\{b:03o}" for b in piece) + '"'
        for piece in pieces)


def row(dist, path):
    data = path.read_bytes()
    name = "/" + path.relative_to(dist).as_posix()
    packed = b"" if path.suffix in PACKED else gzip.compress(data, 9, mtime=0)
    tag = hashlib.sha256(data).hexdigest()[:20]
    # Vite puts a hash of the content into the names of what it builds.
    is_hashed = "true" if name.startswith("/assets/") else "false"
    return (f'    {{"{name}", "{TYPES[path.suffix]}", "\\"{tag}\\"", {is_hashed},\n'
            f"     {{\n{literal(data)}, {len(data)}}},\n"
            f"     {{\n{literal(packed)}, {len(packed)}}}}},\n")


def main():
    dist, target = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    paths = sorted(path for path in dist.rglob("*") if path.is_file())
    rows = "".join(row(dist, path) for path in paths)
    table = (f"constexpr DashboardFile kFiles[] = {{\n{rows}}};\n\n" if rows else "")
    target.write_text(
        f"// Made by {pathlib.Path(__file__).name} from what Vite built.\n"
        '#include "http/dashboard.hpp"\n\n'
        f"namespace cpm::http {{\n\n{table}"
        "std::span<DashboardFile const> dashboard_files() {\n"
        f"    return {'kFiles' if rows else '{}'};\n"
        "}\n\n} // namespace cpm::http\n", encoding="ascii")


if __name__ == "__main__":
    main()
