#include "http/server_answers.hpp"

#include "projections/server_json.hpp"

namespace cpm::http {

boost::json::object server_json(App const& app, core::Server const& server) {
    auto const now = app.clock.now();
    auto const remaining = app.model.standby_remaining(server, now.mono);
    return projections::to_json(server, app.model.fleet().settings, remaining, now.wall);
}

boost::json::object server_json(manager::Turn const& turn, core::Server const& server) {
    auto const remaining = turn.standby_remaining(server);
    return projections::to_json(server, turn.fleet().settings, remaining, turn.now().wall);
}

core::Result<core::ServerId> named_server(Request const& request) {
    if (auto const id = core::parse_server_id(request.captures.at(0)))
        return *id;
    return core::fail(
        core::ErrorCode::NotFound, "there is no such server: an id looks like srv_0123456789abcdef"
    );
}

} // namespace cpm::http
