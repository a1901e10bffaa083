#include "agent/client.hpp"

#include "agent/tls.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <fmt/format.h>

#include <optional>
#include <sys/socket.h>

namespace cpm::agent {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::awaitable;
using asio::ip::tcp;
using boost::system::error_code;
using TlsStream = asio::ssl::stream<beast::tcp_stream>;

constexpr std::uint64_t kLargestBody = 64 * 1024;
constexpr std::uint32_t kLargestHead = 8 * 1024;
constexpr auto kToken = asio::as_tuple(asio::use_awaitable);

awaitable<tl::expected<void, std::string>> connect(beast::tcp_stream& stream, Url url) {
    auto const executor = co_await asio::this_coro::executor;
    error_code not_an_address;
    auto const address = asio::ip::make_address(url.host, not_an_address);
    if (!not_an_address) {
        auto const [error] =
            co_await stream.async_connect(tcp::endpoint(address, url.port), kToken);
        if (!error)
            co_return tl::expected<void, std::string>{};
        co_return tl::make_unexpected(
            fmt::format("{} cannot be reached: {}", url.text(), error.message())
        );
    }
    tcp::resolver resolver(executor);
    auto const [unknown, endpoints] =
        co_await resolver.async_resolve(url.host, std::to_string(url.port), kToken);
    if (unknown)
        co_return tl::make_unexpected(
            fmt::format("{}: its address cannot be found: {}", url.host, unknown.message())
        );
    auto const [error, endpoint] = co_await stream.async_connect(endpoints, kToken);
    if (error)
        co_return tl::make_unexpected(
            fmt::format("{} cannot be reached: {}", url.text(), error.message())
        );
    co_return tl::expected<void, std::string>{};
}

http::request<http::string_body> make_request(HttpQuestion question, Url const& url) {
    http::request<http::string_body> request(
        question.post ? http::verb::post : http::verb::get, question.target, 11
    );
    request.set(http::field::host, url.authority());
    request.set(http::field::user_agent, "cpm-agent");
    if (!question.token.empty())
        request.set(http::field::authorization, "Bearer " + question.token);
    if (!question.if_none_match.empty())
        request.set(http::field::if_none_match, fmt::format("\"{}\"", question.if_none_match));
    if (question.post) {
        request.set(http::field::content_type, "application/json");
        request.body() = std::move(question.body);
        request.prepare_payload();
    }
    return request;
}

struct Exchanged {
    HttpAnswer answer;
    bool keep = false;
};

template <class Stream>
awaitable<tl::expected<Exchanged, std::string>>
exchange(Stream& stream, http::request<http::string_body> request) {
    auto const [unsent, written] = co_await http::async_write(stream, request, kToken);
    if (unsent)
        co_return tl::make_unexpected(fmt::format("asking failed: {}", unsent.message()));
    beast::flat_buffer buffer(kLargestHead);
    http::response_parser<http::string_body> parser;
    parser.header_limit(kLargestHead);
    parser.body_limit(kLargestBody);
    auto const [error, read] = co_await http::async_read(stream, buffer, parser, kToken);
    if (error)
        co_return tl::make_unexpected(fmt::format("no whole answer came: {}", error.message()));
    auto const keep = parser.get().keep_alive() && buffer.size() == 0;
    co_return Exchanged{
        .answer = {parser.get().result_int(), std::move(parser.get().body())},
        .keep = keep,
    };
}

} // namespace

class Client::Link {
  public:
    Link(asio::io_context& io, ClientConfig config)
        : io_(io)
        , config_(std::move(config)) {
        if (config_.trust != Trust::Plain)
            context_.emplace(make_tls_context(config_.ca_certificate));
    }

