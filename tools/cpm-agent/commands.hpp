#pragma once

#include "tools/cpm-agent/options.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace cpm::tools {

inline constexpr int kWrongUsage = 2;
inline constexpr int kNotDone = 1;

// Each returns the exit status: 0 done; 1 not done, and why was reported; 2 wrong usage, or
// files that must be mended first: the unit does not try again.
int agent_join(AgentOptions const& options);
int agent_run(AgentOptions const& options);
int agent_status(AgentOptions const& options);
int agent_leave(AgentOptions const& options);
int agent_hooks(AgentOptions const& options);
int agent_arm_wake(AgentOptions const& options);

/// A line on standard error, which systemd gives to the journal.
void agent_report(std::string_view line);

/// systemctl with these words; false, and reported: it failed, or is not here.
bool systemctl(std::vector<std::string> words);

} // namespace cpm::tools
