#include "tools/cpm-replay/server_changes.hpp"

#include "core/status_table.hpp"
#include "projections/event_text.hpp"

#include <fmt/format.h>

namespace cpm::replay {
namespace {

using core::Server;

std::string yes_no(bool value) {
    return value ? "yes" : "no";
}

std::string number(core::Sequence sequence) {
    return sequence ? std::to_string(sequence.value) : std::string();
}

std::string number(std::optional<core::seconds> const& duration) {
    return duration ? std::to_string(duration->count()) : std::string();
}

std::string identity(core::BootIdentity const& identity) {
    auto const boot = to_string(identity.boot_id);
    return identity.resume_count == 0 ? boot
                                      : fmt::format("{} resumed {}x", boot, identity.resume_count);
}

std::string request(Server const& server) {
    auto const& request = server.state.request;
    if (!request)
        return {};
    return fmt::format(
        "{}: {} by {}, standby time {} s {}{}{}{}",
        request->sequence.value,
        to_string(request->target),
        projections::to_text(server.requested_by),
        server.standby.count(),
        request->standby == core::Standby::Open ? "open" : "elapsed",
        request->ordered ? ", ordered" : "",
        request->answered ? ", answered" : "",
        request->confirmed ? ", confirmed" : ""
    );
}

std::string earlier(Server const& server) {
    std::string text;
    for (auto const& one : server.state.earlier)
        text += (text.empty() ? "" : ", ") + identity(one.identity) +
                (one.ignored ? " (reported since)" : "");
    return text;
}

std::string joined(std::vector<std::string> const& texts) {
    std::string text;
    for (auto const& one : texts)
        text += (text.empty() ? "" : " ") + one;
    return text;
}

std::string macs(Server const& server) {
    std::vector<std::string> texts;
    for (auto const& mac : server.config.mac_addresses)
        texts.push_back(to_string(mac));
    return joined(texts);
}

std::string wake(Server const& server) {
    auto const& wake = server.config.wake;
    std::vector<std::string> texts;
    if (!wake.broadcast_address.empty())
        texts.push_back(wake.broadcast_address);
    for (auto const port : wake.ports)
        texts.push_back(fmt::format("port {}", port));
    if (!wake.interface.empty())
        texts.push_back("on " + wake.interface);
    return joined(texts);
}

struct Field {
    std::string_view name;
    std::string (*text)(Server const&);
    bool is_routine = false; ///< each heartbeat changes it
};

constexpr Field kFields[] = {
    {"actual_status", [](Server const& s) { return std::string(to_string(s.state.actual)); }},
    {"rule", [](Server const& s) { return std::string(classify(s.state).rule); }},
    {"power_status", [](Server const& s) { return std::string(to_string(s.state.power)); }},
    {"previous", [](Server const& s) { return std::string(to_string(s.state.previous)); }},
    {"current", [](Server const& s) { return std::string(to_string(s.state.current)); }},
    {"request", request},
    {"adopted", [](Server const& s) { return yes_no(s.state.adopted); }},
    {"set_aside", [](Server const& s) { return yes_no(s.state.set_aside); }},
    {"blocked_by", [](Server const& s) { return s.state.blocked_by; }},
    {"boot",
     [](Server const& s) { return s.state.boot ? identity(*s.state.boot) : std::string(); }},
    {"earlier_boots", earlier},
    {"leaving",
     [](Server const& s) {
         return s.leaving == core::Leaving::No ? std::string() : std::string(to_string(s.leaving));
     }},
    {"report",
     [](Server const& s) {
         return s.state.report ? std::to_string(*s.state.report) : std::string();
     },
     true},
    {"last_heartbeat", [](Server const& s) { return number(s.state.last_heartbeat); }, true},
    {"last_heartbeat_at",
     [](Server const& s) {
         return s.last_heartbeat_at ? core::to_rfc3339(*s.last_heartbeat_at) : std::string();
     },
     true},
    {"heartbeat_timeout_seconds",
     [](Server const& s) {
         return s.heartbeat_timeout.count() == 0 ? std::string()
                                                 : std::to_string(s.heartbeat_timeout.count());
     }},
    {"wakes",
     [](Server const& s) {
         return s.wakes.rounds ? std::to_string(s.wakes.rounds) : std::string();
     }},
    {"name", [](Server const& s) { return s.config.name; }},
    {"mac_addresses", macs},
    {"tags", [](Server const& s) { return joined(s.config.tags); }},
    {"note", [](Server const& s) { return s.config.note; }},
    {"heartbeat_interval_seconds",
     [](Server const& s) { return number(s.config.heartbeat_interval); }},
    {"standby_time_seconds", [](Server const& s) { return number(s.config.standby_time); }},
    {"missed_heartbeats",
     [](Server const& s) {
         auto const& missed = s.config.missed_heartbeats;
         return missed ? std::to_string(*missed) : std::string();
     }},
    {"wake", wake},
    {"off_method", [](Server const& s) { return std::string(to_string(s.config.off_method)); }},
    {"protected", [](Server const& s) { return yes_no(s.config.is_protected); }},
    {"allow_unsigned", [](Server const& s) { return yes_no(s.config.allow_unsigned); }},
    {"agent_enrolled", [](Server const& s) { return yes_no(s.agent.enrolled); }},
    {"agent_can_verify", [](Server const& s) { return yes_no(s.agent.can_verify); }},
    {"agent_version", [](Server const& s) { return s.agent.version; }},
    {"agent_hostname", [](Server const& s) { return s.agent.hostname; }},
    {"agent_os", [](Server const& s) { return s.agent.os; }},
    {"agent_address", [](Server const& s) { return s.agent.address; }},
};

} // namespace

std::vector<Change>
changes_between(core::Server const* before, core::Server const* after, Detail detail) {
    std::vector<Change> changes;
    for (auto const& field : kFields) {
        if (field.is_routine && detail == Detail::NotRoutine)
            continue;
        auto from = before ? field.text(*before) : std::string();
        auto to = after ? field.text(*after) : std::string();
        if (from != to)
            changes.push_back({std::string(field.name), std::move(from), std::move(to)});
    }
    return changes;
}

std::vector<Change> changes_between(core::Fleet const& before, core::Fleet const& after) {
    std::vector<Change> changes;
    if (before.epoch != after.epoch)
        changes.push_back({"epoch", std::to_string(before.epoch), std::to_string(after.epoch)});
    auto const was = list(before.settings);
    auto const is = list(after.settings);
    for (std::size_t i = 0; i < is.size(); ++i)
        if (was[i].second != is[i].second)
            changes.push_back({is[i].first, was[i].second, is[i].second});
    return changes;
}

} // namespace cpm::replay
