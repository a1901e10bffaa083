#include "manager/relays.hpp"

#include <algorithm>
#include <bit>

namespace cpm::manager {
namespace {

constexpr int kGuessedHostBits = 8; ///< of an address whose network is not known
constexpr int kMostHostBits = 16;

std::optional<std::uint32_t> number_of(std::string_view text) {
    auto const address = wol::parse_ipv4(text);
    if (!address)
        return std::nullopt;
    std::uint32_t number = 0;
    for (auto const byte : *address)
        number = number << 8 | byte;
    return number;
}

bool is_loopback(std::uint32_t address) {
    return address >> 24 == 127;
}

Segment around(std::uint32_t address, int host_bits) {
    auto const hosts = (1U << host_bits) - 1;
    return {address & ~hosts, address | hosts};
}

/// The address its agent calls from; none when that says nothing about a segment.
std::optional<std::uint32_t> address_of(core::Server const& server) {
    auto const address = number_of(server.agent.address);
    return address && !is_loopback(*address) ? address : std::nullopt;
}

std::optional<std::uint32_t> directed_broadcast(core::Server const& server) {
    auto const address = number_of(server.config.wake.broadcast_address);
    return address && *address != 0xFFFFFFFF ? address : std::nullopt;
}

bool is_local(wol::WakeSender& sender, std::uint32_t address) {
    wol::Ipv4Address bytes{};
    for (auto& byte : bytes) {
        address = std::rotl(address, 8);
        byte = static_cast<std::uint8_t>(address & 0xFF);
    }
    return sender.is_local(bytes);
}

bool can_relay(core::Server const& server) {
    auto const& state = server.state;
    return server.agent.enrolled && !state.set_aside && server.leaving == core::Leaving::No &&
           state.power == core::PowerStatus::On && state.current == core::HeartbeatStatus::On;
}

} // namespace

std::optional<Segment> segment_of(core::Server const& server) {
    if (auto const broadcast = directed_broadcast(server)) {
        // All host bits of a broadcast are ones, and mostly the bit before them is not.
        auto const host_bits = std::min(std::countr_one(*broadcast), kMostHostBits);
        if (host_bits > 0)
            return around(*broadcast, host_bits);
    }
    if (auto const address = address_of(server))
        return around(*address, kGuessedHostBits);
    return std::nullopt;
}

bool is_within_reach(core::Server const& server, wol::WakeSender& sender) {
    if (!server.config.wake.interface.empty())
        return true;
    if (auto const broadcast = directed_broadcast(server))
        return is_local(sender, *broadcast);
    auto const address = address_of(server);
    return !address || is_local(sender, *address);
}

void Relays::note(core::Server const& server) {
    auto const address = address_of(server);
    auto const known = address_of_.find(server.id);
    if (known != address_of_.end()) {
        if (address == known->second)
            return;
        places_.erase({known->second, server.id});
        address_of_.erase(known);
    }
    if (!address)
        return;
    places_.insert({*address, server.id});
    address_of_[server.id] = *address;
}

void Relays::forget(core::ServerId server) {
    if (auto const known = address_of_.find(server); known != address_of_.end()) {
        places_.erase({known->second, server});
        address_of_.erase(known);
    }
    end(server);
    if (auto const asked = asks_.find(server); asked != asks_.end()) {
        for (auto const& ask : asked->second)
            relay_of_.erase(ask.sleeper);
        asks_.erase(asked);
        changed_.insert(server);
    }
}

core::Server const* Relays::choose(core::Fleet const& fleet, core::Server const& sleeper) const {
    auto const segment = segment_of(sleeper);
    if (!segment)
        return nullptr;
    auto const first = places_.lower_bound({segment->first, {}});
    auto const end = places_.upper_bound({segment->last, {~0ULL}});
    if (first == end)
        return nullptr;
    auto start = first;
    auto const last = address_of_.find(sleeper.wakes.last_relay);
    if (last != address_of_.end() && last->second >= segment->first &&
        last->second <= segment->last)
        start = places_.upper_bound({last->second, last->first});
    auto at = start == end ? first : start;
    start = at;
    do {
        auto const* server = fleet.find(at->second);
        if (server && server->id != sleeper.id && can_relay(*server))
            return server;
        if (++at == end)
            at = first;
    } while (at != start);
    return nullptr;
}

void Relays::ask(core::ServerId relay, WakeAsk ask) {
    relay_of_[ask.sleeper] = relay;
    asks_[relay].push_back(std::move(ask));
    changed_.insert(relay);
}

std::vector<WakeAsk> Relays::asked_of(core::ServerId relay, core::MonoTime now) const {
    auto const found = asks_.find(relay);
    return found == asks_.end() ? std::vector<WakeAsk>{} : handed_out(found->second, now);
}

bool Relays::awaits(core::ServerId relay, std::string_view id) const {
    auto const found = asks_.find(relay);
    return found != asks_.end() && std::ranges::count(found->second, id, &WakeAsk::id) > 0;
}

std::optional<WakeAsk> Relays::take(core::ServerId relay, std::string_view id) {
    auto const found = asks_.find(relay);
    if (found == asks_.end())
        return std::nullopt;
    auto& asks = found->second;
    auto const at = std::ranges::find(asks, id, &WakeAsk::id);
    if (at == asks.end())
        return std::nullopt;
    auto taken = std::move(*at);
    asks.erase(at);
    if (std::ranges::count(asks, taken.sleeper, &WakeAsk::sleeper) == 0)
        relay_of_.erase(taken.sleeper);
    if (asks.empty())
        asks_.erase(found);
    changed_.insert(relay);
    return taken;
}

void Relays::close(core::ServerId sleeper) {
    auto const relay = relay_of_.find(sleeper);
    if (relay == relay_of_.end())
        return;
    for (auto& ask : asks_.at(relay->second))
        if (ask.sleeper == sleeper && !ask.closed) {
            ask.closed = true;
            changed_.insert(relay->second);
        }
}

core::ServerId Relays::relay_of(core::ServerId sleeper) const {
    auto const at = relay_of_.find(sleeper);
    return at == relay_of_.end() ? core::ServerId{} : at->second;
}

bool Relays::has_grace(core::ServerId sleeper, core::MonoTime now) const {
    auto const relay = relay_of_.find(sleeper);
    if (relay == relay_of_.end())
        return false;
    auto const& asks = asks_.at(relay->second);
    auto const ask = std::ranges::find(asks, sleeper, &WakeAsk::sleeper);
    return ask != asks.end() && !ask->closed && now < ask->until - kPatience + kGrace;
}

std::pair<core::ServerId, std::vector<WakeAsk>> Relays::end(core::ServerId sleeper) {
    auto const at = relay_of_.find(sleeper);
    if (at == relay_of_.end())
        return {};
    auto const relay = at->second;
    relay_of_.erase(at);
    std::vector<WakeAsk> open;
    auto& asks = asks_.at(relay);
    std::ranges::copy_if(asks, std::back_inserter(open), [&](WakeAsk const& ask) {
        return ask.sleeper == sleeper && !ask.closed;
    });
    std::erase_if(asks, [&](WakeAsk const& ask) { return ask.sleeper == sleeper; });
    if (asks.empty())
        asks_.erase(relay);
    changed_.insert(relay);
    return {relay, std::move(open)};
}

WakeAsks Relays::take_changes() {
    WakeAsks changes;
    for (auto const relay : std::exchange(changed_, {})) {
        auto const asks = asks_.find(relay);
        changes.emplace_back(relay, asks == asks_.end() ? std::vector<WakeAsk>{} : asks->second);
    }
    return changes;
}

std::vector<WakeAsk> handed_out(std::vector<WakeAsk> const& asks, core::MonoTime now) {
    std::vector<WakeAsk> handed;
    for (auto const& ask : asks)
        if (!ask.closed && ask.until > now && handed.size() < Relays::kAtOnce)
            handed.push_back(ask);
    return handed;
}

std::string version_with(std::string version, std::vector<WakeAsk> const& handed_out) {
    // New ones come last, and one that is gone needs no answer.
    if (!handed_out.empty())
        version += "." + handed_out.back().id;
    return version;
}

} // namespace cpm::manager
