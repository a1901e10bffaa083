#include "projections/event_json.hpp"

#include "core/hex.hpp"
#include "projections/json_parts.hpp"
#include "projections/server_json.hpp"

#include <boost/json/parse.hpp>

namespace cpm::projections {
namespace {

namespace json = boost::json;

json::value number_or_null(std::optional<std::uint64_t> const& number) {
    if (!number)
        return nullptr;
    return *number;
}

json::value request_json(std::optional<core::Request> const& request) {
    if (!request)
        return nullptr;
    return json::object{
        {"sequence", request->sequence.value},
        {"target", core::to_string(request->target)},
        {"standby", request->standby == core::Standby::Open ? "open" : "elapsed"},
        {"ordered", request->ordered},
        {"answered", request->answered},
        {"confirmed", request->confirmed},
    };
}

std::string_view way_word(core::OrderWay way) {
    switch (way) {
    case core::OrderWay::Heartbeat: return "heartbeat";
    case core::OrderWay::Manifest: return "manifest";
    }
    return "";
}

std::string_view because_word(core::IgnoredBecause because) {
    switch (because) {
    case core::IgnoredBecause::StaleReport: return "stale_report";
    case core::IgnoredBecause::ReplacedIdentity: return "replaced_identity";
    }
    return "";
}

/// The log keeps a setting's value as JSON text; what is none is shown as it stands.
json::value setting_value(std::string const& text) {
    json::error_code error;
    auto value = json::parse(text, error);
    return error ? json::value(json::string(text)) : value;
}

struct Data {
    // fleet
    json::object operator()(core::ServerAdded const& event) const { return to_json(event.config); }
    json::object operator()(core::ServerUpdated const& event) const {
        return to_json(event.config);
    }
    json::object operator()(core::ServerRemoved const&) const { return {}; }
    json::object operator()(core::JoinTokenCreated const& event) const {
        return {
            {"token_id", event.token_id},
            {"expires_at", core::to_rfc3339(event.expires_at)},
            {"any_machine", event.any_machine},
        };
    }
    json::object operator()(core::AgentJoined const& event) const {
        return {
            {"token_id", event.token_id},
            {"hostname", event.hostname},
            {"agent_version", event.agent_version},
            {"os", event.os},
            {"address", event.address},
            {"mac_addresses", to_json(event.mac_addresses)},
        };
    }
    json::object operator()(core::AgentTokenRotated const&) const { return {}; }
    json::object operator()(core::AgentRevoked const&) const { return {}; }
    json::object operator()(core::AgentSetAside const& event) const {
        return {{"identity", to_json(std::optional(event.identity))}};
    }
    json::object operator()(core::AgentReinstated const&) const { return {}; }

    // power
    json::object operator()(core::PowerRequested const& event) const {
        return {
            {"target", core::to_string(event.target)},
            {"standby_time_seconds", event.standby.count()},
        };
    }
    json::object operator()(core::PowerRefused const& event) const {
        return {{"target", core::to_string(event.target)}, {"reason", reason_word(event.reason)}};
    }
    json::object operator()(core::PowerAdopted const& event) const {
        return {
            {"identity", to_json(event.identity)},
            {"overruled", to_json(event.overruled)},
            {"notify", event.notify},
        };
    }
    json::object operator()(core::PowerReasserted const& event) const {
        return {{"request", to_json(event.request)}};
    }
    json::object operator()(core::PowerWithdrawn const& event) const {
        return {
            {"request", to_json(event.request)},
            {"power_status", core::to_string(event.power)},
            {"previous", core::to_string(event.previous)},
            {"current", core::to_string(event.current)},
            {"restored", request_json(event.restored)},
        };
    }
    json::object operator()(core::StandbyElapsed const& event) const {
        return {{"request", to_json(event.request)}, {"late", event.late}};
    }
    json::object operator()(core::StandbyReleased const& event) const {
        return {{"request", to_json(event.request)}};
    }
    json::object operator()(core::OrderSent const& event) const {
        return {
            {"request", to_json(event.request)},
            {"identity", to_json(event.identity)},
            {"nonce", text_or_null(event.nonce)},
            {"way", way_word(event.way)},
        };
    }
    json::object operator()(core::WakeSent const& event) const {
        return {
            {"request", to_json(event.request)},
            {"mac_address", core::to_string(event.mac)},
            {"way", event.way},
            {"ok", event.ok},
            {"detail", text_or_null(event.detail)},
            {"relay", text_or_null(event.relay ? core::to_string(event.relay) : "")},
        };
    }

