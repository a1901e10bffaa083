// What people ask about servers (status model 1.4, HTTP 3.2).
#include "tests/manager/rig.hpp"

using namespace cpm;
using namespace cpm::test;
using namespace std::chrono_literals;
using core::ErrorCode;
using core::PowerStatus;

namespace {

manager::RequestPower request(core::ServerId server, PowerStatus target) {
    manager::RequestPower command;
    command.actor = kAlice;
    command.server = server;
    command.target = target;
    return command;
}

manager::UpdateServer edit(core::ServerId server, std::function<void(core::ServerConfig&)> change) {
    manager::UpdateServer command;
    command.actor = kAlice;
    command.server = server;
    command.edit = std::move(change);
    return command;
}

template <class T>
ErrorCode code(core::Result<T> const& outcome) {
    REQUIRE_FALSE(outcome);
    return outcome.error().code;
}

} // namespace

TEST_CASE("power: an accepted request is one event, by whom it was asked (1.4)") {
    Rig rig;
    auto const id = rig.running("n", 1);
    rig.happened();
    auto const outcome = rig.ask(request(id, PowerStatus::Off));
    REQUIRE(outcome);
    CHECK(outcome->accepted);
    CHECK(rig.happened() == Names{"PowerRequested"});
    auto const event = rig.last("PowerRequested");
    CHECK(outcome->sequence == event.sequence);
    CHECK(event.actor == kAlice);
    CHECK(std::get<core::PowerRequested>(event.payload).standby == 300s);
    CHECK(rig.actual(id) == "BeforeStopping");
}

TEST_CASE("power: what holds already is unchanged, without an event (1.4)") {
    Rig rig;
    auto const id = rig.running("n", 1);
    rig.happened();
    auto const on = rig.ask(request(id, PowerStatus::On));
    REQUIRE(on);
    CHECK_FALSE(on->accepted);
    auto const off = rig.gone_off("m", 2);
    rig.happened();
    auto const again = rig.ask(request(off, PowerStatus::Off));
    REQUIRE(again);
    CHECK_FALSE(again->accepted);
    CHECK(again->sequence == rig.server(off).state.request->sequence);
    CHECK(rig.happened().empty());
}

TEST_CASE("power: while the standby time is open all are refused, with what is left of it (1.4)") {
    Rig rig;
    auto const id = rig.running("n", 1);
    rig.wants(id, PowerStatus::Off);
    rig.pass(20400ms);
    rig.happened();
    for (auto target : {PowerStatus::On, PowerStatus::Off}) {
        auto const outcome = rig.ask(request(id, target));
        CHECK(code(outcome) == ErrorCode::StandbyOpen);
        CHECK(outcome.error().remaining_seconds == 280); // 279.6 s
    }
    CHECK(rig.happened() == Names{"PowerRefused", "PowerRefused"});
}

TEST_CASE("power: a request whose standby time is over but not yet closed waits a second (1.4)") {
    Rig rig;
    auto const id = rig.running("n", 1);
    rig.wants(id, PowerStatus::Off);
    rig.pass(29s);
    rig.says_on(id);
    rig.clock.advance(271s);
    auto const outcome = rig.ask(request(id, PowerStatus::On));
    CHECK(code(outcome) == ErrorCode::StandbyOpen);
    CHECK(outcome.error().remaining_seconds == 1);
    rig.pass(20ms);
    CHECK(rig.ask(request(id, PowerStatus::On)));
}

TEST_CASE("power: of two requests at once the second is refused for the whole standby time (1.4)") {
    Rig rig;
    auto const id = rig.running("n", 1);
    std::optional<core::Result<manager::RequestPower::Outcome>> first;
    std::optional<core::Result<manager::RequestPower::Outcome>> second;
    rig.queue(request(id, PowerStatus::Off), first);
    rig.queue(request(id, PowerStatus::On), second);
    REQUIRE(rig.round());
    CHECK(first.value()->accepted);
    CHECK(code(*second) == ErrorCode::StandbyOpen);
    CHECK(second.value().error().remaining_seconds == 300);
}

