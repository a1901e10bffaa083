#pragma once

#include <boost/asio/awaitable.hpp>
#include <tl/expected.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace cpm::agent {

/// Runs a program to its end: no shell, standard input empty, output to where the agent's goes, in
/// a process group of its own. `variables` ("NAME=value") add to the environment. At the limit the
/// group gets SIGTERM, 5 s later SIGKILL. Nothing when it exited with 0; else why not ("exit status
/// 3", "took longer than 60 s").
boost::asio::awaitable<tl::expected<void, std::string>> run_program(
    std::vector<std::string> arguments,
    std::vector<std::string> variables,
    std::chrono::seconds limit
);

} // namespace cpm::agent
