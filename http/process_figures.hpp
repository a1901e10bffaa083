#pragma once

namespace cpm::http {

/// What the kernel says of this process; zero where it says nothing.
struct ProcessFigures {
    double cpu_seconds = 0; ///< user and system
    double resident_bytes = 0;
    double virtual_bytes = 0;
    double open_fds = 0;
    double max_fds = 0;
    double threads = 0;
};

ProcessFigures read_process_figures();

} // namespace cpm::http
