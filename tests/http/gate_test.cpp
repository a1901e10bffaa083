#include "http/gate.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

using namespace cpm::http;
namespace asio = boost::asio;

namespace {

struct Told {
    std::vector<int> order;
    int inside = 0;
    int most = 0;
};

asio::awaitable<void>
visit(asio::io_context& io, Gate& gate, Told& told, int name, std::string caller) {
    auto const pass = co_await gate.enter(std::move(caller));
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
        asio::co_spawn(
            io, visit(io, gate, told, name, "caller" + std::to_string(name)), asio::detached
        );
    io.run();
    CHECK(told.order == std::vector{0, 1, 2, 3, 4, 5, 6});
    CHECK(told.most == 2);
    CHECK(told.inside == 0);
    // All places are free again.
    io.restart();
    told = {};
    for (auto const* caller : {"caller0", "another"})
        asio::co_spawn(io, visit(io, gate, told, 0, caller), asio::detached);
    io.run();
    CHECK(told.most == 2);
}

TEST_CASE("gate: one caller has half of the places, however much it asks for") {
    asio::io_context io(1);
    Gate gate(io, 4);
    Told told;
    for (int name = 0; name < 6; ++name)
        asio::co_spawn(io, visit(io, gate, told, name, "greedy"), asio::detached);
    io.run();
    CHECK(told.order == std::vector{0, 1, 2, 3, 4, 5});
    CHECK(told.most == 2);
}

TEST_CASE("gate: whoever has the fewest places comes next") {
    asio::io_context io(1);
    Gate gate(io, 4);
    Told told;
    for (int name = 0; name < 4; ++name)
        asio::co_spawn(io, visit(io, gate, told, name, "greedy"), asio::detached);
    for (int name : {10, 11})
        asio::co_spawn(io, visit(io, gate, told, name, "second"), asio::detached);
    asio::co_spawn(io, visit(io, gate, told, 20, "third"), asio::detached);
    io.run();
    CHECK(told.order == std::vector{0, 1, 10, 11, 20, 2, 3});
    CHECK(told.most == 4);
}
