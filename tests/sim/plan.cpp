#include "tests/sim/plan.hpp"

#include <fmt/format.h>

#include <array>

namespace cpm::sim {
namespace {

template <std::size_t N>
std::int64_t one_of(Dice& dice, std::array<std::int64_t, N> const& values) {
    return values[dice.below(N)];
}

Machine::Build make_machine(Dice& dice, std::size_t number) {
    Machine::Build build;
    build.number = number;
    build.mac.bytes = {0x52, 0x54, 0, 0, 1, static_cast<std::uint8_t>(number + 1)};
    build.segment = dice.percent(30) ? 1 : 0;
    build.armed = dice.percent(90);
    build.boot_time = std::chrono::seconds(dice.between(15, 120));
    build.stop_time = std::chrono::seconds(dice.between(2, 40));
    build.hook_time = std::chrono::milliseconds(dice.between(5, 8000));
    return build;
}

core::ServerConfig make_server(Dice& dice, Machine::Build const& build) {
    core::ServerConfig config;
    config.name = fmt::format("node{}", build.number);
    config.mac_addresses = {build.mac};
    config.tags = {build.number % 2 == 0 ? "even" : "odd"};
    if (build.segment != 0)
        config.wake.broadcast_address = fmt::format("10.0.{}.255", build.segment);
    if (dice.percent(20))
        config.off_method = core::OffMethod::Suspend;
    if (dice.percent(20))
        config.standby_time = std::chrono::seconds(dice.between(20, 900));
    if (dice.percent(10))
        config.missed_heartbeats = static_cast<std::uint32_t>(dice.between(1, 6));
    return config;
}

} // namespace

Plan make_plan(Dice& dice, Options const& options) {
    Plan plan;
    auto const drawn = static_cast<std::size_t>(dice.between(2, 8));
    auto const servers = options.servers > 0 ? options.servers : drawn;
    for (std::size_t i = 0; i < servers; ++i) {
        plan.machines.push_back(make_machine(dice, i));
        plan.servers.push_back(make_server(dice, plan.machines.back()));
    }
    auto const interval = one_of<6>(dice, {2, 5, 10, 10, 30, 60});
    auto const standby = one_of<6>(dice, {30, 120, 300, 300, 300, 900});
    bool const releases = dice.percent(30);
    auto const set = [&](char const* name, std::string value) {
        plan.settings.emplace_back(name, std::move(value));
    };
    set("heartbeat_interval_seconds",
        fmt::to_string(options.interval > 0 ? std::int64_t{options.interval} : interval));
    set("standby_time_seconds", fmt::to_string(standby));
    set("release_standby_when_settled", releases ? "true" : "false");
    bool const is_short = dice.percent(60);
    // As if a record took 1 KiB (log.hpp): some 2,000 events, and 10,000 of a longer log. It is
    // more than lies between two snapshots, as with the product's own.
    auto const mebibytes = options.length > std::chrono::hours(4) ? 10 : 2;
    if (options.faults.has(Fault::Compacted) && is_short)
        set("heartbeat_retention_bytes", fmt::to_string(mebibytes << 20));
    else
        set("heartbeat_retention_days", "1");
    if (dice.percent(25))
        set("min_on", R"({"even":1})");
    return plan;
}

} // namespace cpm::sim
