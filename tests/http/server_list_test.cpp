#include "http/server_list.hpp"

#include <doctest/doctest.h>

#include <set>

using namespace cpm;
using namespace cpm::http;
using core::ActualStatus;

namespace {

core::Server& add(core::Fleet& fleet, std::uint64_t id, std::string name) {
    core::Server server;
    server.id = {id};
    server.config.name = std::move(name);
    return fleet.servers[server.id] = std::move(server);
}

core::Result<ServerPage>
ask(core::Fleet const& fleet, std::vector<std::pair<std::string, std::string>> query) {
    Request request;
    request.query = std::move(query);
    auto const read = read_server_query(request);
    if (!read)
        return tl::make_unexpected(read.error());
    return find_servers(fleet, *read);
}

std::string
names(core::Fleet const& fleet, std::vector<std::pair<std::string, std::string>> query) {
    auto const page = ask(fleet, std::move(query));
    REQUIRE(page);
    std::string text;
    for (auto const* server : page->servers)
        text += server->config.name + " ";
    return text;
}

core::Fleet small_fleet() {
    core::Fleet fleet;
    auto& a = add(fleet, 3, "alpha");
    a.config.tags = {"gpu", "rack1"};
    a.state.actual = ActualStatus::On;
    a.changed_at = core::WallTime(std::chrono::seconds(300));
    a.last_heartbeat_at = core::WallTime(std::chrono::seconds(9));
    auto& b = add(fleet, 2, "beta");
    b.config.tags = {"gpu"};
    b.config.note = "the Old one";
    b.state.actual = ActualStatus::ManuallyOn;
    b.changed_at = core::WallTime(std::chrono::seconds(20));
    b.last_heartbeat_at = core::WallTime(std::chrono::seconds(10));
    auto& c = add(fleet, 1, "gamma");
    c.config.mac_addresses = {*core::parse_mac_address("52:54:00:12:34:56")};
    c.agent.hostname = "node-C";
    c.state.actual = ActualStatus::Crashed;
    c.changed_at = core::WallTime(std::chrono::seconds(100));
    return fleet;
}

} // namespace

TEST_CASE("server list: a status finds what people read, so ON finds ManuallyON (3.2)") {
    auto const fleet = small_fleet();
    CHECK(names(fleet, {{"status", "ON"}}) == "alpha beta ");
    CHECK(names(fleet, {{"status", "ManuallyON"}}) == "beta ");
    CHECK(names(fleet, {{"status", "Crashed,ManuallyON"}}) == "beta gamma ");
    CHECK(names(fleet, {{"status", "OFF"}}).empty());
    CHECK_FALSE(ask(fleet, {{"status", "on"}}));
    CHECK_FALSE(ask(fleet, {{"status", "ON,"}}));
}

TEST_CASE("server list: tag and text narrow it (3.2)") {
    auto const fleet = small_fleet();
    CHECK(names(fleet, {{"tag", "gpu"}}) == "alpha beta ");
    CHECK(names(fleet, {{"tag", "gp"}}).empty());
    CHECK(names(fleet, {{"q", "ETA"}}) == "beta ");
    CHECK(names(fleet, {{"q", "old"}}) == "beta ");
    CHECK(names(fleet, {{"q", "node-c"}}) == "gamma ");
    CHECK(names(fleet, {{"q", "12:34"}}) == "gamma ");
    CHECK(names(fleet, {{"q", "rack"}}) == "alpha ");
    CHECK(names(fleet, {{"q", "a"}, {"tag", "gpu"}, {"status", "ON"}}) == "alpha beta ");
    CHECK(names(fleet, {{"q", ""}}) == "alpha beta gamma ");
}

TEST_CASE("server list: sorted by name, or as asked, in either direction (3.2)") {
    auto const fleet = small_fleet();
    CHECK(names(fleet, {}) == "alpha beta gamma ");
    CHECK(names(fleet, {{"sort", "-name"}}) == "gamma beta alpha ");
    CHECK(names(fleet, {{"sort", "changed_at"}}) == "beta gamma alpha ");
    CHECK(names(fleet, {{"sort", "-last_heartbeat_at"}}) == "beta alpha gamma ");
    CHECK(names(fleet, {{"sort", "status"}}) == "gamma beta alpha "); // same status: by id
    CHECK_FALSE(ask(fleet, {{"sort", "id"}}));
    CHECK_FALSE(ask(fleet, {{"stauts", "ON"}}));
}

TEST_CASE("server list: pages show each server once, also when others come and go between") {
    core::Fleet fleet;
    for (std::uint64_t id = 1; id <= 25; ++id)
        add(fleet, id, "same name"); // only the id tells them apart
    std::multiset<std::uint64_t> seen;
    std::optional<std::string> cursor;
    int pages = 0;
    do {
        std::vector<std::pair<std::string, std::string>> query{{"limit", "10"}};
        if (cursor)
            query.emplace_back("cursor", *cursor);
        auto const page = ask(fleet, query);
        REQUIRE(page);
        CHECK(page->servers.size() == (pages < 2 ? 10 : 5));
        for (auto const* server : page->servers)
            seen.insert(server->id.value);
        cursor = page->next_cursor;
        fleet.servers.erase(core::ServerId{seen.empty() ? 0 : *seen.begin()});
        add(fleet, 100 + static_cast<std::uint64_t>(pages), "a first name");
    } while (cursor && ++pages < 10);
    CHECK(seen.size() == 25);
    CHECK(std::set<std::uint64_t>(seen.begin(), seen.end()).size() == 25);
}

TEST_CASE("server list: a cursor of another order is refused, not misread") {
    auto const fleet = small_fleet();
    auto const page = ask(fleet, {{"limit", "1"}});
    REQUIRE(page);
    REQUIRE(page->next_cursor);
    CHECK(names(fleet, {{"limit", "1"}, {"cursor", *page->next_cursor}}) == "beta ");
    CHECK_FALSE(ask(fleet, {{"sort", "-name"}, {"cursor", *page->next_cursor}}));
    CHECK_FALSE(ask(fleet, {{"cursor", make_cursor("name\nnonsense\nalpha")}}));
}
