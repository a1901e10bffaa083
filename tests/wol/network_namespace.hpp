#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

/// Networks made for one test: a namespace of its own, veth pairs in it, and an independent
/// listener on the wire.
namespace cpm::wol::test {

using Bytes = std::vector<std::uint8_t>;

/// Runs the body on a thread that lives in a new network namespace with nothing but a loopback that
/// is down; the namespace goes with the thread. Where the kernel does not allow that the test is
/// skipped with the reason.
void in_network_namespace(std::function<void()> const& body);

/// Runs `ip ARGUMENTS` (iproute2) in the calling thread's namespace; the test fails if ip does.
void ip(std::string const& arguments);

/// A veth pair whose near end has the name given and whose far end is NAME-far without an address;
/// both up, with a link.
void add_cable(std::string const& name);

/// Waits until the interface has a link, as the kernel reports that somewhat after the command that
/// gave it one.
void wait_for_link(std::string const& name);

/// Takes the far end of a cable down, and waits until the kernel reports the near end without link.
void cut_cable(std::string const& name);

/// What a machine on the far end of a cable sees: whole Ethernet frames of one type (IPv4, unless
/// another is given), in order.
class Listener {
  public:
    explicit Listener(std::string const& interface, std::uint16_t type = 0x0800);
    Listener(Listener const&) = delete;
    Listener& operator=(Listener const&) = delete;
    ~Listener();

    /// The next frame; empty, with a failed check, if none comes within five seconds.
    [[nodiscard]] Bytes next() const;

  private:
    int descriptor_;
};

} // namespace cpm::wol::test
