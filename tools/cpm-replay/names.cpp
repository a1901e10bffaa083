#include "tools/cpm-replay/names.hpp"

#include "tools/cpm-replay/interruption.hpp"

#include <algorithm>

namespace cpm::replay {
namespace {

/// The configuration an event gives its server, if any.
core::ServerConfig const* config_of(core::Payload const& payload) {
    if (auto const* added = std::get_if<core::ServerAdded>(&payload))
        return &added->config;
    if (auto const* updated = std::get_if<core::ServerUpdated>(&payload))
        return &updated->config;
    return nullptr;
}

} // namespace

void Names::note(core::Event const& event) {
    if (auto const* config = config_of(event.payload))
        names_[event.server] = config->name;
}

std::string Names::of(core::ServerId server) const {
    if (!server)
        return {};
    auto const it = names_.find(server);
    return it == names_.end() ? to_string(server) : it->second;
}

void ServerChoice::note(core::Event const& event) {
    auto const* config = config_of(event.payload);
    if (config == nullptr)
        return;
    auto const id = to_string(event.server);
    for (auto const& wanted : wanted_) {
        if (wanted != config->name && wanted != id)
            continue;
        ids_.insert(event.server);
        latest_ = event.server;
        met_.insert(wanted);
    }
}

core::Result<void> ServerChoice::resolve(eventstore::EventReader const& log) {
    if (wanted_.empty())
        return {};
    auto const done = log.read_server({}, {1}, log.head().sequence, [&](auto const& stored) {
        note(stored.event);
        return !stop_requested();
    });
    if (!done || stop_requested())
        return done;
    for (auto const& wanted : wanted_)
        if (!met_.contains(wanted))
            return core::fail(
                core::ErrorCode::NotFound,
                "SERVER: no server of this log is or was called \"" + wanted +
                    "\"; cpm-replay state names them"
            );
    return {};
}

} // namespace cpm::replay
