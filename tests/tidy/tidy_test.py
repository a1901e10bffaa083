#!/usr/bin/python3
"""tools/tidy against small trees, each of which breaks one rule."""

import subprocess
import tempfile
import unittest
from pathlib import Path

TIDY = Path(__file__).resolve().parents[2] / "tools/tidy"

ARCHITECTURE = """
## 1.4 What each event does

| may include | core | store | http |
|---|---|---|---|
| core | – | | |
| store | x | – | |
| http | words | interface | – |
| tools | x | x | x |

| word | headers |
|---|---|
| words of core | `core/word.hpp` |
| interface of store | `store/log.hpp` `store/head.hpp` |

| headers | only in |
|---|---|
| `rocksdb/*` `*_generated.h` | `store/*.cpp` |
| `thread` | `store/*` `http/*` |
"""

# Split, so that this file does not break the rules it names.
LATER, PLACE = "TO" + "DO", "/wo" + "rk/main"

# rule, file, text, the line and words of the one message; the text of a .cpp stands in a function.
BREACHES = [
    ("clock", "http/a.cpp", "auto t = std::chrono::steady_clock::now();", "time as an argument"),
    ("clock", "core/a.cpp", "auto t = std::time(nullptr);", "time as an argument"),
    ("clock", "core/a.cpp", "gettimeofday(&tv, nullptr);", "time as an argument"),
    ("calendar", "core/a.cpp", "auto* t = std::gmtime(&x);", "to_rfc3339"),
    ("sleep", "core/a.cpp", "std::this_thread::sleep_for(x);", "wait for the thing itself"),
    ("sleep", "tests/core/a.cpp", "usleep(10);", "wait_until"),
    ("sleep", "tests/e2e/a.py", "time." + "sleep(1)", "support.py"),
    ("random", "core/a.cpp", "int x = std::rand();", "randombytes_buf"),
    ("random", "http/a.cpp", "std::mt19937_64 engine{1};", "no source of secrets"),
    ("environment", "http/a.cpp", 'auto* x = std::getenv("X");', "with the configuration"),
    ("output", "core/a.cpp", "std::cout << x;", "only tools/ print"),
    ("output", "core/a.cpp", 'std::printf("x");', "only tools/ print"),
    ("assert", "core/a.cpp", "assert(x);", "ASSERT of core/assert.hpp"),
    ("regex", "core/a.cpp", "std::regex x;", "read the characters"),
    ("c-string", "core/a.cpp", "strcpy(a, b);", "fmt::format"),
    ("c-string", "tools/cpm/a.cpp", "sprintf(a, b);", "fmt::format"),
    ("c-number", "core/a.cpp", "int x = std::stoi(text);", "std::from_chars"),
    ("ownership", "core/a.cpp", "auto* x = new Server{};", "std::make_unique"),
    ("ownership", "core/a.cpp", "delete x;", "std::make_unique"),
    ("ownership", "core/a.cpp", "delete[] x;", "std::make_unique"),
    ("endl", "tools/cpm/a.cpp", "std::cout << x << std::endl;", r"'\n'"),
    ("using-namespace", "core/a.hpp", "#pragma once\n\nusing namespace fmt;", "name what is used"),
    ("sync", "store/a.cpp", "db->SyncWAL();", "WriteOptions::sync"),
    ("detach", "http/a.cpp", "thread.detach();", "std::jthread"),
    ("coroutine-lambda", "http/a.cpp", "auto x = [s]() -> asio::awaitable<void> {};", "named"),
    ("todo", "core/a.cpp", f"// {LATER}: more", "write an issue"),
    ("workplace", "docs/a.md", f"look at {PLACE}", "machine this was written on"),
    ("pragma-once", "core/a.hpp", "int x();", "#pragma once"),
    ("line-size", "core/a.cpp", "int x = 1; // " + "x" * 100, "114 columns"),
    ("file-size", "core/a.hpp", "#pragma once\n" + "int x();\n" * 200, "the limit is 150"),
    ("function-size", "core/a.cpp", "x();\n" * 80, "a function of 83 lines"),
    ("switch", "core/a.cpp", "switch (x) { case Kind::On: break; default: break; }", "enumerator"),
    ("layer", "core/a.cpp", '#include "http/x.hpp"', "core may not include http"),
    ("layer", "core/a.cpp", '#include "tools/x.hpp"', "core may not include tools"),
    ("layer", "tools/cpm/a.cpp", '#include "../core/x.hpp"', '"tools/core/x.hpp"'),
    ("layer", "http/a.cpp", '#include "store/rocks.hpp"', "only its interface: store/log.hpp"),
    ("layer", "http/a.cpp", '#include "core/other.hpp"', "only its words: core/word.hpp"),
    ("layer", "core/a.cpp", '#include "b.hpp"', '"core/b.hpp"'),
    ("layer", "http/a.cpp", "#include <rocksdb/db.h>", "behind an interface"),
    ("layer", "store/a.hpp", '#pragma once\n#include "store/x_generated.h"', "store/*.cpp"),
    ("layer", "core/a.cpp", "#include <thread>", "only for store/*, http/*"),
    ("section", "core/a.cpp", "// a rule (HTTP " + "3.9)", "no heading of docs/*.md"),
    ("section", "docs/a.md", "as the status model " + "1.9 says", "no heading of docs/*.md"),
]

