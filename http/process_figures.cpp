#include "http/process_figures.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sys/resource.h>
#include <unistd.h>

namespace cpm::http {
namespace {

namespace fs = std::filesystem;

double seconds(timeval const& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

double entries(fs::path const& directory) {
    std::error_code error;
    double count = 0;
    for (fs::directory_iterator entry(directory, error); !error && entry != end(entry);
         entry.increment(error))
        ++count;
    return count;
}

} // namespace

ProcessFigures read_process_figures() {
    ProcessFigures figures;
    rusage usage{};
    if (::getrusage(RUSAGE_SELF, &usage) == 0)
        figures.cpu_seconds = seconds(usage.ru_utime) + seconds(usage.ru_stime);
    // proc(5): size and resident set in pages.
    std::ifstream memory("/proc/self/statm");
    double virtual_pages = 0;
    double resident_pages = 0;
    if (memory >> virtual_pages >> resident_pages) {
        auto const page = static_cast<double>(::sysconf(_SC_PAGESIZE));
        figures.virtual_bytes = virtual_pages * page;
        figures.resident_bytes = resident_pages * page;
    }
    figures.open_fds = entries("/proc/self/fd");
    figures.threads = entries("/proc/self/task");
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0)
        figures.max_fds = static_cast<double>(limit.rlim_cur);
    return figures;
}

} // namespace cpm::http
