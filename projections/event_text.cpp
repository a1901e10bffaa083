#include "projections/event_text.hpp"

#include "projections/event_json.hpp"

#include <fmt/format.h>

namespace cpm::projections {
namespace {

using fmt::format;

std::string text_of(core::BootIdentity const& identity) {
    auto const boot = to_string(identity.boot_id).substr(0, 8);
    return identity.resume_count == 0 ? "boot " + boot
                                      : format("boot {} resumed {}x", boot, identity.resume_count);
}

std::string text_of(std::optional<core::BootIdentity> const& identity) {
    return identity ? text_of(*identity) : "no identity";
}

std::string config(core::ServerConfig const& config) {
    std::string text = config.name;
    for (auto const& mac : config.mac_addresses)
        text += " " + to_string(mac);
    return text + (config.is_protected ? ", protected" : "");
}

std::string heartbeat(core::HeartbeatReceived const& event) {
    auto text = format("{}, {}", to_string(event.status), text_of(event.identity));
    if (event.report)
        text += format(", report {}", *event.report);
    if (!event.blocked_by.empty())
        text += ", blocked by " + event.blocked_by;
    if (event.leaving != core::Leaving::No)
        text += format(", leaving for {}", to_string(event.leaving));
    return text;
}

std::string ignored(core::ReportIgnored const& event) {
    auto const why = event.because == core::IgnoredBecause::StaleReport
                         ? "overtaken by a later report"
                         : "of an identity that was replaced";
    return format("{}, {}: {}", to_string(event.status), text_of(event.identity), why);
}

std::string withdrawn(core::PowerWithdrawn const& event) {
    return format(
        "request {} was never acknowledged; power {} again, {}/{}",
        event.request.value,
        to_string(event.power),
        to_string(event.previous),
        to_string(event.current)
    );
}

std::string order(core::OrderSent const& event) {
    return format(
        "OFF of request {} to {}, by {}, {}",
        event.request.value,
        text_of(event.identity),
        event.way == core::OrderWay::Heartbeat ? "heartbeat" : "manifest",
        event.nonce.empty() ? "unsigned" : "signed"
    );
}

std::string wake(core::WakeSent const& event) {
    return format(
        "{} to {}, {}{}{}",
        event.ok ? "sent" : "FAILED",
        to_string(event.mac),
        event.way,
        event.relay ? " by " + to_string(event.relay) : "",
        event.detail.empty() ? "" : ": " + event.detail
    );
}

std::string adopted(core::PowerAdopted const& event) {
    auto text = "turned on by hand, " + text_of(event.identity);
    if (event.overruled)
        text += format("; overrules request {}", event.overruled.value);
    return text;
}

std::string user(core::UserChanged const& event) {
    return format(
        "{}, {}{}{}",
        event.username,
        to_string(event.role),
        event.disabled ? ", disabled" : "",
        event.password_changed ? ", new password" : ""
    );
}

std::string settings(core::SettingsChanged const& event) {
    std::string text;
    for (auto const& [name, value] : event.changes)
        text += format("{}{} = {}", text.empty() ? "" : ", ", name, value);
    return text;
}

std::string sign_in(std::string const& username, std::string const& address) {
    return format("{} from {}", username.empty() ? "nobody known" : username, address);
}

struct Summary {
    std::string operator()(core::ServerAdded const& event) const { return config(event.config); }
    std::string operator()(core::ServerUpdated const& event) const { return config(event.config); }
    std::string operator()(core::ServerRemoved const&) const { return {}; }
    std::string operator()(core::JoinTokenCreated const& event) const {
        return format(
            "{}, valid until {}{}",
            event.token_id,
            core::to_rfc3339(event.expires_at),
            event.any_machine ? ", for any machine" : ""
        );
    }
    std::string operator()(core::AgentJoined const& event) const {
        return format("{} from {}, agent {}", event.hostname, event.address, event.agent_version);
    }
    std::string operator()(core::AgentTokenRotated const&) const { return {}; }
    std::string operator()(core::AgentRevoked const&) const { return {}; }
    std::string operator()(core::AgentSetAside const& event) const {
        return "replaced, and reported again: " + text_of(event.identity);
    }
    std::string operator()(core::AgentReinstated const&) const { return {}; }
    std::string operator()(core::PowerRequested const& event) const {
        return format("{}, standby time {} s", to_string(event.target), event.standby.count());
    }
    std::string operator()(core::PowerRefused const& event) const {
        return format("{}: {}", to_string(event.target), reason_word(event.reason));
    }
    std::string operator()(core::PowerAdopted const& event) const { return adopted(event); }
    std::string operator()(core::PowerReasserted const& event) const {
        return format("the OFF of request {} stands", event.request.value);
    }
    std::string operator()(core::PowerWithdrawn const& event) const { return withdrawn(event); }
    std::string operator()(core::StandbyElapsed const& event) const {
        return format(
            "of request {}{}", event.request.value, event.late ? ", while the manager was away" : ""
        );
    }
    std::string operator()(core::StandbyReleased const& event) const {
        return format("of request {}, settled", event.request.value);
    }
    std::string operator()(core::OrderSent const& event) const { return order(event); }
    std::string operator()(core::WakeSent const& event) const { return wake(event); }
    std::string operator()(core::HeartbeatReceived const& event) const { return heartbeat(event); }
    std::string operator()(core::HeartbeatLost const& event) const {
        return format("no report in time after {}", event.heartbeat.value);
    }
    std::string operator()(core::ReportIgnored const& event) const { return ignored(event); }
    std::string operator()(core::HeartbeatsCompacted const& event) const {
        return format("{} of {} to {}", event.count, event.first.value, event.last.value);
    }
    std::string operator()(core::SetupDone const& event) const { return event.username; }
    std::string operator()(core::SignedIn const& event) const {
        return sign_in(event.username, event.address);
    }
    std::string operator()(core::SignInFailed const& event) const {
        return sign_in(event.username, event.address);
    }
    std::string operator()(core::SignedOut const& event) const { return event.username; }
    std::string operator()(core::UserAdded const& event) const {
        return format("{}, {}", event.username, to_string(event.role));
    }
    std::string operator()(core::UserChanged const& event) const { return user(event); }
    std::string operator()(core::UserRemoved const& event) const { return event.username; }
    std::string operator()(core::TokenCreated const& event) const {
        return format("{} {}, {}", event.token_id, event.name, to_string(event.role));
    }
    std::string operator()(core::TokenRevoked const& event) const { return event.token_id; }
    std::string operator()(core::NotificationDismissed const& event) const {
        return event.notification_id;
    }
    std::string operator()(core::SettingsChanged const& event) const { return settings(event); }
    std::string operator()(core::ManagerStarted const& event) const {
        return "version " + event.version;
    }
    std::string operator()(core::ManagerStopped const&) const { return {}; }
    std::string operator()(core::RollbackAccepted const& event) const {
        return format("epoch {} begins", event.epoch);
    }
};

} // namespace

std::string summarize(core::Payload const& payload) {
    return std::visit(Summary{}, payload);
}

std::string to_text(core::Actor const& actor) {
    std::string text(to_string(actor.kind));
    return actor.name.empty() ? text : text + ":" + actor.name;
}

} // namespace cpm::projections
