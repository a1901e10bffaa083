#pragma once

#include "core/mac_address.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/journal.hpp"
#include "wol/wake_sender.hpp"

#include <optional>
#include <string>
#include <vector>

namespace cpm::test {

/// Sends nothing, and remembers what it was to send and when. No failure while `failure` is empty.
class RecordingWakeSender final : public wol::WakeSender {
  public:
    struct Sent {
        core::MonoTime at;
        wol::WakeTarget target;
    };

    RecordingWakeSender(Journal& journal, FakeClock const& clock)
        : journal_(journal)
        , clock_(clock) {}

    wol::WakeResult send(wol::WakeTarget const& target) override {
        journal_.note("packet to " + core::to_string(core::MacAddress{target.mac}));
        sent.push_back({clock_.now().mono, target});
        if (!failure.empty())
            return tl::make_unexpected(failure);
        return "UDP 255.255.255.255 port 9 by eth0";
    }

    bool is_local(wol::Ipv4Address const& address) override {
        return !foreign || address[2] != *foreign;
    }

    std::vector<Sent> sent;
    std::string failure;
    std::optional<std::uint8_t> foreign; ///< 10.0.N.0/24 is behind a router

  private:
    Journal& journal_;
    FakeClock const& clock_;
};

} // namespace cpm::test
