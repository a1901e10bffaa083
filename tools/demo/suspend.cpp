// For LD_PRELOAD into the agent of a demo machine (board.py), which is suspended by SIGSTOP. Makes
// CLOCK_BOOTTIME run ahead by the seconds in the file CPM_DEMO_SLEPT, as if the kernel had slept.
#include <array>
#include <charconv>
#include <cstdlib>
#include <ctime>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

long slept_seconds() {
    char const* const path = std::getenv("CPM_DEMO_SLEPT");
    int const file = path != nullptr ? ::open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0)
        return 0;
    std::array<char, 20> text{};
    auto const size = ::read(file, text.data(), text.size());
    ::close(file);
    long seconds = 0;
    if (size > 0)
        (void)std::from_chars(text.data(), text.data() + size, seconds);
    return seconds;
}

} // namespace

// tidy: allow clock: this is the clock, for what it is preloaded into
extern "C" int clock_gettime(clockid_t clock, timespec* now) noexcept {
    auto const result = static_cast<int>(::syscall(SYS_clock_gettime, clock, now));
    if (result == 0 && clock == CLOCK_BOOTTIME)
        now->tv_sec += slept_seconds();
    return result;
}
