#include "http/agent_answers.hpp"

#include "core/hex.hpp"
#include "projections/json_parts.hpp"

namespace cpm::http {
namespace {

namespace json = boost::json;

json::object order_json(core::Order const& order, manager::Keys const& keys) {
    return {
        {"method", core::to_string(order.method)},
        {"server_id", core::to_string(order.server)},
        {"boot_id", core::to_string(order.identity.boot_id)},
        {"resume_count", order.identity.resume_count},
        {"nonce", order.nonce},
        {"sequence", order.request.value},
        {"signature", keys.sign(order)},
    };
}

json::object head_json(eventstore::Head const& head, manager::Keys const& keys) {
    return {
        {"epoch", head.epoch},
        {"sequence", head.sequence.value},
        {"hash", core::to_hex(head.hash)},
        {"mac", keys.witness_mac(head)},
        {"signature", keys.sign(head)},
    };
}

} // namespace

json::object agent_answer(
    core::Manifest const& manifest,
    std::string_view version,
    eventstore::Head const& head,
    manager::Keys const& keys
) {
    json::object answer{
        {"power_status", core::to_string(manifest.power_status)},
        {"heartbeat_interval_seconds", manifest.heartbeat_interval.count()},
        {"manifest_version", version},
        {"head", head_json(head, keys)},
    };
    if (manifest.order)
        answer["order"] = order_json(*manifest.order, keys);
    if (auto const notice = notice_text(manifest.notice); !notice.empty())
        answer["notice"] = notice;
    return answer;
}

json::array
wake_json(std::vector<manager::WakeAsk> const& asks, manager::Accounts const& accounts) {
    json::array wakes;
    for (auto const& ask : asks) {
        json::object wake{{"mac_address", core::to_string(ask.mac)}};
        if (auto const* password = accounts.find_wake_password(ask.sleeper))
            wake["secure_on"] = password->hex;
        wake["id"] = ask.id;
        wakes.push_back(std::move(wake));
    }
    return wakes;
}

std::string_view notice_text(core::Notice notice) {
    switch (notice) {
    case core::Notice::None: return "";
    case core::Notice::CannotVerify:
        return "this server is asked to be OFF, but this agent cannot be sent a signed order: send "
               "nonce, boot_id and resume_count, or let an administrator set allow_unsigned";
    case core::Notice::JoinedSince:
        return "this agent joined, or first reported, after OFF was asked for, so its machine "
               "stays up: ask for OFF again";
    case core::Notice::SetAside:
        return "two machines report as this server, so nobody is told OFF: join this one again, or "
               "let an administrator reinstate the agent";
    case core::Notice::Ignored:
        return "this report did not count: a newer boot or a later report of this server is known";
    case core::Notice::RolledBack:
        return "the manager's event log is older than it was, so nobody is told OFF until an "
               "administrator accepts this";
    }
    return "";
}

} // namespace cpm::http
