"""Plants the bugs of plants.toml.

plant.py sources PLANTS            the sources that bugs are planted in, one a line
plant.py list PLANTS OUT           the list of them for main.cpp
plant.py copy PLANTS ROOT FILE OUT FILE with its bugs
plant.py absent PLANTS FILE…       fails if one of these object files or programs has a planted bug
"""
import sys
import tomllib
from pathlib import Path

MARK = "is_planted"  # what every planted bug asks
MARKS = [MARK.encode(), b"planted_bug"]


def read(path):
    with open(path, "rb") as file:
        return tomllib.load(file)["plant"]


def sources(path):
    print("\n".join(sorted({plant["file"] for plant in read(path)})))


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def make_list(path, out):
    rows = []
    for plant in read(path):
        texts = ", ".join(quoted(plant[key]) for key in ("name", "file", "what"))
        breaks = ", ".join(quoted(name) for name in plant["breaks"])
        rows.append(f"{{{texts}, {{{breaks}}}, {plant['seed']}}},\n")
    Path(out).write_text("".join(rows))


def copy(path, root, name, out):
    text = (Path(root) / name).read_text()
    for number, plant in enumerate(read(path), start=1):
        if plant["file"] != name:
            continue
        before, after = plant["before"].strip("\n"), plant["after"].strip("\n")
        if text.count(before) != 1:
            sys.exit(f"{path}: {plant['name']}: its text \"before\" is in {name} "
                     f"{text.count(before)} times, not once: bring it up to date")
        text = text.replace(before, after.replace("PLANTED", f"::cpm::sim::{MARK}({number})"))
    Path(out).write_text(f'#include "tests/sim/planted/planted.hpp"\n#line 1 "{name}"\n{text}')


def absent(path, files):
    marks = MARKS + [plant["name"].encode() for plant in read(path)]
    found = [f"{file}: has {mark.decode()}" for file in files
             for mark in marks if mark in Path(file).read_bytes()]
    print("\n".join(found) or f"{len(files)} files have nothing planted in them")
    return 1 if found or not files else 0


match sys.argv[1:]:
    case ["sources", plants]:
        sources(plants)
    case ["list", plants, out]:
        make_list(plants, out)
    case ["copy", plants, root, name, out]:
        copy(plants, root, name, out)
    case ["absent", plants, *files]:
        sys.exit(absent(plants, files))
    case _:
        sys.exit(__doc__)
