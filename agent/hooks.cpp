#include "agent/hooks.hpp"

#include "agent/files.hpp"
#include "agent/program.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unistd.h>

namespace cpm::agent {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> executables(fs::path const& folder) {
    std::vector<fs::path> found;
    std::error_code error;
    for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
        if (it->is_regular_file(error) && ::access(it->path().c_str(), X_OK) == 0)
            found.push_back(it->path());
    std::ranges::sort(found);
    return found;
}

} // namespace

boost::asio::awaitable<HooksEnd> run_hooks(fs::path folder, std::chrono::seconds limit) {
    HooksEnd end;
    std::error_code error;
    if (!fs::exists(folder, error) && !error)
        co_return end;
    // What root runs must be root's alone to change; otherwise it counts as failed.
    auto const allowed = check_root_owns(folder);
    if (!allowed)
        end.report.push_back("no hook was run: " + allowed.error());
    for (auto const& hook : executables(folder)) {
        auto done = allowed ? check_root_owns(hook) : allowed;
        if (done) {
            std::vector<std::string> arguments{hook.string()};
            done = co_await run_program(std::move(arguments), {}, limit);
        }
        if (done)
            continue;
        auto const name = hook.filename().string();
        end.report.push_back(fmt::format("hook {}: {}", name, done.error()));
        if (name.ends_with(".required")) {
            end.failed = name;
            break;
        }
    }
    co_return end;
}

} // namespace cpm::agent
