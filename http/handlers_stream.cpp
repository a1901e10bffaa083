#include "http/handlers_stream.hpp"

#include "http/streams.hpp"

namespace cpm::http {

asio::awaitable<Response> get_stream(App& app, Request const& request, Caller const& caller) {
    Response response{.status = 200, .body = {}, .content_type = "text/event-stream"};
    // Of which history an id is cannot be told while the log may have been rolled back.
    bool const is_known = app.writer.readiness() != manager::Readiness::RolledBack;
    auto const last = is_known ? request.header("last-event-id") : std::nullopt;
    response.stream = app.streams.open(caller, last);
    co_return response;
}

} // namespace cpm::http
