#include "http/webhook_client.hpp"

#include "http/name_lookup.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace cpm::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace ssl = asio::ssl;
using asio::awaitable;
using asio::ip::tcp;
using PostRequest = beast::http::request<beast::http::string_body>;

constexpr auto kToken = asio::as_tuple(asio::use_awaitable);
constexpr core::seconds kLimit{10};
constexpr core::seconds kLongestPause{3600};
constexpr std::uint32_t kLargestHead = 8 * 1024;
constexpr std::size_t kLongestUrl = 2048;

WebhookResult failed(std::string why) {
    return {.status = 0, .failure = std::move(why), .retry_after = {}};
}

/// 0: it is none.
std::uint16_t parse_port(std::string_view text) {
    std::uint16_t number = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc{} && end == text.data() + text.size() ? number : 0;
}

bool is_link_local(asio::ip::address const& address) {
    if (address.is_v4())
        return (address.to_v4().to_uint() & 0xffff0000U) == 0xa9fe0000U;
    auto const v6 = address.to_v6();
    if (v6.is_v4_mapped())
        return is_link_local(asio::ip::make_address_v4(asio::ip::v4_mapped, v6));
    return v6.is_link_local();
}

PostRequest make_request(
    WebhookAddress const& address, WebhookMessage message, std::string_view secret, std::int64_t at
) {
    PostRequest request(beast::http::verb::post, address.target, 11);
    request.set(beast::http::field::host, address.authority);
    request.set(beast::http::field::user_agent, "cpm-manager");
    request.set(beast::http::field::connection, "close");
    request.set(beast::http::field::content_type, message.content_type);
    request.set("webhook-id", message.id);
    request.set("webhook-timestamp", std::to_string(at));
    request.set("webhook-signature", sign_message(secret, message, at));
    for (auto const& [name, value] : message.headers)
        request.set(name, value);
    request.body() = std::move(message.body);
    request.prepare_payload();
    return request;
}

std::optional<core::seconds> retry_after(std::string_view text) {
    std::uint32_t number = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size())
        return std::nullopt;
    return std::min(core::seconds(number), kLongestPause);
}

template <class Stream>
awaitable<WebhookResult> exchange(Stream& stream, PostRequest request) {
    auto const [unsent, written] = co_await beast::http::async_write(stream, request, kToken);
    if (unsent)
        co_return failed("sending failed: " + unsent.message());
    beast::flat_buffer buffer(kLargestHead);
    beast::http::response_parser<beast::http::empty_body> parser;
    parser.header_limit(kLargestHead);
    auto const [error, read] =
        co_await beast::http::async_read_header(stream, buffer, parser, kToken);
    if (error)
        co_return failed("no answer came: " + error.message());
    auto const& answer = parser.get();
    auto const pause = answer[beast::http::field::retry_after];
    co_return WebhookResult{
        .status = answer.result_int(),
        .failure = {},
        .retry_after = retry_after({pause.data(), pause.size()}),
    };
}

/// Read anew for each message: they are few, and what the system trusts changes.
ssl::context make_context() {
    ssl::context context(ssl::context::tls_client);
    context.set_default_verify_paths();
    context.set_verify_mode(ssl::verify_peer);
    SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_2_VERSION);
    return context;
}

awaitable<WebhookResult>
post_secure(beast::tcp_stream plain, std::string host, PostRequest request) {
    auto context = make_context();
    ssl::stream<beast::tcp_stream> stream(std::move(plain), context);
    beast::error_code is_name;
    asio::ip::make_address(host, is_name);
    if (is_name) // an address is no server name
        SSL_set_tlsext_host_name(stream.native_handle(), host.c_str());
    stream.set_verify_callback(ssl::host_name_verification(host));
    auto const [error] = co_await stream.async_handshake(ssl::stream_base::client, kToken);
    if (error)
        co_return failed("it does not prove to be " + host + ": " + error.message());
    co_return co_await exchange(stream, std::move(request));
}

} // namespace

std::optional<WebhookAddress> parse_webhook_url(std::string_view url) {
    bool const visible = std::ranges::all_of(url, [](char c) { return c > ' ' && c <= '~'; });
    if (url.size() > kLongestUrl || !visible || url.find('#') != url.npos)
        return std::nullopt;
    WebhookAddress address;
    if (url.starts_with("https://"))
        address.secure = true;
    else if (!url.starts_with("http://"))
        return std::nullopt;
    url.remove_prefix(address.secure ? 8 : 7);
    auto const end = std::min(url.find_first_of("/?"), url.size());
    auto const authority = url.substr(0, end);
    address.authority = authority;
    address.target = url.substr(end);
    if (!address.target.starts_with('/'))
        address.target.insert(0, "/");
    auto const close = authority.starts_with('[') ? authority.find(']') : 0;
    if (close == authority.npos)
        return std::nullopt;
    auto const colon = authority.find(':', close);
    auto const host = authority.substr(0, colon);
    address.host = close > 0 ? host.substr(1, close - 1) : host;
    bool const clean = close == 0 || (colon == authority.npos ? close + 1 == authority.size()
                                                              : colon == close + 1);
    address.port = address.secure ? 443 : 80;
    if (colon != authority.npos)
        address.port = parse_port(authority.substr(colon + 1));
    if (!clean || address.host.empty() || address.port == 0 ||
        authority.find_first_of("@\\\"<>^`{|}") != authority.npos)
        return std::nullopt;
    return address;
}

std::string shown_url(manager::Webhook const& webhook) {
    bool const generic = webhook.preset == manager::WebhookPreset::Generic;
    auto const host = webhook.url.find("://") + 3;
    auto const end = webhook.url.find_first_of(generic ? "?" : "/?", host);
    return end == webhook.url.npos ? webhook.url : webhook.url.substr(0, end + 1) + "…";
}

awaitable<WebhookResult> post_webhook(
    asio::io_context& io,
    std::string url,
    WebhookMessage message,
    std::string secret,
    std::int64_t at
) {
    auto const address = parse_webhook_url(url);
    if (!address)
        co_return failed("its URL cannot be read");
    auto request = make_request(*address, std::move(message), secret, at);
    auto found = co_await look_up_name(io, address->host, address->port, kLimit);
    auto& allowed = found.endpoints;
    if (allowed.empty())
        co_return failed(address->host + " is not known: " + found.failure);
    std::erase_if(allowed, [](auto const& one) { return is_link_local(one.address()); });
    if (allowed.empty())
        co_return failed(address->host + " is a link-local address, which is not called");
    beast::tcp_stream stream(io);
    // Once for all that follows, so that no trickle keeps it alive.
    stream.expires_after(kLimit);
    auto const [unreachable, endpoint] = co_await stream.async_connect(allowed, kToken);
    if (unreachable)
        co_return failed("it cannot be reached: " + unreachable.message());
    if (address->secure)
        co_return co_await post_secure(std::move(stream), address->host, std::move(request));
    co_return co_await exchange(stream, std::move(request));
}

} // namespace cpm::http
