#include "http/head.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>

#include <algorithm>

namespace cpm::http {
namespace {

namespace beast = boost::beast;

std::string lower_case(std::string_view text) {
    std::string lower(text);
    for (auto& c : lower)
        if (c >= 'A' && c <= 'Z')
            c = static_cast<char>(c - 'A' + 'a');
    return lower;
}

} // namespace

Checked<Head> parse_head(std::string_view bytes) {
    beast::http::request_parser<beast::http::empty_body> parser;
    parser.header_limit(kMaxHead);
    parser.body_limit(boost::none); // each route has its own
    beast::error_code error;
    parser.put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
    if (error == beast::http::error::bad_version)
        return tl::make_unexpected(Refusal{505, "the version must be HTTP/1.1"});
    if (error && error != beast::http::error::need_more)
        return tl::make_unexpected(Refusal{400, "no HTTP request: " + error.message()});
    if (!parser.is_header_done())
        return tl::make_unexpected(Refusal{400, "the head is not complete"});
    auto const& message = parser.get();
    Head head{message.method_string(), message.target(), message.version(), {}};
    for (auto const& field : message)
        head.fields.emplace_back(lower_case(field.name_string()), std::string(field.value()));
    return head;
}

} // namespace cpm::http
