"""compilers.py SOURCE PROGRAM SEEDS: builds cpm-sim with clang++ (the preset "clang") and runs the
worlds 1 to SEEDS with it and with PROGRAM: each must have the same events, answers and effects,
byte for byte."""
import shutil
import subprocess
import sys

source, program, seeds = sys.argv[1], sys.argv[2], int(sys.argv[3])

if not shutil.which("clang++"):
    print("SKIP: there is no clang++ (Debian's package clang)")
    sys.exit(77)


def run(*command):
    return subprocess.run(command, cwd=source, check=True, text=True, stdout=subprocess.PIPE).stdout


def sum_of(world, seed):
    """The line of a run that ends with its sum."""
    return run(world, "--seed", str(seed)).splitlines()[0]


run("cmake", "--preset", "clang")
run("cmake", "--build", "--preset", "clang", "--target", "cpm-sim")
other = f"{source}/build/clang/bin/cpm-sim"
differ = 0
for seed in range(1, seeds + 1):
    one, two = sum_of(program, seed), sum_of(other, seed)
    differ += one != two
    print(one if one == two else f"{one}\n  but with clang++: {two}", flush=True)
print(f"{differ} of {seeds} worlds differ")
sys.exit(1 if differ else 0)