TEST_CASE("power: while its own cards are unknown any server may be the manager's (HTTP 3.2)") {
    Rig rig;
    rig.own_macs.reset();
    auto const id = rig.running("n", 1);
    auto const cardless = rig.add("cardless", {});
    rig.happened();

    auto const refused = rig.ask(request(id, PowerStatus::Off));
    CHECK(code(refused) == ErrorCode::OwnHost);
    CHECK(refused.error().detail.find("n may be the machine the manager itself runs on") == 0);
    CHECK(refused.error().detail.find("include_manager") != std::string::npos);
    CHECK(code(rig.ask(request(cardless, PowerStatus::Off))) == ErrorCode::OwnHost);
    CHECK(rig.happened() == Names{"PowerRefused", "PowerRefused"});
    CHECK(rig.server(id).state.power == PowerStatus::On);
    CHECK(rig.ask(request(cardless, PowerStatus::On)));

    rig.own_macs = {{mac(9)}}; // they can be listed after all
    CHECK(rig.ask(request(id, PowerStatus::Off)));
}

TEST_CASE("power: an OFF that includes the manager goes though its cards are unknown (3.2)") {
    Rig rig;
    rig.own_macs.reset();
    auto said = request(rig.running("n", 1), PowerStatus::Off);
    said.include_manager = true;
    CHECK(rig.ask(said));
}

TEST_CASE("power: guards refuse an OFF, record it, and never an ON (HTTP 3.2)") {
    Rig rig;
    rig.own_macs = {{mac(9), mac(1)}};
    auto const own = rig.running("own", 1);
    auto const guarded = rig.running("guarded", 2);
    REQUIRE(rig.ask(edit(guarded, [](auto& config) { config.is_protected = true; })));
    rig.happened();

    CHECK(code(rig.ask(request(own, PowerStatus::Off))) == ErrorCode::OwnHost);
    auto said = request(own, PowerStatus::Off);
    said.include_manager = true;
    CHECK(rig.ask(said));

    CHECK(code(rig.ask(request(guarded, PowerStatus::Off))) == ErrorCode::Protected);
    auto named = request(guarded, PowerStatus::Off);
    named.confirm = "own";
    CHECK(code(rig.ask(named)) == ErrorCode::Protected);
    named.confirm = "guarded";
    CHECK(rig.ask(named));
    CHECK(
        rig.happened() ==
        Names{
            "PowerRefused",
            "PowerRequested",
            "PowerRefused",
            "PowerRefused",
            "PowerRequested",
        }
    );

    rig.pass(301s);
    CHECK(rig.ask(request(own, PowerStatus::On)));
    CHECK(rig.ask(request(guarded, PowerStatus::On)));
}

TEST_CASE("power: a server that is not there is not found (HTTP 3.2)") {
    Rig rig;
    core::ServerId const nobody{4711};
    CHECK(code(rig.ask(request(nobody, PowerStatus::On))) == ErrorCode::NotFound);
    CHECK(code(rig.ask(edit(nobody, [](auto&) {}))) == ErrorCode::NotFound);
    CHECK(code(rig.ask(manager::RemoveServer{kAlice, nobody, {}, true})) == ErrorCode::NotFound);
    CHECK(code(rig.ask(manager::CreateJoinToken{kAlice, nobody})) == ErrorCode::NotFound);
    CHECK(code(rig.ask(manager::RevokeAgent{kAlice, nobody})) == ErrorCode::NotFound);
    CHECK(code(rig.ask(manager::ReinstateAgent{kAlice, nobody})) == ErrorCode::NotFound);
    CHECK(rig.happened().empty());
}

TEST_CASE("servers: two added at once cannot share a name or a MAC (HTTP 3.2)") {
    Rig rig;
    core::ServerConfig a;
    a.name = "a";
    a.mac_addresses = {mac(1)};
    auto same_name = a;
    same_name.mac_addresses = {mac(2)};
    auto same_mac = a;
    same_mac.name = "b";
    std::optional<core::Result<manager::AddServer::Outcome>> told[3];
    rig.queue(manager::AddServer{kAlice, a, {}}, told[0]);
    rig.queue(manager::AddServer{kAlice, same_name, {}}, told[1]);
    rig.queue(manager::AddServer{kAlice, same_mac, {}}, told[2]);
    REQUIRE(rig.round());
    CHECK(told[0].value());
    CHECK(code(*told[1]) == ErrorCode::Conflict);
    CHECK(code(*told[2]) == ErrorCode::Conflict);
    // What a removed one had is free again, in the very next decision.
    std::optional<core::Result<manager::RemoveServer::Outcome>> removed;
    rig.queue(manager::RemoveServer{kAlice, told[0].value()->server, {}, true}, removed);
    told[2].reset();
    rig.queue(manager::AddServer{kAlice, same_mac, {}}, told[2]);
    REQUIRE(rig.round());
    CHECK(removed.value());
    CHECK(told[2].value());
}

