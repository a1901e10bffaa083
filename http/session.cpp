// The loop of one connection. Every way out of it is in Session::run() with its cause; what a
// request may look like is in head_scan, head_check and dispatch.
#include "http/session.hpp"

#include "http/answers.hpp"
#include "http/dispatch.hpp"
#include "http/handlers_compatible.hpp"
#include "http/head_check.hpp"
#include "http/link.hpp"
#include "http/metrics.hpp"
#include "http/problem.hpp"
#include "http/render.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <array>
#include <optional>

namespace cpm::http {

namespace {

using asio::ip::tcp;

constexpr core::seconds kHeadLimit{5};
constexpr core::seconds kBodyLimit{10};
constexpr core::seconds kIdleLimit{75};
constexpr core::seconds kWriteLimit{30}; ///< a whole response; of a stream: one message
constexpr core::seconds kLingerLimit{1};
constexpr std::size_t kMaxBuffered = 16 * 1024; ///< a head and what came with it

using ErrorCode = boost::system::error_code;

/// What reading a request's head came to.
struct HeadRead {
    enum class What { Complete, Ended, Refused } what = What::Ended;
    std::size_t size = 0; ///< of the head
    Refusal refusal{};
};

bool is_power_request(Request const& request) {
    return request.method != Method::Get && request.route.ends_with("/power");
}

/// A stream's peer says no more; that it went away shows when reading ends.
asio::awaitable<void>
watch_peer(std::shared_ptr<Link> link, std::shared_ptr<ResponseStream> stream) {
    std::array<char, 512> dropped;
    ErrorCode error;
    while (!error) {
        auto const space = asio::buffer(dropped);
        co_await link->read_some(space, error);
    }
    stream->end();
}

class Session {
  public:
    Session(
        Door& door,
        Interface interface,
        tcp::socket socket,
        TlsContext const& tls,
        Connections::Place place
    );
    asio::awaitable<void> run();

  private:
    asio::awaitable<void> linger();
    asio::awaitable<void> close();
    asio::awaitable<HeadRead> read_head(bool is_first);
    asio::awaitable<std::optional<Response>> read_body(std::string& body, std::size_t length);
    asio::awaitable<ErrorCode> read_some();
    asio::awaitable<bool> write(Response& response, Framing framing);
    void count(Request const& request, int status);
    asio::awaitable<void> write_stream(std::shared_ptr<ResponseStream> stream);
    Checked<CheckedHead> check(std::size_t head_size);

