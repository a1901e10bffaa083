#pragma once

#include "eventstore/event_log.hpp"
#include "http/connections.hpp"
#include "http/dashboard.hpp"
#include "http/message.hpp"
#include "http/read_model.hpp"
#include "manager/clock.hpp"
#include "manager/keys.hpp"
#include "manager/random.hpp"
#include "manager/writer.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

namespace cpm::http {

namespace asio = boost::asio;

class Authentication;
class Gate;
class ManifestWaiters;
class Metrics;
class Streams;
class PasswordPool;
class SignInThrottle;
class Webhooks;

/// What the process was started with, as far as the interface depends on it.
struct AppConfig {
    std::string setup_code; ///< valid until the first user exists
    std::vector<std::string>
        host_names;         ///< accepted in Host beside loopback and the machine's own addresses
    std::string public_url; ///< in join lines; empty: the first LAN address
    std::vector<std::string> trusted_proxies; ///< addresses and networks (TrustedProxies)
    Connections::Limits connections;
    std::string https;  ///< "ADDRESS:PORT" of the TLS listener, told by the Server; empty: off
    std::string ca_pin; ///< of the TLS listener's own authority; empty: none
    std::span<DashboardFile const> dashboard; ///< what a browser may load; empty: no dashboard
    std::string version{};
    bool sync_had_failed = false; ///< a failed sync ended the life before this one
    /// The size of the log on disk, or none; called on the interface's thread.
    std::function<std::optional<std::uint64_t>()> log_bytes{};
};

/// Everything a handler works with: one thread, one io_context. Parts are owned by the composition
/// root (Server).
struct App {
    asio::io_context& io;
    manager::Writer& writer;
    eventstore::EventReader const& log;
    manager::Clock const& clock;
    manager::Random& random;
    manager::Keys const& keys;
    AppConfig const& config;
    ReadModel& model;
    Authentication const& authentication;
    ManifestWaiters& manifest_waiters;
    Streams& streams;
    Webhooks& webhooks;
    PasswordPool& passwords;
    SignInThrottle& throttle;
    Metrics& metrics;
    std::shared_ptr<Connections> connections;
    core::WallTime started; ///< when the process began to serve
    Gate& searches;         ///< for what looks through the log, and keeps what it finds meanwhile
};

namespace detail {

/// Brings an outcome from the writer's thread back to the coroutine that waits for it.
template <class Command, class Handler>
struct Deliver {
    asio::any_io_executor executor;
    Handler handler;

    void operator()(core::Result<typename Command::Outcome>&& outcome) {
        auto resume = [handler = std::move(handler), outcome = std::move(outcome)]() mutable {
            std::move(handler)(std::move(outcome));
        };
        asio::post(executor, std::move(resume));
    }
};

template <class Command>
struct Initiate {
    App* app;

    template <class Handler>
    void operator()(Handler handler, Command command) const {
        auto executor = asio::get_associated_executor(handler, app->io.get_executor());
        app->writer.submit(
            std::move(command),
            Deliver<Command, Handler>{asio::any_io_executor(executor), std::move(handler)}
        );
    }
};

} // namespace detail

/// Decides a command on the writer's thread and resumes when its events are durable and the read
/// model has them. Never throws; every failure is in the Result.
template <class Command>
asio::awaitable<core::Result<typename Command::Outcome>> execute(App& app, Command command) {
    using Outcome = core::Result<typename Command::Outcome>;
    co_return co_await asio::async_initiate<asio::use_awaitable_t<> const, void(Outcome)>(
        detail::Initiate<Command>{&app}, asio::use_awaitable, std::move(command)
    );
}

} // namespace cpm::http