TEST_CASE("servers: two edits of different fields at once both hold, a stale one does not (412)") {
    Rig rig;
    auto const id = rig.add("n", {mac(1)});
    auto const seen = rig.server(id).configured;
    std::optional<core::Result<manager::UpdateServer::Outcome>> told[3];
    rig.queue(edit(id, [](auto& config) { config.note = "top"; }), told[0]);
    rig.queue(edit(id, [](auto& config) { config.tags = {"gpu"}; }), told[1]);
    auto stale = edit(id, [](auto& config) { config.note = "bottom"; });
    stale.if_match = seen;
    rig.queue(std::move(stale), told[2]);
    REQUIRE(rig.round());
    CHECK(told[0].value());
    CHECK(told[1].value());
    CHECK(code(*told[2]) == ErrorCode::Stale);
    CHECK(rig.server(id).config.note == "top");
    CHECK(rig.server(id).config.tags == std::vector<std::string>{"gpu"});
    auto fresh = edit(id, [](auto& config) { config.note = "bottom"; });
    fresh.if_match = rig.server(id).configured;
    CHECK(rig.ask(std::move(fresh)));
}

TEST_CASE("servers: an edit that changes nothing is no event, a faulty one names its field") {
    Rig rig;
    auto const id = rig.add("n", {mac(1)});
    rig.happened();
    auto const same = rig.ask(edit(id, [](auto& config) { config.name = "n"; }));
    REQUIRE(same);
    CHECK_FALSE(same->sequence);
    auto const faulty = rig.ask(edit(id, [](auto& config) { config.standby_time = 0s; }));
    CHECK(code(faulty) == ErrorCode::Validation);
    REQUIRE(faulty.error().fields.size() == 1);
    CHECK(faulty.error().fields[0].field == "standby_time_seconds");
    CHECK(rig.happened().empty());
}

TEST_CASE("servers: one that is not OFF is removed only with force (HTTP 3.2)") {
    Rig rig;
    auto const on = rig.running("on", 1);
    CHECK(code(rig.ask(manager::RemoveServer{kAlice, on, {}, false})) == ErrorCode::Conflict);
    CHECK(rig.ask(manager::RemoveServer{kAlice, on, {}, true}));
    auto const off = rig.gone_off("off", 2);
    CHECK(rig.ask(manager::RemoveServer{kAlice, off, {}, false}));
    auto const unknown = rig.add("new", {}); // nobody knows what it is
    CHECK(code(rig.ask(manager::RemoveServer{kAlice, unknown, {}, false})) == ErrorCode::Conflict);
    CHECK(rig.ask(manager::RemoveServer{kAlice, unknown, {}, true}));
    CHECK(rig.heard().fleet().servers.empty());
}

TEST_CASE("servers: with one its wake password goes (HTTP 3.2)") {
    Rig rig;
    core::ServerConfig config;
    config.name = "n";
    auto const added = rig.ask(manager::AddServer{kAlice, config, "c0000201"});
    REQUIRE(added);
    std::vector<std::string> keys;
    auto const collect = [&](std::string_view key, std::string_view) { keys.emplace_back(key); };
    REQUIRE(rig.log().read_table(eventstore::Table::Accounts, collect));
    CHECK(keys == std::vector{"wake/" + to_string(added->server)});
    REQUIRE(rig.ask(manager::RemoveServer{kAlice, added->server, {}, true}));
    keys.clear();
    REQUIRE(rig.log().read_table(eventstore::Table::Accounts, collect));
    CHECK(keys.empty());
}

TEST_CASE("servers: a wake password that is none is refused, and names its field (HTTP 3.2)") {
    Rig rig;
    core::ServerConfig config;
    config.name = "n";
    for (char const* bad : {"12", "0102030405060708", "zz020304", "01020304f", "0102030405060"}) {
        auto const added = rig.ask(manager::AddServer{kAlice, config, bad});
        CHECK_MESSAGE(code(added) == ErrorCode::Validation, bad);
        CHECK(added.error().fields.at(0).field == "wake.secure_on");
    }
    auto const id = rig.add(config);
    auto change = edit(id, [](auto&) {});
    change.secure_on = "0102030405060708";
    CHECK(code(rig.ask(std::move(change))) == ErrorCode::Validation);
}
