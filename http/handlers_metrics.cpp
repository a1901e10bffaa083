// GET /metrics (HTTP 3.6).
#include "http/app.hpp"
#include "http/connections.hpp"
#include "http/handlers.hpp"
#include "http/metrics.hpp"
#include "http/streams.hpp"

namespace cpm::http {

HandlerResult get_metrics(App& app, Request const& /*request*/, Caller const& /*caller*/) {
    Figures const figures{
        .started = app.started,
        .readiness = app.writer.readiness(),
        .timers = app.writer.timers(),
        .queued = app.writer.queued(),
        .connections = app.connections->count(),
        .stream_clients = app.streams.clients(),
        .streams_dropped = app.streams.dropped(),
        .log_bytes = app.config.log_bytes ? app.config.log_bytes() : std::nullopt,
        .version = app.config.version,
    };
    co_return Response{
        .status = 200,
        .body = app.metrics.text(app.model.fleet(), app.model.head(), figures),
        .content_type = std::string(Metrics::kContentType),
    };
}

} // namespace cpm::http
