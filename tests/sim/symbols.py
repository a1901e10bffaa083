"""Clock, network, disk and randomness reach the code through the interfaces alone (status model
1.5, ARCHITECTURE "Threads and time"): the object files of core, of the manager's engine side and of
the agent's conduct side call nothing of the system that does these."""
import os
import re
import subprocess
import sys

BANNED = re.compile(
    r"^(clock_gettime|gettimeofday|time|ftime|nanosleep|clock_nanosleep|usleep|sleep"
    r"|getrandom|getentropy|rand|random|rand_r|srand|srandom|arc4random\w*|randombytes\w*"
    r"|socket|connect|bind|listen|accept4?|send|sendto|sendmsg|recv|recvfrom|recvmsg|poll|select"
    r"|epoll_\w+|open(at)?(64)?|creat|fopen(64)?|read|write|pread(64)?|pwrite(64)?|fsync|fdatasync"
    r"|rename|unlink|mkdir|stat(vfs)?(64)?|lstat(64)?|fork|execve?|system|popen|getenv"
    r"|pthread_create|pthread_cond_\w+"
    r"|std::chrono::_V2::\w+_clock::now\(\)|std::random_device::.*|std::filesystem::.*"
    r"|std::basic_[io]?f(ilebuf|stream)<.*)(@.*)?$")

# The product's own shells: what the interfaces are to the system.
SHELLS = {
    "core": set(),
    "manager": {"clock.cpp", "random.cpp", "keys.cpp", "key_file.cpp", "writer.cpp",
                "snapshot_keeper.cpp"},
}
CONDUCT = {"conduct.cpp", "order_check.cpp", "findings.cpp", "relay.cpp", "wire.cpp",
           "identity.cpp"}
# A file of the conduct's side may ask the filesystem by this one function.
ALLOWED = {("identity.cpp", "std::filesystem")}


def looked_at(path):
    layer, name = re.search(r"cpm_(\w+)\.dir/(?:\./)?(.+)\.o$", path).groups()
    if layer == "agent":
        return name in CONDUCT
    return layer in SHELLS and name not in SHELLS[layer]


def faults_of(path):
    name = os.path.basename(path)[:-2]
    out = subprocess.run(["nm", "-uC", path], capture_output=True, text=True, check=True).stdout
    for line in out.splitlines():
        symbol = line.split(maxsplit=1)[1]
        allowed = any(name == file and symbol.startswith(what) for file, what in ALLOWED)
        if BANNED.match(symbol) and not allowed:
            yield f"{path}: calls {symbol}"


def main(paths):
    chosen = [path for path in paths if looked_at(path)]
    names = {os.path.basename(path)[:-2] for path in chosen}
    missing = (CONDUCT | {"engine.cpp", "decide.cpp", "evolve.cpp"}) - names
    faults = [fault for path in chosen for fault in faults_of(path)]
    faults += [f"{name}: its object file was not given" for name in sorted(missing)]
    print("\n".join(faults) or f"{len(chosen)} object files keep to the interfaces")
    return 1 if faults else 0


sys.exit(main(sys.argv[1:]))
