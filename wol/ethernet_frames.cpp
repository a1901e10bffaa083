#include "wol/ethernet_frames.hpp"

#include "wol/ways_out.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <netpacket/packet.h>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>

namespace cpm::wol {
namespace {

/// What network cards and sniffers know as wake-on-LAN.
constexpr std::uint16_t kEtherType = 0x0842;

class FrameSocket {
  public:
    FrameSocket()
        : descriptor_{socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)} {}
    FrameSocket(FrameSocket const&) = delete;
    FrameSocket& operator=(FrameSocket const&) = delete;
    ~FrameSocket() {
        if (descriptor_ >= 0) {
            close(descriptor_);
        }
    }

    [[nodiscard]] bool is_allowed() const { return descriptor_ >= 0; }

    /// 0, or the errno of the send. The kernel writes the frame's header.
    [[nodiscard]] int send(MagicPacket const& packet, int interface_index) const {
        sockaddr_ll everybody{};
        everybody.sll_family = AF_PACKET;
        everybody.sll_protocol = htons(kEtherType);
        everybody.sll_ifindex = interface_index;
        everybody.sll_halen = 6;
        std::fill_n(everybody.sll_addr, 6, std::uint8_t{0xFF});
        auto const bytes = packet.bytes();
        auto const sent = sendto(
            descriptor_,
            bytes.data(),
            bytes.size(),
            MSG_NOSIGNAL,
            reinterpret_cast<sockaddr const*>(&everybody),
            sizeof everybody
        );
        return sent < 0 ? errno : 0;
    }

  private:
    int descriptor_;
};

} // namespace

std::optional<WakeResult> send_frames(WakeTarget const& target) {
    auto ways = ways_out(target);
    if (!ways) {
        return std::nullopt; // the same holds for UDP, which says so
    }
    std::erase_if(*ways, [](WayOut const& way) { return !way.is_ethernet; });
    FrameSocket const socket;
    if (ways->empty() || !socket.is_allowed()) {
        return std::nullopt;
    }
    MagicPacket const packet{target.mac, target.secure_on};
    std::vector<std::string> sent;
    std::vector<std::string> failed;
    for (auto const& way : *ways) {
        auto const error = socket.send(packet, way.index);
        if (error == 0) {
            sent.push_back(way.name);
        } else {
            failed.push_back(
                fmt::format("by {}: {}", way.name, std::system_category().message(error))
            );
        }
    }
    auto const failures = fmt::format("Ethernet {}", fmt::join(failed, ", "));
    if (sent.empty()) {
        return WakeResult{tl::unexpect, failures};
    }
    return fmt::format(
        "Ethernet by {}{}{}",
        fmt::join(sent, ", "),
        failed.empty() ? "" : "; failed ",
        failed.empty() ? "" : failures
    );
}

} // namespace cpm::wol
