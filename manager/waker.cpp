#include "manager/waker.hpp"

#include "eventstore/fault_point.hpp"

#include <algorithm>
#include <charconv>

namespace cpm::manager {
namespace {

/// SecureOn from its 8 or 12 hexadecimal digits; no other form is stored or read.
std::optional<wol::SecureOn> secure_on(WakePassword const* password) {
    if (!password)
        return std::nullopt;
    std::array<std::uint8_t, 6> bytes{};
    for (std::size_t i = 0; i < password->hex.size(); i += 2)
        std::from_chars(&password->hex[i], &password->hex[i] + 2, bytes[i / 2], 16);
    if (password->hex.size() == 12)
        return wol::SecureOn{bytes};
    std::array<std::uint8_t, 4> four{};
    std::copy_n(bytes.begin(), four.size(), four.begin());
    return wol::SecureOn{four};
}

wol::WakeTarget target_of(core::WakeSettings const& wake, WakePassword const* password) {
    wol::WakeTarget target;
    if (auto address = wol::parse_ipv4(wake.broadcast_address))
        target.broadcast_address = *address;
    if (!wake.ports.empty())
        target.ports = wake.ports;
    if (!wake.interface.empty())
        target.interface = wake.interface;
    target.secure_on = secure_on(password);
    return target;
}

bool is_asked_on(core::ServerState const& state) {
    return state.power == core::PowerStatus::On && state.request &&
           state.request->target == core::PowerStatus::On;
}

} // namespace

bool awaits_start(core::Server const& server) {
    return is_asked_on(server.state) && !server.state.request->confirmed;
}

bool wants_wake(core::Server const& server) {
    return is_asked_on(server.state) && (server.wakes.rounds == 0 || awaits_start(server));
}

Waker::Waker(wol::WakeSender& sender)
    : sender_(sender) {}

core::MonoTime Waker::take_turn(core::MonoTime now, core::milliseconds stagger) {
    auto const turn = std::max(now, free_at_);
    free_at_ = turn + stagger;
    return turn;
}

core::Payloads Waker::wake(core::Server const& server, WakePassword const* password) {
    auto target = target_of(server.config.wake, password);
    core::Payloads sent;
    for (auto const& mac : server.config.mac_addresses) {
        CPM_FAULT_POINT("effect");
        target.mac = mac.bytes;
        auto const result = sender_.send(target);
        sent.push_back(core::WakeSent{
            .request = server.state.request ? server.state.request->sequence : core::Sequence{},
            .mac = mac,
            .way = result ? *result : std::string{},
            .ok = result.has_value(),
            .detail = result ? std::string{} : result.error(),
        });
    }
    return sent;
}

} // namespace cpm::manager
