#include "tests/wol/network_namespace.hpp"

#include "tests/support/skip.hpp"
#include "tests/support/wait_until.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <net/ethernet.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <system_error>
#include <thread>
#include <unistd.h>

namespace cpm::wol::test {
namespace {

constexpr auto kPatience = std::chrono::seconds{5};

/// Becomes root of a user namespace of its own, which is enough to make network namespaces without
/// privileges. Works only while the process has one thread.
bool become_root_of_a_user_namespace() {
    auto const user = geteuid();
    auto const group = getegid();
    if (unshare(CLONE_NEWUSER) != 0) {
        return false;
    }
    std::ofstream{"/proc/self/setgroups"} << "deny";
    std::ofstream{"/proc/self/uid_map"} << fmt::format("0 {} 1", user);
    std::ofstream{"/proc/self/gid_map"} << fmt::format("0 {} 1", group);
    return true;
}

/// Empty, or why there can be no network namespaces here.
std::string missing_capability() {
    if (std::system("PATH=$PATH:/usr/sbin:/sbin; command -v ip >/dev/null") != 0) {
        return "the program ip is missing (package iproute2)";
    }
    auto const try_one = [] {
        int error = 0;
        std::thread{[&] { error = unshare(CLONE_NEWNET) == 0 ? 0 : errno; }}.join();
        return error;
    };
    if (try_one() == EPERM && become_root_of_a_user_namespace()) {
        return try_one() == 0 ? "" : "a user namespace gives no network namespace here";
    }
    auto const error = try_one();
    return error == 0 ? ""
                      : fmt::format(
                            "no network namespace can be made ({}); it takes CAP_SYS_ADMIN and "
                            "CAP_NET_ADMIN, or user namespaces",
                            std::system_category().message(error)
                        );
}

/// The kernel reports a link, or its end, somewhat after the command that made it so.
void wait_until_running(std::string const& name, bool running) {
    int const any = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ifreq request{};
    name.copy(request.ifr_name, IFNAMSIZ - 1);
    auto const is_so = [&] {
        return ioctl(any, SIOCGIFFLAGS, &request) == 0 &&
               ((request.ifr_flags & IFF_RUNNING) != 0) == running;
    };
    bool const came = test_support::wait_until(is_so, kPatience);
    close(any);
    CAPTURE(name);
    CAPTURE(running);
    REQUIRE(came);
}

} // namespace

void in_network_namespace(std::function<void()> const& body) {
    static std::string const missing = missing_capability();
    if (!missing.empty()) {
        test_support::skip(missing);
        return;
    }
    std::exception_ptr thrown;
    std::thread{[&] {
        try {
            REQUIRE(unshare(CLONE_NEWNET) == 0);
            body();
        } catch (...) {
            thrown = std::current_exception();
        }
    }}.join();
    if (thrown) {
        std::rethrow_exception(thrown);
    }
}

void ip(std::string const& arguments) {
    CAPTURE(arguments);
    REQUIRE(std::system(("PATH=$PATH:/usr/sbin:/sbin; ip " + arguments).c_str()) == 0);
}

void add_cable(std::string const& name) {
    ip(fmt::format("link add {0} type veth peer name {0}-far", name));
    ip(fmt::format("link set {}-far up", name));
    ip(fmt::format("link set {} up", name));
    wait_for_link(name);
    wait_for_link(name + "-far");
}

void wait_for_link(std::string const& name) {
    wait_until_running(name, true);
}

void cut_cable(std::string const& name) {
    ip(fmt::format("link set {}-far down", name));
    wait_until_running(name, false);
}

Listener::Listener(std::string const& interface, std::uint16_t type)
    : descriptor_{socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0)} {
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(type);
    address.sll_ifindex = static_cast<int>(if_nametoindex(interface.c_str()));
    REQUIRE(address.sll_ifindex != 0);
    REQUIRE(bind(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
}

Listener::~Listener() {
    close(descriptor_);
}

Bytes Listener::next() const {
    pollfd ready{.fd = descriptor_, .events = POLLIN, .revents = 0};
    auto const patience = std::chrono::duration_cast<std::chrono::milliseconds>(kPatience);
    CHECK(poll(&ready, 1, static_cast<int>(patience.count())) == 1);
    std::array<std::uint8_t, ETH_FRAME_LEN> frame{};
    auto const size = recv(descriptor_, frame.data(), frame.size(), MSG_DONTWAIT);
    return size > 0 ? Bytes(frame.begin(), frame.begin() + size) : Bytes{};
}

} // namespace cpm::wol::test
