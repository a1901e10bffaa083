// Looking up the names of webhooks' receivers: what one lookup may hold up.
#include "http/name_lookup.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <doctest/doctest.h>

#include <future>
#include <memory>

using namespace cpm;
using namespace cpm::http;
namespace asio = boost::asio;

namespace {

using asio::ip::tcp;

constexpr core::milliseconds kLong{60'000};

tcp::endpoint endpoint(char const* address, std::uint16_t port) {
    return {asio::ip::make_address(address), port};
}

/// A name server that says nothing until it is let go.
class Silent {
  public:
    ~Silent() { answer(); }

    NameLookup lookup() {
        return [released = released_](std::string const&, std::uint16_t port) {
            released.wait();
            return NameFound{{endpoint("192.0.2.9", port)}, {}};
        };
    }
    void answer() {
        if (!std::exchange(answered_, true))
            release_.set_value();
    }

  private:
    std::promise<void> release_;
    std::shared_future<void> released_ = release_.get_future().share();
    bool answered_ = false;
};

struct Told {
    int answers = 0;
    NameFound last;
};

asio::awaitable<void>
ask(asio::io_context& io,
    std::shared_ptr<Told> told,
    std::string host,
    core::milliseconds limit,
    NameLookup lookup) {
    auto found = co_await look_up_name(io, std::move(host), 80, limit, std::move(lookup));
    ++told->answers;
    told->last = std::move(found);
}

std::shared_ptr<Told>
spawn(asio::io_context& io, std::string host, core::milliseconds limit, NameLookup lookup) {
    auto told = std::make_shared<Told>();
    asio::co_spawn(io, ask(io, told, std::move(host), limit, std::move(lookup)), asio::detached);
    return told;
}

NameFound known(std::string const& host, std::uint16_t port) {
    return host == "known" ? NameFound{{endpoint("192.0.2.1", port)}, {}}
                           : NameFound{{}, "unknown"};
}

} // namespace

TEST_CASE("names: the system knows localhost, and an address is no question") {
    asio::io_context io(1);
    auto const local = spawn(io, "localhost", kLong, ask_system);
    auto const v4 = spawn(io, "192.0.2.7", kLong, {});
    auto const v6 = spawn(io, "2001:db8::7", kLong, {});
    auto const none = spawn(io, "no-such-name.invalid", kLong, known);
    io.run();
    REQUIRE_FALSE(local->last.endpoints.empty());
    for (auto const& one : local->last.endpoints) {
        CHECK(one.address().is_loopback());
        CHECK(one.port() == 80);
    }
    CHECK(v4->last.endpoints == std::vector{endpoint("192.0.2.7", 80)});
    CHECK(v6->last.endpoints == std::vector{endpoint("2001:db8::7", 80)});
    CHECK(none->last.endpoints.empty());
    CHECK(none->last.failure == "unknown");
}

TEST_CASE("names: a name server that is silent holds up one lookup and no other") {
    Silent silent;
    asio::io_context io(1);
    auto const slow = spawn(io, "slow", kLong, silent.lookup());
    auto const quick = spawn(io, "known", kLong, known);
    while (quick->answers == 0)
        io.run_one();
    CHECK(quick->last.endpoints == std::vector{endpoint("192.0.2.1", 80)});
    CHECK(slow->answers == 0);
    silent.answer();
    io.run();
    CHECK(slow->last.endpoints == std::vector{endpoint("192.0.2.9", 80)});
}

TEST_CASE("names: nobody waits longer than the limit, and an answer that comes later is nobody's") {
    Silent silent;
    asio::io_context io(1);
    auto const late = spawn(io, "late", core::milliseconds(20), silent.lookup());
    io.run();
    CHECK(late->answers == 1);
    CHECK(late->last.failure == "no name server answered in time");
    silent.answer();
}

TEST_CASE("names: the manager's end waits for no lookup") {
    Silent silent;
    std::shared_ptr<Told> told;
    {
        asio::io_context io(1);
        told = spawn(io, "slow", kLong, silent.lookup());
        io.run_one();
    }
    CHECK(told->answers == 0);
    silent.answer();
}

TEST_CASE("names: so many lookups at once, and no more threads for names that nobody knows") {
    Silent silent;
    asio::io_context io(1);
    int refused = 0;
    for (int i = 0; i < 40; ++i) {
        auto const told = spawn(io, "slow", core::milliseconds(1), silent.lookup());
        io.restart();
        io.run();
        refused += told->last.failure == "too many names are being looked up" ? 1 : 0;
    }
    CHECK(refused >= 40 - 16);
    silent.answer();
    // Those of this and earlier tests end now, and there is room again.
    for (bool found = false; !found;) {
        auto const told = spawn(io, "known", kLong, known);
        io.restart();
        io.run();
        found = !told->last.endpoints.empty();
    }
}
