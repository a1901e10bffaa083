#include "http/server.hpp"

#include "http/door.hpp"
#include "http/gate.hpp"
#include "http/link.hpp"
#include "http/listener.hpp"
#include "http/manifest_waiters.hpp"
#include "http/metrics.hpp"
#include "http/own_names.hpp"
#include "http/password_pool.hpp"
#include "http/sign_in_throttle.hpp"
#include "http/streams.hpp"
#include "http/webhooks.hpp"
#include "manager/user_commands.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <deque>
#include <sys/resource.h>

namespace cpm::http {
namespace {

using asio::ip::tcp;

constexpr core::seconds kDrain{8};
constexpr core::seconds kQuickStart{3};
constexpr std::chrono::minutes kTidyEvery{1};
constexpr std::size_t kSearches = 4; ///< through the log at once

/// An io_context whose coroutines can be ended while what they use is still there.
class Context : public asio::io_context {
  public:
    Context()
        : io_context(1) {}
    void end() { shutdown(); }
};

/// Raises the soft limit of file descriptors to the hard one, and says what there is.
std::size_t raise_descriptors() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 0;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 0;
}

} // namespace

struct Server::Parts {
    explicit Parts(ServerParts&& from)
        : given(std::move(from))
        , authentication(model)
        , waiters(io)
        , streams(io, model, authentication, given.clock)
        , webhooks(io, model, given.clock, given.report)
        , passwords(std::make_unique<PasswordPool>(io))
        , metrics(given.config.sync_had_failed)
        , drain(io) {
        model.observe([this](Applied const& applied) {
            metrics.on_published(applied.publication);
            tell(applied.publication);
            waiters.on_published(applied.publication);
        });
    }
    ~Parts() {
        passwords.reset(); // its threads bring results to the context
        io.end();          // what waits there is ended while the rest still stands
    }

    void stop();
    void tell(manager::Publication const& publication) const;

    ServerParts given;
    Context io;
    ReadModel model;
    Authentication authentication;
    ManifestWaiters waiters;
    Streams streams;
    Webhooks webhooks;
    SignInThrottle throttle;
    Gate searches{io, kSearches};
    std::unique_ptr<PasswordPool> passwords;
    Metrics metrics;
    std::deque<Entrance> entrances;
    asio::steady_timer drain;
    std::optional<App> app;
    std::optional<Door> door;
};

namespace {

/// Without these coroutines the manager would not listen, and would not know it: the process ends.
void on_end(std::exception_ptr failure) {
    if (failure)
        std::rethrow_exception(failure);
}

/// Once a minute, for all sessions and tokens together: a use is not an event. Where that fails,
/// the next minute tries again.
void note_uses(App& app, Authentication const& authentication) {
    auto uses = authentication.uses_to_note();
    if (!uses.tokens.empty() || !uses.sessions.empty())
        app.writer.submit(std::move(uses), [](auto&&) {});
}

/// Ended sessions are forgotten on disk, too: a longer limit set later must not revive them.
void forget_ended_sessions(App& app, Authentication const& authentication, core::Now now) {
    manager::ForgetSessions command;
    for (auto const& [secret, session] : app.model.accounts().sessions())
        if (!authentication.counts(session, now))
            command.sessions.push_back(secret);
    if (!command.sessions.empty())
        app.writer.submit(std::move(command), [](auto&&) {});
}

/// The loop's own tick: as long as it comes, reports are being received.
asio::awaitable<void> tick(Door& door, Authentication& authentication) {
    auto& waiters = door.app.manifest_waiters;
    auto& streams = door.app.streams;
    auto& webhooks = door.app.webhooks;
    asio::steady_timer timer(door.app.io);
    auto readiness = door.app.writer.readiness();
    streams.set_rolled_back(readiness == manager::Readiness::RolledBack);
    webhooks.set_rolled_back(readiness == manager::Readiness::RolledBack);
    auto tidied = door.last_tick;
    while (true) {
        timer.expires_after(manager::kTick);
        boost::system::error_code error;
        co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
        auto const now = door.app.clock.now();
        bool const stalled = door.has_stalled(now.mono);
        door.last_tick = now.mono;
        if (stalled)
            for (auto* const link : door.links)
                link->restart();
        door.app.writer.note_listening();
        streams.tick(now);
        webhooks.tick(now);
        if (now.mono - tidied >= kTidyEvery) {
            tidied = now.mono;
            authentication.forget_ended();
            note_uses(door.app, authentication);
            forget_ended_sessions(door.app, authentication, now);
        }
        // A log found to be rolled back turns every manifest to ON without an event that says so.
        if (auto const present = door.app.writer.readiness(); present != readiness) {
            readiness = present;
            door.report(fmt::format("readiness: {}", manager::to_string(present)));
            waiters.touch_all();
            streams.set_rolled_back(readiness == manager::Readiness::RolledBack);
            webhooks.set_rolled_back(readiness == manager::Readiness::RolledBack);
        }
    }
}

} // namespace

Server::Server(ServerParts parts)
    : parts_(std::make_unique<Parts>(std::move(parts))) {}

Server::~Server() = default;

