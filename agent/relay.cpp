#include "agent/relay.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace cpm::agent {

bool Relay::take(std::vector<WakeAsk> const& asks) {
    bool sent_any = false;
    for (auto const& ask : asks) {
        if (std::ranges::count(woke_, ask.id) > 0)
            continue; // the report of it was lost, or crossed this
        wol::WakeTarget target;
        target.mac = ask.mac;
        target.secure_on = ask.secure_on;
        auto const sent = sender_.send(target);
        auto const mac = fmt::format("{:02x}", fmt::join(ask.mac, ":"));
        if (sent) {
            report_(fmt::format("sent a magic packet for {} ({})", mac, *sent));
            woke_.push_back(ask.id);
            sent_any = true;
        } else
            report_(fmt::format("sent no magic packet for {}: {}", mac, sent.error()));
    }
    return sent_any;
}

void Relay::acknowledged() {
    woke_.erase(woke_.begin(), woke_.begin() + static_cast<std::ptrdiff_t>(said_));
    said_ = 0;
}

} // namespace cpm::agent
