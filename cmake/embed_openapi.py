#!/usr/bin/python3
"""embed_openapi.py IN.yaml OUT.cpp: the interface's description as JSON text in a C++ source."""

import json
import sys

import yaml

PIECE = 2000  # characters a line; adjacent literals are one


def main():
    source, target = sys.argv[1:]
    with open(source, encoding="utf-8") as file:
        document = yaml.safe_load(file)
    text = json.dumps(document, ensure_ascii=True, separators=(",", ":"))
    pieces = [text[at:at + PIECE] for at in range(0, len(text), PIECE)]
    literals = "\n".join(f'    R"openapi({piece})openapi"' for piece in pieces)
    with open(target, "w", encoding="utf-8") as file:
        file.write(
            f'// Made from {source} by {sys.argv[0]}.\n'
            '#include "http/openapi.hpp"\n\n'
            "namespace cpm::http {\n\n"
            "std::string_view openapi_json() {\n"
            f"    return\n{literals};\n"
            "}\n\n"
            "} // namespace cpm::http\n")


if __name__ == "__main__":
    main()
