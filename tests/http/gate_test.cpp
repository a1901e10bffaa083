#include "http/gate.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

using namespace cpm::http;
namespace asio = boost::asio;

namespace {

struct Told {
    std::vector<int> order;
    int inside = 0;
    int most = 0;
};

asio::awaitable<void> visit(asio::io_context& io, Gate& gate, Told& told, int name) {
    auto const pass = co_await gate.enter();
    REQUIRE(pass);
    told.order.push_back(name);
    told.most = std::max(told.most, ++told.inside);
    for (int i = 0; i < 5; ++i)
        co_await asio::post(io, asio::use_awaitable);
    --told.inside;
}

} // namespace

TEST_CASE("gate: so many are inside at once, and the others come in order") {
    asio::io_context io(1);
    Gate gate(io, 2);
    Told told;
    for (int name = 0; name < 7; ++name)
        asio::co_spawn(io, visit(io, gate, told, name), asio::detached);
    io.run();
    CHECK(told.order == std::vector{0, 1, 2, 3, 4, 5, 6});
    CHECK(told.most == 2);
    CHECK(told.inside == 0);
    // All places are free again.
    io.restart();
    told = {};
    for (int name = 0; name < 2; ++name)
        asio::co_spawn(io, visit(io, gate, told, name), asio::detached);
    io.run();
    CHECK(told.most == 2);
}
