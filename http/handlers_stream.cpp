#include "http/handlers_stream.hpp"

#include "http/streams.hpp"

namespace cpm::http {

asio::awaitable<Response> get_stream(App& app, Request const& request, Caller const& caller) {
    Response response{.status = 200, .body = {}, .content_type = "text/event-stream"};
    response.stream = app.streams.open(caller, request.header("last-event-id"));
    co_return response;
}

} // namespace cpm::http
