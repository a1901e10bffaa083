"""Prometheus' own reading of a metrics text, and the numbers in it."""

import subprocess

import support


def check(text):
    """What promtool finds wrong, in its words; empty: nothing."""
    run = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True,
                         text=True, timeout=60)
    return (run.stdout + run.stderr).strip() or ("" if run.returncode == 0 else str(run.returncode))


def read(text):
    """{name: {labels as text: value}} of a metrics text; the labels sorted by name."""
    families = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            series, value = line.rsplit(" ", 1)
            name, _, labels = series.partition("{")
            labels = ",".join(sorted(labels.rstrip("}").split(","))) if labels else ""
            families.setdefault(name, {})[labels] = float(value)
    return families


def scrape(manager, **options):
    """The metrics of a manager, which promtool must like."""
    answer = manager.ask("GET", "/metrics", token=manager.token, **options)
    assert answer.status == 200, answer
    text = answer.raw.decode()
    assert not (found := check(text)), found
    return read(text)


def need():
    support.need_program("promtool")