# What only looks like a breach.
FINE = [
    ("core/a.cpp", '// steady_clock::now() and assert(x) in a comment, "new Server" too'),
    ("core/a.cpp", 'auto x = "std::rand() and std::cout";'),
    ("core/a.cpp", 'auto x = R"(delete x; switch (a) { default: case Kind::On: })";'),
    ("core/a.cpp", "auto x = 1'000'000; event.time(); static_assert(x); report->sleep(1);"),
    ("core/a.cpp", "switch (x) { case 'a': break; default: break; }"),
    ("core/a.cpp", "switch (x) { case Kind::On: switch (c) { case 1: default: break; } }"),
    ("core/a.hpp", "// What it is.\n#pragma once\nstruct X { X(X const&) = delete; };"),
    ("core/a.cpp", "x = std::chrono::steady_clock::now(); // tidy: allow clock: a reason"),
    ("core/a.cpp", "// tidy: allow clock: a reason\nx = std::chrono::steady_clock::now();"),
    ("http/a.cpp", '#include "core/word.hpp"\n#include "store/head.hpp"\n#include <thread>'),
    ("store/a.cpp", '#include "core/other.hpp"\n#include <rocksdb/db.h>'),
    ("tools/cpm/a.cpp", '#include "store/rocks.hpp"\n#include "tools/cpm/a.hpp"'),
    ("tests/support/wait.hpp", "#pragma once\nvoid x() { std::this_thread::sleep_for(x); }"),
    ("core/a.cpp", "// a rule (status model 1.4), over HTTP/1.1"),
    ("core/a.cpp", "}\nconstexpr std::array<Row, 90> kRows{{\n" + "{},\n" * 90 + "}};\nvoid g() {"),
    ("core/a.cpp", "}\nclass X {\n" + "int x() { return 1; }\n" * 90 + "};\nvoid g() {"),
]


class Tidy(unittest.TestCase):
    def check(self, path, text, *rules):
        """What tidy says of a tree with one file, leaving out the format of these snippets."""
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            for name, content in ((path, text), ("docs/ARCHITECTURE.md", ARCHITECTURE),
                                  (".gitignore", "build/\n"), ("build/x.cpp", "assert(1);\n"),
                                  (".clang-format", "BasedOnStyle: LLVM\n")):
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(content, encoding="utf-8")
            run = subprocess.run([TIDY, "--root", root], stdout=subprocess.PIPE, text=True,
                                 check=False, timeout=60)
        said = [line for line in run.stdout.splitlines() if not line.startswith("SKIP")]
        return run.returncode, [line for line in said if rules or not line.endswith("[format]")]

    @staticmethod
    def file(path, text):
        inside = path.endswith(".cpp") and not text.startswith("#")
        return f"void f() {{\n{text}\n}}\n" if inside else text + "\n"

    def test_each_breach_is_reported_once_with_its_place_and_its_replacement(self):
        for rule, path, text, words in BREACHES:
            with self.subTest(rule=rule, text=text[:60]):
                status, said = self.check(path, self.file(path, text))
                self.assertEqual(status, 1)
                self.assertEqual(len(said), 1, said)
                self.assertRegex(said[0], rf"^{path}:\d+: ")
                self.assertIn(words, said[0])
                self.assertTrue(said[0].endswith(f"[{rule}]"), said[0])

    def test_the_line_is_the_one_of_the_breach(self):
        _, said = self.check("core/a.cpp", "/* one\n * two */\nvoid f() {\n    assert(x);\n}\n")
        self.assertEqual([line.split(": ")[0] for line in said], ["core/a.cpp:4"])

    def test_what_only_looks_like_a_breach_is_not_reported(self):
        for path, text in FINE:
            with self.subTest(path=path, text=text[:60]):
                self.assertEqual(self.check(path, self.file(path, text))[1], [])

    def test_an_exception_without_a_reason_or_of_another_rule_does_not_count(self):
        for comment in ("tidy: allow endl", "tidy: allow clock: a reason"):
            with self.subTest(comment=comment):
                text = self.file("core/a.cpp", f"std::endl; // {comment}")
                _, said = self.check("core/a.cpp", text)
                self.assertEqual(len(said), 1)

    def test_a_clean_tree_passes_in_silence(self):
        text = '#include "core/a.hpp"\n\nint f(int x) { return x; }\n'
        status, said = self.check("core/a.cpp", text, "format")
        self.assertIn(status, (0, 77))
        self.assertEqual(said, [])

    def test_unformatted_code_is_reported(self):
        status, said = self.check("core/a.cpp", "int f( int x ){return x;}\n", "format")
        if status == 77:
            self.skipTest("clang-format-14 is not installed")
        self.assertEqual(said, ["core/a.cpp:1: run clang-format-14 -i core/a.cpp [format]"])

    def test_an_architecture_without_its_table_is_an_error(self):
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "docs").mkdir()
            (Path(folder) / "docs/ARCHITECTURE.md").write_text("# Architecture\n")
            run = subprocess.run([TIDY, "--root", folder], stderr=subprocess.PIPE, text=True,
                                 check=False, timeout=60)
        self.assertEqual(run.returncode, 1)
        self.assertIn("there is no table that begins with 'may include'", run.stderr)


if __name__ == "__main__":
    unittest.main()