    // heartbeats
    json::object operator()(core::HeartbeatReceived const& event) const {
        return {
            {"status", core::to_string(event.status)},
            {"identity", to_json(event.identity)},
            {"report", number_or_null(event.report)},
            {"timeout_seconds", event.timeout.count()},
            {"blocked_by", text_or_null(event.blocked_by)},
            {"leaving", text_or_null(core::to_string(event.leaving))},
            {"can_verify", event.can_verify},
            {"agent_version", text_or_null(event.agent_version)},
            {"address", text_or_null(event.address)},
        };
    }
    json::object operator()(core::HeartbeatLost const& event) const {
        return {{"heartbeat", to_json(event.heartbeat)}};
    }
    json::object operator()(core::ReportIgnored const& event) const {
        return {
            {"status", core::to_string(event.status)},
            {"identity", to_json(std::optional(event.identity))},
            {"report", number_or_null(event.report)},
            {"because", because_word(event.because)},
        };
    }
    json::object operator()(core::HeartbeatsCompacted const& event) const {
        return {
            {"first", to_json(event.first)},
            {"last", to_json(event.last)},
            {"count", event.count},
            {"prev_hash", core::to_hex(event.prev_hash)},
            {"last_hash", core::to_hex(event.last_hash)},
        };
    }

    // people
    json::object operator()(core::SetupDone const& event) const {
        return {{"username", event.username}};
    }
    json::object operator()(core::SignedIn const& event) const {
        return {{"username", event.username}, {"address", event.address}};
    }
    json::object operator()(core::SignInFailed const& event) const {
        return {{"username", text_or_null(event.username)}, {"address", event.address}};
    }
    json::object operator()(core::SignedOut const& event) const {
        return {{"username", event.username}};
    }
    json::object operator()(core::UserAdded const& event) const {
        return {{"username", event.username}, {"role", core::to_string(event.role)}};
    }
    json::object operator()(core::UserChanged const& event) const {
        return {
            {"username", event.username},
            {"role", core::to_string(event.role)},
            {"disabled", event.disabled},
            {"password_changed", event.password_changed},
        };
    }
    json::object operator()(core::UserRemoved const& event) const {
        return {{"username", event.username}};
    }
    json::object operator()(core::TokenCreated const& event) const {
        return {
            {"token_id", event.token_id},
            {"name", event.name},
            {"role", core::to_string(event.role)},
            {"expires_at", time_or_null(event.expires_at)},
        };
    }
    json::object operator()(core::TokenRevoked const& event) const {
        return {{"token_id", event.token_id}};
    }
    json::object operator()(core::NotificationDismissed const& event) const {
        return {{"notification_id", event.notification_id}};
    }
    json::object operator()(core::SettingsChanged const& event) const {
        json::object changes;
        for (auto const& [name, value] : event.changes)
            changes[name] = setting_value(value);
        return {{"changes", std::move(changes)}};
    }

    // process
    json::object operator()(core::ManagerStarted const& event) const {
        return {{"version", event.version}};
    }
    json::object operator()(core::ManagerStopped const&) const { return {}; }
    json::object operator()(core::RollbackAccepted const& event) const {
        return {{"epoch", event.epoch}};
    }
};

} // namespace

std::string_view reason_word(core::ErrorCode code) {
    using enum core::ErrorCode;
    switch (code) {
    case Malformed: return "malformed";
    case Validation: return "validation";
    case NotSignedIn: return "not-signed-in";
    case NotAllowed: return "not-allowed";
    case NotFound: return "not-found";
    case Gone: return "gone";
    case Conflict: return "conflict";
    case Stale: return "stale";
    case StandbyOpen: return "standby";
    case Protected: return "protected";
    case OwnHost: return "own-host";
    case SetAside: return "set-aside";
    case WrongMachine: return "wrong-machine";
    case Throttled: return "throttled";
    case KeyReused: return "key-reused";
    case Starting: return "starting";
    case RolledBack: return "rolled-back";
    case Fenced: return "fenced";
    case NoSpace: return "no-space";
    case Storage: return "storage";
    case Corrupt: return "corrupt";
    case MinOn: return "min-on";
    case Confirm: return "confirm";
    }
    return "";
}

json::object data_of(core::Payload const& payload) {
    return std::visit(Data{}, payload);
}

json::object to_json(core::Event const& event, core::Hash const& hash) {
    json::value actual;
    if (event.actual)
        actual = core::to_string(*event.actual);
    return {
        {"sequence", event.sequence.value},
        {"decision", event.decision.value},
        {"at", core::to_rfc3339(event.at)},
        {"type", core::type_name(event.payload)},
        {"family", core::to_string(core::family_of(event.payload))},
        {"server_id", text_or_null(event.server ? core::to_string(event.server) : "")},
        {"actor", to_json(event.actor)},
        {"cause", to_json(event.cause)},
        {"actual_status", std::move(actual)},
        {"data", data_of(event.payload)},
        {"hash", core::to_hex(hash)},
    };
}

} // namespace cpm::projections