    awaitable<tl::expected<HttpAnswer, std::string>> ask(HttpQuestion question, seconds limit) {
        if (!is_fresh())
            close();
        if (!plain_ && !tls_)
            make_stream();
        // Once for the whole call, so that no trickle keeps it alive.
        socket_stream().expires_after(limit);
        if (!connected_)
            if (auto done = co_await open(); !done) {
                close();
                co_return tl::make_unexpected(done.error());
            }
        auto request = make_request(std::move(question), config_.url);
        tl::expected<Exchanged, std::string> exchanged;
        if (tls_)
            exchanged = co_await exchange(*tls_, std::move(request));
        else
            exchanged = co_await exchange(*plain_, std::move(request));
        if (!exchanged || !exchanged->keep)
            close();
        if (!exchanged)
            co_return tl::make_unexpected(exchanged.error());
        if (plain_ || tls_)
            socket_stream().expires_never();
        co_return std::move(exchanged->answer);
    }

    void cut() {
        if (plain_ || tls_)
            socket_stream().close();
        connected_ = false;
    }

  private:
    beast::tcp_stream& socket_stream() { return tls_ ? tls_->next_layer() : *plain_; }

    void make_stream() {
        if (context_)
            tls_.emplace(io_, *context_);
        else
            plain_.emplace(io_);
    }

    void close() {
        plain_.reset();
        tls_.reset();
        connected_ = false;
    }

    /// Between two answers a manager that is still there says nothing.
    bool is_fresh() {
        if (!connected_)
            return false;
        char byte{};
        int const fd = socket_stream().socket().native_handle();
        auto const size = ::recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
        return size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    }

    awaitable<tl::expected<void, std::string>> open() {
        if (auto connected = co_await connect(socket_stream(), config_.url); !connected)
            co_return connected;
        if (tls_) {
            auto const name =
                config_.trust == Trust::Pinned ? std::string(kManagerName) : config_.url.host;
            SSL_set_tlsext_host_name(tls_->native_handle(), name.c_str());
            tls_->set_verify_callback(asio::ssl::host_name_verification(name));
            auto const [error] =
                co_await tls_->async_handshake(asio::ssl::stream_base::client, kToken);
            if (error)
                co_return tl::make_unexpected(fmt::format(
                    "{} does not prove to be the manager: {}", config_.url.text(), error.message()
                ));
        }
        connected_ = true;
        co_return tl::expected<void, std::string>{};
    }

    asio::io_context& io_;
    ClientConfig config_;
    std::optional<asio::ssl::context> context_;
    std::optional<beast::tcp_stream> plain_;
    std::optional<TlsStream> tls_;
    bool connected_ = false;
};

Client::Client(asio::io_context& io, ClientConfig config)
    : link_(std::make_unique<Link>(io, std::move(config))) {}

Client::~Client() = default;

awaitable<tl::expected<HttpAnswer, std::string>> Client::ask(HttpQuestion question, seconds limit) {
    return link_->ask(std::move(question), limit);
}

void Client::cut() {
    link_->cut();
}

awaitable<tl::expected<std::string, std::string>>
fetch_pinned_certificate(Url url, std::string pin, seconds limit) {
    auto context = make_tls_context("");
    // Nobody is believed yet, and nothing is said: only the chain is looked at.
    context.set_verify_mode(asio::ssl::verify_none);
    TlsStream stream(co_await asio::this_coro::executor, context);
    stream.next_layer().expires_after(limit);
    if (auto connected = co_await connect(stream.next_layer(), url); !connected)
        co_return tl::make_unexpected(connected.error());
    SSL_set_tlsext_host_name(stream.native_handle(), std::string(kManagerName).c_str());
    auto const [error] = co_await stream.async_handshake(asio::ssl::stream_base::client, kToken);
    if (error)
        co_return tl::make_unexpected(
            fmt::format("{} speaks no TLS: {}", url.text(), error.message())
        );
    auto certificate = find_certificate(stream.native_handle(), pin);
    if (!certificate)
        co_return tl::make_unexpected(fmt::format(
            "--ca-pin: {} does not show a certificate of this fingerprint; copy the whole join "
            "line "
            "again",
            url.text()
        ));
    co_return *certificate;
}

} // namespace cpm::agent
