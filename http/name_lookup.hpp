#pragma once

#include "core/time.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <functional>
#include <string>
#include <vector>

namespace cpm::http {

/// Where a name leads; without endpoints, why nowhere.
struct NameFound {
    std::vector<boost::asio::ip::tcp::endpoint> endpoints{};
    std::string failure{};
};

/// Blocks for as long as it takes.
using NameLookup = std::function<NameFound(std::string const& host, std::uint16_t port)>;

/// Asks the system: its hosts file, its name servers.
NameFound ask_system(std::string const& host, std::uint16_t port);

/// Where a host leads. An address is no question. A name is looked up by a thread of its own, for
/// which nobody waits longer than `limit`, and at the manager's end not at all: name servers that
/// do not answer hold up one lookup, not the others. At most 16 are under way, those included for
/// which nobody waits any more; a further one fails at once.
boost::asio::awaitable<NameFound> look_up_name(
    boost::asio::io_context& io,
    std::string host,
    std::uint16_t port,
    core::milliseconds limit,
    NameLookup lookup = ask_system
);

} // namespace cpm::http
