// What watches over the process asks (HTTP 3.6), and the interface's own description.
#include "http/answers.hpp"
#include "http/handlers.hpp"
#include "http/openapi.hpp"

namespace cpm::http {
namespace {

/// A writer that has not turned for this long hangs: its own tick is 250 ms.
constexpr core::seconds kHung{10};

} // namespace

HandlerResult get_health(App& app, Request const& /*request*/, Caller const& /*caller*/) {
    if (app.clock.now().mono - app.writer.last_turn() >= kHung)
        co_return json_response(503, {{"status", "hung"}});
    co_return json_response(200, {{"status", "ok"}});
}

HandlerResult get_readiness(App& app, Request const& /*request*/, Caller const& /*caller*/) {
    auto const readiness = app.writer.readiness();
    int const status = readiness == manager::Readiness::Ok ? 200 : 503;
    co_return json_response(status, {{"status", manager::to_string(readiness)}});
}

HandlerResult get_openapi(App& /*app*/, Request const& /*request*/, Caller const& /*caller*/) {
    co_return json_text_response(200, std::string(openapi_json()));
}

} // namespace cpm::http
