#include "core/guards.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace cpm::core {
namespace {

Error refusal(ErrorCode code, std::string detail, std::string field = {}, std::string value = {}) {
    Error error{code, std::move(detail)};
    if (!field.empty())
        error.fields.push_back({std::move(field), std::move(value)});
    return error;
}

Error set_aside(std::string const& name) {
    return refusal(
        ErrorCode::SetAside,
        fmt::format(
            "two machines report as {}: join its agent again, or reinstate it, before switching it "
            "off",
            name
        )
    );
}

Error own_host(std::string const& name, bool is_known) {
    return refusal(
        ErrorCode::OwnHost,
        fmt::format(
            "{} {}: send \"include_manager\": true to switch it off{}",
            name,
            is_known ? "is the machine the manager itself runs on"
                     : "may be the machine the manager itself runs on, which cannot be ruled out "
                       "because the manager's network cards could not be listed (its log says why)",
            is_known ? "" : " all the same"
        ),
        "include_manager",
        "must be true"
    );
}

Error is_protected(std::string const& name, bool in_bulk) {
    if (in_bulk)
        return refusal(
            ErrorCode::Protected,
            fmt::format("{} is protected: it is switched off only by itself, with its name", name)
        );
    return refusal(
        ErrorCode::Protected,
        fmt::format("{0} is protected: send \"confirm\": \"{0}\" to switch it off", name),
        "confirm",
        "must be the server's name"
    );
}

Error too_few(std::string const& name, Shortage const& shortage) {
    return refusal(
        ErrorCode::MinOn,
        fmt::format(
            "without {} only {} of the tag {} would be wanted ON, and the setting min_on asks for "
            "{}: ask for ON of another one first",
            name,
            shortage.left,
            shortage.tag,
            shortage.least
        )
    );
}

/// Visits each of a server's tags once: a tag that it has twice makes no two servers of it.
void for_each_tag(Server const& server, auto const& visit) {
    auto const& tags = server.config.tags;
    for (auto tag = tags.begin(); tag != tags.end(); ++tag)
        if (std::find(tags.begin(), tag, *tag) == tag)
            visit(*tag);
}

} // namespace

WantedOn::WantedOn(Fleet const& fleet)
    : least_(fleet.settings.min_on) {
    if (least_.empty())
        return;
    for (auto const& [id, server] : fleet.servers)
        if (server.state.power == PowerStatus::On)
            for_each_tag(server, [this](auto const& tag) {
                if (least_.contains(tag))
                    ++wanted_[tag];
            });
}

std::optional<Shortage> WantedOn::shortage(Server const& server) const {
    bool const wanted = server.state.power == PowerStatus::On;
    if (!wanted && server.state.current == HeartbeatStatus::None)
        return std::nullopt;
    for (auto const& tag : server.config.tags) {
        auto const least = least_.find(tag);
        if (least == least_.end())
            continue;
        auto const found = wanted_.find(tag);
        auto const now = found == wanted_.end() ? 0 : found->second;
        auto const left = now - (wanted ? 1 : 0);
        if (left < least->second)
            return Shortage{tag, least->second, left};
    }
    return std::nullopt;
}

void WantedOn::remove(Server const& server) {
    for_each_tag(server, [this](auto const& tag) {
        if (auto const found = wanted_.find(tag); found != wanted_.end() && found->second > 0)
            --found->second;
    });
}

std::optional<Error> guard_off(Server const& server, PowerGuards const& guards) {
    auto const& name = server.config.name;
    if (server.state.set_aside)
        return set_aside(name);
    if (guards.own_host != OwnHost::No && !guards.include_manager)
        return own_host(name, guards.own_host == OwnHost::Yes);
    if (server.config.is_protected && (guards.in_bulk || !guards.name_confirmed))
        return is_protected(name, guards.in_bulk);
    if (guards.shortage)
        return too_few(name, *guards.shortage);
    return std::nullopt;
}

Result<void> check_password(StepUp const& step_up, std::string_view what) {
    using enum StepUp::Password;
    if (!step_up.by_session || step_up.password == Right)
        return {};
    auto const& since = step_up.since_password;
    bool const holds = since && *since >= milliseconds{0} && *since < kPasswordHolds;
    if (step_up.password == NotGiven && holds)
        return {};
    return tl::make_unexpected(refusal(
        ErrorCode::Confirm,
        step_up.password == Wrong
            ? std::string("the password is wrong: send your own as \"password\"")
            : fmt::format("{} needs your password again: send it as \"password\"", what),
        "password",
        step_up.password == Wrong ? "is wrong" : "is needed again"
    ));
}

Result<void> check_bulk_off(std::size_t servers, Settings const& settings, StepUp const& step_up) {
    bool const is_many = servers > settings.confirm_above;
    bool const counted = step_up.count == servers;
    bool const miscounted = step_up.count && !counted;
    if (miscounted || (is_many && !step_up.by_session && !counted))
        return tl::make_unexpected(refusal(
            ErrorCode::Confirm,
            fmt::format(
                "this would switch off {0} servers: send \"confirm_count\": {0} if that is meant",
                servers
            ),
            "confirm_count",
            fmt::format("must be {}", servers)
        ));
    if (is_many || step_up.password == StepUp::Password::Wrong)
        return check_password(step_up, fmt::format("switching off {} servers", servers));
    return {};
}

} // namespace cpm::core
