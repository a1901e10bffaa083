#pragma once

#include "wol/wake_sender.hpp"

#include <tl/expected.hpp>

#include <string>
#include <vector>

namespace cpm::wol {

/// One way out of this machine. Index 0 is the kernel's for "as the routing table says".
struct WayOut {
    int index = 0;
    std::string name = "the routing table";
    bool is_ethernet = false; ///< a frame without IP can leave by it
};

using WaysOut = tl::expected<std::vector<WayOut>, std::string>;

/// By which interfaces a packet for this target leaves, as the machine is now. The error names the
/// setting that is wrong or the interface that cannot send, and says what to do.
[[nodiscard]] WaysOut ways_out(WakeTarget const& target);

} // namespace cpm::wol
