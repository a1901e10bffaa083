#include "http/answers.hpp"

#include "http/problem.hpp"
#include "http/route.hpp"
#include "manager/random.hpp"

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace cpm::http {
namespace {

constexpr std::size_t kMaxKey = 200;

bool is_visible_ascii(char c) {
    return c > ' ' && c <= '~';
}

/// What a repetition must repeat. Each part is told by its length, so that no two requests are
/// written the same.
std::string text_of(Request const& request, std::string_view body) {
    auto text =
        fmt::format("{}\n{}:{}\n", to_string(request.method), request.path.size(), request.path);
    for (auto const& [name, value] : request.query)
        text += fmt::format("{}:{}={}:{}\n", name.size(), name, value.size(), value);
    text += body;
    return text;
}

} // namespace

Response json_response(int status, boost::json::value const& body) {
    return json_text_response(status, boost::json::serialize(body));
}

Response json_text_response(int status, std::string body) {
    Response response;
    response.status = status;
    response.body = std::move(body);
    return response;
}

Response refused(App const& app, core::Error const& error) {
    return problem(error, app.clock.now().wall);
}

boost::json::object
page_json(boost::json::array items, std::optional<std::string> const& next_cursor) {
    boost::json::value cursor;
    if (next_cursor)
        cursor = *next_cursor;
    return {{"items", std::move(items)}, {"next_cursor", std::move(cursor)}};
}

std::string etag(core::Sequence version) {
    return fmt::format("\"{}\"", version.value);
}

core::Result<std::optional<core::Sequence>> if_match(Request const& request) {
    auto const header = request.header("if-match");
    if (!header || *header == "*")
        return std::optional<core::Sequence>{};
    core::Sequence version;
    auto const* const last = header->data() + header->size();
    if (header->size() > 2 && header->starts_with('"')) {
        auto const [end, error] = std::from_chars(header->data() + 1, last, version.value);
        if (error == std::errc{} && end + 1 == last && *end == '"')
            return version;
    }
    return core::fail(
        core::ErrorCode::Stale, "If-Match is no version of this: send the ETag that GET answered"
    );
}

core::Result<std::optional<manager::IdempotencyKey>>
idempotency_key(Request const& request, std::string_view actor, std::string_view body) {
    auto const header = request.header("idempotency-key");
    if (!header)
        return std::optional<manager::IdempotencyKey>{};
    if (header->empty() || header->size() > kMaxKey ||
        !std::ranges::all_of(*header, is_visible_ascii))
        return core::invalid("Idempotency-Key", "must be 1 to 200 visible ASCII characters");
    return manager::IdempotencyKey{
        .actor = std::string(actor),
        .key = std::string(*header),
        .request = manager::hash_secret(text_of(request, body)),
    };
}

std::string actor_of(Caller const& caller) {
    return fmt::format("{}:{}", core::to_string(caller.actor.kind), caller.actor.name);
}

manager::Answer
make_answer(int status, boost::json::object body, std::initializer_list<std::string_view> secrets) {
    manager::Answer answer;
    answer.status = status;
    answer.body = boost::json::serialize(body);
    for (auto const secret : secrets)
        body[secret] = nullptr;
    answer.remembered = boost::json::serialize(body);
    return answer;
}

Response answer_response(manager::Answer&& answer) {
    auto response = json_text_response(answer.status, std::move(answer.body));
    if (!answer.etag.empty())
        response.headers.emplace_back("ETag", std::move(answer.etag));
    return response;
}

boost::json::value sequence_or_null(core::Sequence sequence) {
    if (!sequence)
        return nullptr;
    return sequence.value;
}

} // namespace cpm::http
