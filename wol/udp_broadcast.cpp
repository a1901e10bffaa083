#include "wol/udp_broadcast.hpp"

#include "wol/ways_out.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <span>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace cpm::wol {
namespace {

class BroadcastSocket {
  public:
    BroadcastSocket()
        : descriptor_{socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)} {
        int const enable = 1;
        if (descriptor_ < 0 ||
            setsockopt(descriptor_, SOL_SOCKET, SO_BROADCAST, &enable, sizeof enable) != 0) {
            error_ = errno;
        }
    }
    BroadcastSocket(BroadcastSocket const&) = delete;
    BroadcastSocket& operator=(BroadcastSocket const&) = delete;
    ~BroadcastSocket() {
        if (descriptor_ >= 0) {
            close(descriptor_);
        }
    }

    /// 0, or the errno opening it failed with.
    [[nodiscard]] int error() const { return error_; }

    /// 0, or the errno of the send.
    [[nodiscard]] int send(
        std::span<std::uint8_t const> payload,
        Ipv4Address const& address,
        std::uint16_t port,
        int interface_index
    ) const {
        sockaddr_in destination{};
        destination.sin_family = AF_INET;
        destination.sin_port = htons(port);
        destination.sin_addr.s_addr = std::bit_cast<in_addr_t>(address);
        // sendmsg only reads the payload; iovec has no const form.
        iovec data{const_cast<std::uint8_t*>(payload.data()), payload.size()};

        in_pktinfo way{};
        way.ipi_ifindex = interface_index;
        alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof way)> control{};

        msghdr message{};
        message.msg_name = &destination;
        message.msg_namelen = sizeof destination;
        message.msg_iov = &data;
        message.msg_iovlen = 1;
        message.msg_control = control.data();
        message.msg_controllen = control.size();
        auto* const header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = IPPROTO_IP;
        header->cmsg_type = IP_PKTINFO;
        header->cmsg_len = CMSG_LEN(sizeof way);
        std::memcpy(CMSG_DATA(header), &way, sizeof way);

        return sendmsg(descriptor_, &message, MSG_NOSIGNAL) < 0 ? errno : 0;
    }

  private:
    int descriptor_;
    int error_ = 0;
};

/// What the operator can do about a failed send; empty where the error's own text says it.
std::string_view next_step(int error) {
    switch (error) {
    case ENETUNREACH:
        return "; set wake.broadcast_address to the broadcast of the server's network, or to "
               "255.255.255.255 with wake.interface naming the interface on its segment";
    case EPERM:
        return "; a firewall of this machine refuses it: allow outgoing UDP to that address";
    case EACCES: return "; a routing rule of this machine prohibits it: see ip rule and ip route";
    case EAGAIN:
    case ENOBUFS: return "; the interface's queue is full: wake it again";
    case EINVAL: return "; wake.ports must be from 1 to 65535";
    case EMFILE:
    case ENFILE: return "; raise the limit of open files (LimitNOFILE in a systemd unit)";
    }
    return "";
}

std::string explained(int error) {
    return std::system_category().message(error) + std::string{next_step(error)};
}

tl::unexpected<std::string> refused(std::string text) {
    return tl::make_unexpected(std::move(text));
}

} // namespace

WakeResult send_udp(WakeTarget const& target) {
    if (target.ports.empty()) {
        return refused("wake.ports is empty; give at least one, usually 9");
    }
    auto const ways = ways_out(target);
    if (!ways) {
        return refused(ways.error());
    }
    BroadcastSocket const socket;
    if (socket.error() != 0) {
        return refused(fmt::format("no UDP socket: {}", explained(socket.error())));
    }

    MagicPacket const packet{target.mac, target.secure_on};
    auto const address = to_text(target.broadcast_address);
    std::vector<std::string> sent;
    std::vector<std::string> failed;
    for (auto const& way : *ways) {
        for (auto const port : target.ports) {
            auto attempt = fmt::format("port {} by {}", port, way.name);
            auto const error =
                socket.send(packet.bytes(), target.broadcast_address, port, way.index);
            if (error == 0) {
                sent.push_back(std::move(attempt));
            } else {
                failed.push_back(fmt::format("{}: {}", attempt, explained(error)));
            }
        }
    }
    auto const failures = fmt::format("{}", fmt::join(failed, "; "));
    if (sent.empty()) {
        return refused(fmt::format("nothing sent to {}, {}", address, failures));
    }
    return fmt::format(
        "UDP {} {}{}{}", address, fmt::join(sent, ", "), failed.empty() ? "" : "; failed ", failures
    );
}

} // namespace cpm::wol
