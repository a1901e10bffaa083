#pragma once

#include "tools/cpm-manager/options.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace cpm::tools {

/// What was expected, or nothing when the value was taken.
using Fault = std::optional<std::string>;

/// One option, the same in all three places: `data_dir` in the file, CPM_DATA_DIR, --data-dir.
struct OptionRow {
    std::string_view key;
    std::string_view placeholder;
    std::string_view help;
    Fault (*set)(Options&, std::string_view text);
};

/// All options that have a value.
std::span<OptionRow const> option_rows();

} // namespace cpm::tools
