#pragma once

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace cpm::agent {

/// What the hooks before an OFF came to.
struct HooksEnd {
    std::string failed;              ///< the first *.required that failed; empty: none
    std::vector<std::string> report; ///< a line for each that failed
};

/// Runs the executables in the folder one after the other, in the order of their names, each with
/// the limit. One that fails stops nothing, unless its name ends in ".required": then the rest is
/// not run. One that others than root may change, or that is in such a folder, is not run and has
/// failed. A folder that is not there has no hooks.
boost::asio::awaitable<HooksEnd>
run_hooks(std::filesystem::path folder, std::chrono::seconds limit);

} // namespace cpm::agent
