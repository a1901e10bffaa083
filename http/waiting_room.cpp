#include "http/waiting_room.hpp"

#include "http/head.hpp"
#include "http/problem.hpp"
#include "http/render.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <list>
#include <string>
#include <string_view>
#include <thread>
#include <unistd.h>

namespace cpm::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using ErrorCode = boost::system::error_code;

constexpr std::chrono::seconds kPatience{5};
constexpr std::size_t kMaxGuests = 64;
constexpr std::size_t kMaxFirstLine = 2560;

Response answer_to(std::string_view first_line, core::WallTime now) {
    auto const asks = [&](std::string_view path) {
        auto const target =
            first_line.substr(std::min(first_line.find(' ') + 1, first_line.size()));
        return target.starts_with(path);
    };
    if (asks("/healthz "))
        return {.status = 200, .body = R"({"status":"ok"})"};
    if (asks("/readyz "))
        return {.status = 503, .body = R"({"status":"verifying"})"};
    return problem(
        {core::ErrorCode::Starting, "the manager is reading its event log: ask again in a moment"},
        now
    );
}

} // namespace

struct WaitingRoom::Parts {
    explicit Parts(manager::Clock const& given)
        : clock(given) {}

    asio::awaitable<void> receive(tcp::acceptor& acceptor, std::chrono::milliseconds patience);
    asio::awaitable<void> answer(std::shared_ptr<tcp::socket> guest);

    manager::Clock const& clock;
    asio::io_context io{1};
    std::list<tcp::acceptor> acceptors;
    std::size_t guests = 0;
    std::thread thread;
};

asio::awaitable<void>
WaitingRoom::Parts::receive(tcp::acceptor& acceptor, std::chrono::milliseconds patience) {
    asio::steady_timer opening(io, patience);
    co_await opening.async_wait(asio::use_awaitable);
    while (true) {
        ErrorCode error;
        auto token = asio::redirect_error(asio::use_awaitable, error);
        auto socket = co_await acceptor.async_accept(token);
        if (error)
            co_return; // what comes now waits until it is served
        if (guests >= kMaxGuests)
            continue;
        auto answering = answer(std::make_shared<tcp::socket>(std::move(socket)));
        asio::co_spawn(io, std::move(answering), asio::detached);
    }
}

asio::awaitable<void> WaitingRoom::Parts::answer(std::shared_ptr<tcp::socket> guest) {
    ++guests;
    ErrorCode error;
    auto token = asio::redirect_error(asio::use_awaitable, error);
    asio::steady_timer patience(io, kPatience);
    patience.async_wait([guest](ErrorCode cancelled) {
        ErrorCode ignored;
        if (!cancelled)
            guest->shutdown(tcp::socket::shutdown_both, ignored);
    });
    std::string text;
    std::array<char, 512> chunk{};
    while (!error && text.find("\r\n") == text.npos && text.size() < kMaxFirstLine) {
        auto const size = co_await guest->async_read_some(asio::buffer(chunk), token);
        text.append(chunk.data(), size);
    }
    if (!error) {
        auto const now = clock.now().wall;
        auto const response = answer_to(text.substr(0, text.find("\r\n")), now);
        bool const head_only = text.starts_with("HEAD ");
        text = render_head(response, {.keep_alive = false, .head_only = head_only}, now);
        if (!head_only)
            text += response.body;
        co_await asio::async_write(*guest, asio::buffer(text), token);
        // Read to its end: a connection closed over unread bytes may take the answer with it.
        guest->shutdown(tcp::socket::shutdown_send, error);
        while (!error)
            co_await guest->async_read_some(asio::buffer(chunk), token);
    }
    patience.cancel();
    --guests;
}

WaitingRoom::WaitingRoom(
    std::vector<tcp::acceptor*> const& acceptors,
    manager::Clock const& clock,
    std::chrono::milliseconds patience
)
    : parts_(std::make_unique<Parts>(clock)) {
    for (auto* const given : acceptors) {
        int const descriptor = ::dup(given->native_handle());
        if (descriptor < 0)
            continue;
        auto& own = parts_->acceptors.emplace_back(parts_->io);
        ErrorCode error;
        own.assign(given->local_endpoint().protocol(), descriptor, error);
        auto receiving = parts_->receive(own, patience);
        asio::co_spawn(parts_->io, std::move(receiving), asio::detached);
    }
    parts_->thread = std::thread([parts = parts_.get()] { parts->io.run(); });
}

WaitingRoom::~WaitingRoom() {
    parts_->io.stop();
    parts_->thread.join();
}

} // namespace cpm::http
