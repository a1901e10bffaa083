// /etc/cpm/agent.toml. Whoever may write it may say what switches this machine off, so it counts
// only when that is root alone.
#include "agent/files.hpp"
#include "tools/cpm-agent/options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <toml++/toml.h>

namespace cpm::tools {
namespace {

namespace fs = std::filesystem;

using Fault = std::optional<std::string>;

Fault read_path(toml::node const& node, fs::path& path) {
    auto const text = node.value_exact<std::string>();
    if (!text || !text->starts_with('/'))
        return "expected an absolute path";
    path = *text;
    return {};
}

Fault set_state_dir(AgentOptions& options, toml::node const& node) {
    return read_path(node, options.state_directory);
}

Fault set_run_dir(AgentOptions& options, toml::node const& node) {
    return read_path(node, options.run_directory);
}

Fault set_hold_file(AgentOptions& options, toml::node const& node) {
    return read_path(node, options.machine.hold_file);
}

Fault set_hooks_dir(AgentOptions& options, toml::node const& node) {
    return read_path(node, options.machine.hooks_directory);
}

Fault set_hook_time_limit(AgentOptions& options, toml::node const& node) {
    auto const number = node.value_exact<std::int64_t>();
    if (!number || *number < 1 || *number > 86400)
        return "expected whole seconds from 1 to 86400";
    options.machine.hook_time_limit = std::chrono::seconds(*number);
    return {};
}

Fault set_power_command(AgentOptions& options, toml::node const& node) {
    Fault const expected = "expected an array of texts, the first an absolute path";
    auto const* items = node.as_array();
    if (!items || items->empty())
        return expected;
    std::vector<std::string> words;
    for (auto const& item : *items) {
        auto const text = item.value_exact<std::string>();
        if (!text)
            return expected;
        words.push_back(*text);
    }
    if (!words.front().starts_with('/'))
        return expected;
    std::error_code ignored;
    auto const owned = agent::check_root_owns(words.front());
    if (!owned && fs::exists(words.front(), ignored)) // it may come later
        return owned.error();
    options.machine.power_command = std::move(words);
    return {};
}

struct Row {
    std::string_view key;
    Fault (*set)(AgentOptions&, toml::node const&);
};

constexpr std::array kRows{
    Row{"state_dir", set_state_dir},
    Row{"run_dir", set_run_dir},
    Row{"hold_file", set_hold_file},
    Row{"hooks_dir", set_hooks_dir},
    Row{"hook_time_limit_seconds", set_hook_time_limit},
    Row{"power_command", set_power_command},
};

std::string list_of_keys() {
    std::string keys;
    for (auto const& row : kRows)
        keys += fmt::format("{}{}", keys.empty() ? "" : ", ", row.key);
    return keys;
}

} // namespace

void read_agent_file(
    fs::path const& file, AgentOptions& options, std::vector<std::string>& faults
) {
    auto const text = agent::read_root_file(file);
    if (!text) {
        faults.push_back(text.error());
        return;
    }
    // toml++ reports by exceptions; they end here, with the line.
    try {
        for (auto const& [key, node] : toml::parse(*text, file.string())) {
            auto const where =
                fmt::format("{}:{}: {}", file.string(), node.source().begin.line, key.str());
            auto const row = std::ranges::find(kRows, key.str(), &Row::key);
            if (row == kRows.end())
                faults.push_back(
                    where + ": is not an option of cpm-agent; they are " + list_of_keys()
                );
            else if (auto const fault = row->set(options, node))
                faults.push_back(fmt::format("{}: {}", where, *fault));
        }
    } catch (toml::parse_error const& error) {
        faults.push_back(
            fmt::format("{}:{}: {}", file.string(), error.source().begin.line, error.description())
        );
    }
}

} // namespace cpm::tools