void Server::on_restored(projections::LogFold&& fold) {
    parts_->model.load(std::move(fold));
}

void Server::on_history(core::Event const& event) {
    parts_->model.load(event);
}

void Server::on_record(eventstore::RecordChange const& record) {
    parts_->model.load(record);
}

void Server::on_published(std::shared_ptr<manager::Publication const> publication) {
    // In order with the answers, which the writer posts afterwards.
    asio::post(parts_->io, [parts = parts_.get(), publication = std::move(publication)] {
        parts->model.apply(*publication);
    });
}

core::Result<std::string> Server::listen(std::string_view address, TlsContext tls) {
    auto acceptor = listen_on(parts_->io, address);
    if (!acceptor)
        return tl::make_unexpected(acceptor.error());
    auto bound = endpoint_text(acceptor->local_endpoint());
    if (tls)
        parts_->given.config.https = bound;
    parts_->entrances.push_back({std::move(*acceptor), std::move(tls)});
    return bound;
}

core::Result<std::string> Server::listen_compatible(std::string_view address) {
    auto acceptor = listen_on(parts_->io, address);
    if (!acceptor)
        return tl::make_unexpected(acceptor.error());
    auto bound = endpoint_text(acceptor->local_endpoint());
    parts_->entrances.push_back({std::move(*acceptor), {}, Interface::CompatibleWake});
    return bound;
}

std::unique_ptr<WaitingRoom> Server::answer_meanwhile() {
    std::vector<tcp::acceptor*> plain;
    for (auto& entrance : parts_->entrances)
        if (!entrance.tls)
            plain.push_back(&entrance.acceptor);
    return std::make_unique<WaitingRoom>(plain, parts_->given.clock, kQuickStart);
}

void Server::renew(TlsContext const& tls) {
    for (auto& entrance : parts_->entrances)
        if (entrance.tls)
            entrance.tls = tls;
}

void Server::rename(Names names) {
    auto& config = parts_->given.config;
    config.host_names = std::move(names.host_names);
    config.public_url = std::move(names.public_url);
    config.trusted_proxies = std::move(names.trusted_proxies);
    parts_->door->names = configured_names(config.host_names, config.public_url);
    parts_->door->proxies = TrustedProxies(config.trusted_proxies, config.public_url);
}

void Server::run(manager::Writer& writer) {
    auto& parts = *parts_;
    auto const now = parts.given.clock.now();
    auto const& config = parts.given.config;
    auto const limits = config.connections.within(raise_descriptors());
    parts.app.emplace(App{
        .io = parts.io,
        .writer = writer,
        .log = parts.given.log,
        .clock = parts.given.clock,
        .random = parts.given.random,
        .keys = parts.given.keys,
        .config = parts.given.config,
        .model = parts.model,
        .authentication = parts.authentication,
        .manifest_waiters = parts.waiters,
        .streams = parts.streams,
        .webhooks = parts.webhooks,
        .passwords = *parts.passwords,
        .throttle = parts.throttle,
        .metrics = parts.metrics,
        .connections = std::make_shared<Connections>(limits),
        .started = now.wall,
        .searches = parts.searches,
    });
    if (limits.all < config.connections.all)
        parts.given.report(fmt::format(
            "at most {} connections: the limit of open files is too low for more", limits.all
        ));
    parts.door.emplace(Door{
        .app = *parts.app,
        .authentication = parts.authentication,
        .routes = routes(),
        .connections = parts.app->connections,
        .names = configured_names(config.host_names, config.public_url),
        .proxies = TrustedProxies(config.trusted_proxies, config.public_url),
        .report = parts.given.report,
        .stopping = false,
        .last_tick = now.mono,
        .links = {},
        .unread = {},
        .on_drained = [&parts] { parts.io.stop(); },
    });
    parts.model.loaded(now);
    parts.throttle.loaded(parts.model.sign_ins());
    parts.streams.loaded();
    parts.webhooks.start(*parts.app);
    writer.note_listening();
    auto ticking = tick(*parts.door, parts.authentication);
    asio::co_spawn(parts.io, std::move(ticking), on_end);
    for (auto& entrance : parts.entrances) {
        auto accepting = accept_all(*parts.door, entrance);
        asio::co_spawn(parts.io, std::move(accepting), on_end);
    }
    parts.io.run();
}

void Server::stop() {
    asio::post(parts_->io, [parts = parts_.get()] { parts->stop(); });
}

void Server::Parts::tell(manager::Publication const& publication) const {
    if (given.on_event)
        for (auto const& event : publication.events)
            given.on_event(event, model.fleet().find(event.server));
}

void Server::Parts::stop() {
    if (door->stopping)
        return;
    door->stopping = true;
    boost::system::error_code error;
    for (auto& entrance : entrances)
        entrance.acceptor.close(error);
    waiters.stop();
    streams.stop();
    webhooks.stop();
    for (auto* const link : door->links)
        link->stop();
    drain.expires_after(kDrain);
    drain.async_wait([this](boost::system::error_code) { io.stop(); });
    if (door->links.empty())
        io.stop();
}

asio::io_context& Server::io() {
    return parts_->io;
}

} // namespace cpm::http
