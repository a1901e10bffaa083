#include "core/manifest.hpp"

#include <fmt/format.h>

namespace cpm::core {

bool is_asked_of_agent(Server const& server) {
    return server.agent.heard && server.state.request->sequence > server.agent.heard;
}

std::string manifest_version(Manifest const& manifest, Sequence request) {
    if (manifest.power_status == PowerStatus::On)
        return fmt::format("ON.{}", manifest.heartbeat_interval.count());
    return fmt::format("OFF.{}.{}", manifest.heartbeat_interval.count(), request.value);
}

Manifest
manifest_for(Server const& server, Settings const& settings, Asker const& asker, bool rolled_back) {
    auto const& state = server.state;
    Manifest manifest;
    manifest.heartbeat_interval = heartbeat_interval(server.config, settings);
    if (manifest_power(state) == PowerStatus::On)
        return manifest;

    bool const knows_itself = asker.identity && asker.identity == state.boot;
    bool const is_other = asker.identity && !knows_itself;
    if (rolled_back)
        manifest.notice = Notice::RolledBack;
    else if (state.set_aside)
        manifest.notice = Notice::SetAside;
    else if (is_other || !asker.counted)
        manifest.notice = Notice::Ignored;
    else if (knows_itself && !asker.nonce.empty()) {
        manifest.power_status = PowerStatus::Off;
        manifest.order = Order{
            .method = server.config.off_method,
            .server = server.id,
            .identity = *asker.identity,
            .nonce = asker.nonce,
            .request = state.request->sequence,
        };
    } else if (server.config.allow_unsigned && knows_itself)
        manifest.power_status = PowerStatus::Off;
    else if (server.config.allow_unsigned && asker.way == OrderWay::Heartbeat) {
        if (is_asked_of_agent(server))
            manifest.power_status = PowerStatus::Off;
        else
            manifest.notice = Notice::JoinedSince;
    } else
        manifest.notice = Notice::CannotVerify;
    return manifest;
}

} // namespace cpm::core
