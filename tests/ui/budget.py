"""budget.py DIST: what a browser loads of the dashboard stays small (120 kB of compressed
JavaScript and CSS in all), and comes from nowhere else."""

import gzip
import pathlib
import re
import sys

BUDGET = 120 * 1000


def main():
    dist = pathlib.Path(sys.argv[1])
    files = sorted(path for path in dist.rglob("*") if path.suffix in (".js", ".css"))
    sizes = {path: len(gzip.compress(path.read_bytes(), 9, mtime=0)) for path in files}
    for path, size in sizes.items():
        print(f"{size:8d}  {path.relative_to(dist)}")
    total = sum(sizes.values())
    print(f"{total:8d}  of {BUDGET}")
    elsewhere = re.compile(r"(?:url\(|src=|href=)[\"']?((?:https?:)?//[^\"')]+)")
    foreign = [f"{path.name}: {found}" for path in dist.rglob("*")
               if path.suffix in (".css", ".html")
               for found in elsewhere.findall(path.read_text(encoding="utf-8"))]
    print("\n".join(foreign))
    sys.exit(1 if not files or total > BUDGET or foreign else 0)


if __name__ == "__main__":
    main()
