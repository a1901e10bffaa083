#include "core/decide_fleet.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace cpm::core {
namespace {

/// The other server a MAC is registered for, if any.
Server const* other_owner(Fleet const& fleet, ServerId self, MacAddress const& mac) {
    auto const it = fleet.by_mac.find(mac);
    return it == fleet.by_mac.end() || it->second == self ? nullptr : fleet.find(it->second);
}

} // namespace

Result<void> check_config(Fleet const& fleet, ServerId self, ServerConfig const& config) {
    if (auto valid = validate(config); !valid)
        return valid;
    auto const name = fleet.by_name.find(config.name);
    if (name != fleet.by_name.end() && name->second != self)
        return fail(
            ErrorCode::Conflict,
            fmt::format("name: another server is called {}: choose another name", config.name)
        );
    for (auto const& mac : config.mac_addresses)
        if (auto const* owner = other_owner(fleet, self, mac))
            return fail(
                ErrorCode::Conflict,
                fmt::format("mac_addresses: {} belongs to {}", to_string(mac), owner->config.name)
            );
    return {};
}

Result<std::vector<MacAddress>> check_join(
    Fleet const& fleet, Server const& server, JoiningMachine const& machine, bool any_machine
) {
    auto const& own = server.config.mac_addresses;
    auto const is_own = [&](MacAddress const& mac) { return std::ranges::count(own, mac) > 0; };

    auto macs = own;
    for (auto const& mac : machine.mac_addresses) {
        auto const* owner = other_owner(fleet, server.id, mac);
        if (owner && !any_machine)
            return fail(
                ErrorCode::WrongMachine,
                fmt::format(
                    "the machine {} is registered as {}, not as {}: paste this join line on {}",
                    machine.hostname,
                    owner->config.name,
                    server.config.name,
                    server.config.name
                )
            );
        if (!owner && std::ranges::count(macs, mac) == 0)
            macs.push_back(mac);
    }
    bool const known = own.empty() || std::ranges::any_of(machine.mac_addresses, is_own);
    if (!known && !any_machine)
        return fail(
            ErrorCode::WrongMachine,
            fmt::format(
                "the machine {} has none of the MAC addresses of {}: paste this join line on {}, "
                "or make the "
                "join token with \"any_machine\": true",
                machine.hostname,
                server.config.name,
                server.config.name
            )
        );
    return macs;
}

} // namespace cpm::core