    Door& door_;
    Interface interface_;
    std::shared_ptr<Link> link_;
    Connections::Place place_;
    asio::ip::address peer_;
    std::string local_;
    std::string caller_;     ///< of the last request; the address where nobody is signed in
    bool is_secure_ = false; ///< of whom the last request came from; a proxy may stand between
    std::string buffer_;     ///< read and not used yet
};

Session::Session(
    Door& door,
    Interface interface,
    tcp::socket socket,
    TlsContext const& tls,
    Connections::Place place
)
    : door_(door)
    , interface_(interface)
    , link_(std::make_shared<Link>(door, std::move(socket), tls))
    , place_(std::move(place)) {
    ErrorCode error;
    peer_ = link_->socket().remote_endpoint(error).address();
    local_ = address_text(link_->socket().local_endpoint(error).address());
    is_secure_ = link_->is_secure();
    place_.on_lost([link = std::weak_ptr(link_)] {
        if (auto const held = link.lock())
            held->cut();
    });
}

asio::awaitable<void> Session::run() {
    // A new connection owes its first head at once, and before it the keys of TLS.
    link_->begin(kHeadLimit);
    link_->set_idle(true);
    if (!co_await link_->handshake()) {
        co_await linger();
        co_return; // it speaks no TLS that is accepted, or was silent for too long
    }
    for (bool is_first = true;; is_first = false) {
        auto const head = co_await read_head(is_first);
        if (head.what == HeadRead::What::Ended) {
            co_await close();
            co_return; // the peer closed, was silent for too long, or the manager stops
        }
        if (head.what == HeadRead::What::Refused) {
            auto response = refusal(head.refusal);
            count({}, response.status);
            co_await write(response, {.keep_alive = false});
            break; // no HTTP, or over a limit: where the next request begins is unknown
        }
        auto checked = check(head.size);
        buffer_.erase(0, head.size);
        if (!checked) {
            auto response = refusal(checked.error());
            count({}, response.status);
            co_await write(response, {.keep_alive = false});
            break; // the framing cannot be trusted
        }
        auto& request = checked->request;
        auto admitted = admit(door_, interface_, *checked);
        bool const is_known = admitted && admitted->caller.kind != CallerKind::Nobody;
        caller_ = is_known ? actor_of(admitted->caller) : request.peer;
        bool const placed = place_.admit(admitted && admitted->is_agent);
        if (admitted && !placed)
            admitted = tl::make_unexpected(refusal({429, "all connections for people are taken"}));
        std::optional<Response> response;
        if (!admitted) {
            response = std::move(admitted.error());
            bool const unread = checked->content_length > 0;
            response->close = response->close || unread || !placed;
        } else {
            response = co_await read_body(request.body, checked->content_length);
        }
        // It may have waited in the system while this process was paused: an OFF is not to come
        // when nobody waits for it any more.
        if (!response && is_power_request(request) && link_->has_left()) {
            response = problem(503, "the connection was closed before this was looked at");
            response->close = true;
        }
        if (!response) {
            link_->pause();
            response = co_await dispatch(door_, request, *admitted);
        }
        bool const keep_alive =
            checked->keep_alive && !response->close && !response->stream && !door_.stopping;
        count(request, response->status);
        bool const written = co_await write(*response, {keep_alive, checked->head_only});
        if (!written)
            co_return; // the peer is gone, or reads too slowly
        if (response->stream && !checked->head_only) {
            co_await write_stream(response->stream);
            co_return; // a stream has no end but the connection's
        }
        if (!keep_alive)
            break; // said so in the response: the peer asked for it, it was refused, or stopping
    }
    co_await linger();
}

/// `request` is empty where none could be read.
void Session::count(Request const& request, int status) {
    auto const method = request.path.empty() ? "none" : to_string(request.method);
    door_.app.metrics.count_request(request.route, method, status);
}

asio::awaitable<void> Session::linger() {
    link_->begin(kLingerLimit);
    co_await link_->linger();
}

asio::awaitable<void> Session::close() {
    link_->begin(kLingerLimit);
    co_await link_->close();
}

Checked<CheckedHead> Session::check(std::size_t head_size) {
    auto head = parse_head(std::string_view(buffer_).substr(0, head_size));
    if (!head)
        return tl::make_unexpected(head.error());
    auto checked = check_head(*head, {local_, door_.names});
    if (!checked)
        return checked;
    if (interface_ == Interface::CompatibleWake)
        if (auto const taken = take_auth_token(checked->request); !taken)
            return tl::make_unexpected(taken.error());
    auto client = door_.proxies.client_of(head->fields, peer_, link_->is_secure());
    if (!client)
        return tl::make_unexpected(client.error());
    is_secure_ = client->secure;
    checked->request.peer = std::move(client->address);
    checked->request.from_loopback = client->from_loopback;
    checked->request.secure = client->secure;
    return checked;
}

/// Appends what has come, at most up to the buffer's limit. timed_out: the phase expired.
asio::awaitable<ErrorCode> Session::read_some() {
    if (link_->expired())
        co_return asio::error::timed_out;
    std::array<char, 4096> chunk;
    auto const space = asio::buffer(chunk, kMaxBuffered - buffer_.size());
    ErrorCode error;
    auto const size = co_await link_->read_some(space, error);
    buffer_.append(chunk.data(), size);
    co_return link_->expired() ? ErrorCode(asio::error::timed_out) : error;
}

asio::awaitable<HeadRead> Session::read_head(bool is_first) {
    // The first head's time runs since the beginning; after it a connection may stay idle.
    if (!is_first)
        link_->begin(buffer_.empty() ? kIdleLimit : kHeadLimit);
    link_->set_idle(true);
    bool in_head = is_first || !buffer_.empty();
    while (true) {
        if (buffer_.starts_with("\r\n"))
            buffer_.erase(0, 2); // after a body some clients send one too many (RFC 9112 2.2)
        auto const size = scan_head(buffer_);
        if (!size)
            co_return HeadRead{HeadRead::What::Refused, 0, size.error()};
        link_->set_idle(buffer_.empty());
        if (*size > 0)
            co_return HeadRead{HeadRead::What::Complete, *size, {}};
        if (door_.stopping && buffer_.empty())
            co_return HeadRead{};
        if (!in_head && !buffer_.empty()) {
            link_->begin(kHeadLimit);
            in_head = true;
        }
        auto const error = co_await read_some();
        if (error == asio::error::timed_out && !buffer_.empty())
            co_return HeadRead{
                HeadRead::What::Refused, 0, {408, "the head did not come within 5 seconds"}};
        if (error)
            co_return HeadRead{};
    }
}

/// Reads the body; none, or why it was not read.
asio::awaitable<std::optional<Response>> Session::read_body(std::string& body, std::size_t length) {
    body = buffer_.substr(0, length);
    buffer_.erase(0, body.size());
    link_->begin(kBodyLimit);
    auto const had = body.size();
    body.resize(length);
    auto const rest = asio::buffer(body.data() + had, length - had);
    ErrorCode error;
    if (had < length)
        error = co_await link_->read(rest);
    if (!error)
        co_return std::nullopt;
    co_return refusal({408, "the body was not complete within 10 seconds"});
}

asio::awaitable<bool> Session::write(Response& response, Framing framing) {
    framing.secure = is_secure_;
    auto const size = framing.head_only ? 0 : response.body.size();
    if (!door_.unread.has_room(caller_, size))
        response = problem(429, "too many large answers are under way: read them, then ask again");
    std::string text;
    try {
        text = render_head(response, framing, door_.app.clock.now().wall);
    } catch (std::logic_error const& error) {
        door_.report(error.what());
        response = problem(500, "the manager failed on this request; its log says why");
        text = render_head(response, framing, door_.app.clock.now().wall);
    }
    Link::Buffers const buffers{
        asio::buffer(text), framing.head_only ? asio::const_buffer() : asio::buffer(response.body)};
    UnreadAnswers::Sending const sending(door_.unread, caller_, response.body.size());
    link_->begin(kWriteLimit);
    auto const error = co_await link_->write(buffers);
    co_return !error;
}

/// Sends what the stream says until it ends, the peer goes away or reads too slowly.
asio::awaitable<void> Session::write_stream(std::shared_ptr<ResponseStream> stream) {
    asio::co_spawn(door_.app.io, watch_peer(link_, stream), asio::detached);
    while (true) {
        link_->pause();
        std::shared_ptr<std::string const> const message = co_await stream->next();
        if (!message)
            break; // it ended: its session did, it was too slow, or the manager stops
        link_->begin(kWriteLimit);
        Link::Buffers const bytes{asio::buffer(*message), {}};
        auto const error = co_await link_->write(bytes);
        if (link_->expired())
            stream->drop();
        if (error)
            break; // the peer is gone, or reads too slowly
    }
    co_await close();
}

} // namespace

asio::awaitable<void> serve(
    Door& door, Interface interface, tcp::socket socket, TlsContext tls, Connections::Place place
) {
    Session session(door, interface, std::move(socket), tls, std::move(place));
    co_await session.run();
}

asio::awaitable<void> turn_away(Door& door, tcp::socket socket, TlsContext tls, std::string limit) {
    auto const link = std::make_shared<Link>(door, std::move(socket), tls);
    auto const response = problem(429, "too many connections: " + limit);
    Framing const framing{.keep_alive = false, .secure = link->is_secure()};
    auto const text = render_head(response, framing, door.app.clock.now().wall) + response.body;
    Link::Buffers const bytes{asio::buffer(text), {}};
    link->begin(kLingerLimit);
    if (co_await link->handshake())
        co_await link->write(bytes);
    co_await link->linger();
}

} // namespace cpm::http
