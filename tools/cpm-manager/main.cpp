// cpm-manager: the composition root. Parts are locals in the order in which they depend on each
// other.
#include "eventstore/rocksdb_log.hpp"
#include "http/server.hpp"
#include "manager/engine.hpp"
#include "manager/keys.hpp"
#include "manager/snapshot_keeper.hpp"
#include "manager/space.hpp"
#include "manager/writer.hpp"
#include "tools/cpm-manager/certificate.hpp"
#include "tools/cpm-manager/operator_log.hpp"
#include "tools/cpm-manager/options.hpp"
#include "tools/cpm-manager/ready.hpp"
#include "tools/cpm-manager/reload.hpp"
#include "tools/cpm-manager/service_manager.hpp"
#include "wol/interfaces.hpp"
#include "wol/lan_sender.hpp"

#include <boost/asio/signal_set.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <functional>

namespace {

using namespace cpm;

constexpr int kWrongUsage = 2;
constexpr int kNotTrusted = 3;
constexpr int kAddressTaken = 4;
constexpr int kStorageFailed = 5;

int fail(tools::OperatorLog const& log, core::Error const& error, int code) {
    log.warn(error.detail);
    return code;
}

int exit_code(core::Error const& error) {
    return error.code == core::ErrorCode::Corrupt ? kNotTrusted : kStorageFailed;
}

/// The log or its disk does not let the manager go on: at a start, or after it.
int fail_of_log(
    tools::OperatorLog const& log, core::Error error, eventstore::SnapshotStore const& snapshots
) {
    if (error.code == core::ErrorCode::Corrupt) {
        snapshots.remove_all(); // so that the next start reads all of it, and names the event
        error.detail += ". The log cannot be trusted: restore the data directory from a backup "
                        "(cpm-replay verify names all that is wrong)";
    }
    return fail(log, error, exit_code(error));
}

/// The cards of this machine: which server the manager itself runs on. When the kernel does not
/// say, the last list it gave counts, and before the first one nothing is known: a guard must not
/// open because a question failed.
class OwnCards {
  public:
    explicit OwnCards(tools::OperatorLog const& log)
        : log_(log) {
        (void)(*this)(); // known before it matters: later there may be no descriptor left to ask
    }

    std::optional<std::vector<core::MacAddress>> operator()() {
        auto const interfaces = wol::list_interfaces();
        if (!interfaces) {
            log_.warn(interfaces.error());
            return last_;
        }
        last_.emplace();
        for (auto const& interface : *interfaces)
            if (interface.mac)
                last_->push_back({*interface.mac});
        return last_;
    }

  private:
    tools::OperatorLog const& log_;
    std::optional<std::vector<core::MacAddress>> last_;
};

bool has_users(eventstore::EventReader const& log) {
    bool found = false;
    auto const look = [&](std::string_view key, std::string_view) {
        found = found || key.starts_with("user/");
    };
    return log.read_table(eventstore::Table::Accounts, look) && found;
}

std::string text_of(tools::Endpoint const& endpoint) {
    bool const is_v6 = endpoint.address.find(':') != std::string::npos;
    return is_v6 ? fmt::format("[{}]:{}", endpoint.address, endpoint.port)
                 : fmt::format("{}:{}", endpoint.address, endpoint.port);
}

/// Stops the interface at SIGTERM and SIGINT. At SIGHUP, which must not end a manager whose
/// terminal closes, whatever can be read again is read again.
class Signals {
  public:
    Signals(http::Server& server, std::function<void()> stop, std::function<void()> reread)
        : stop_it_(std::move(stop))
        , reread_(std::move(reread))
        , stop_(server.io(), SIGTERM, SIGINT)
        , hangup_(server.io(), SIGHUP) {
        std::signal(SIGPIPE, SIG_IGN);
        await_hangup();
        stop_.async_wait([this](auto error, int) {
            if (!error)
                stop_it_();
        });
    }

    void end() {
        stop_.cancel();
        hangup_.cancel();
    }

  private:
    void await_hangup() {
        hangup_.async_wait([this](auto error, int) {
            if (error)
                return;
            reread_();
            await_hangup();
        });
    }

    std::function<void()> stop_it_;
    std::function<void()> reread_;
    boost::asio::signal_set stop_;
    boost::asio::signal_set hangup_;
};

/// Binds the addresses and notes them for those who wait for the manager.
core::Result<void> listen(
    tools::Options const& options,
    std::optional<tools::Certificate> const& certificate,
    http::Server& server,
    tools::Ready& ready
) {
    if (options.http) {
        auto bound = server.listen(text_of(*options.http));
        if (!bound)
            return tl::make_unexpected(bound.error());
        ready.http = *bound;
    }
    if (options.https) {
        auto bound = server.listen(text_of(*options.https), certificate->context);
        if (!bound)
            return tl::make_unexpected(bound.error());
        ready.https = *bound;
        ready.ca_pin = certificate->ca_pin;
    }
    if (options.compatible_wake) {
        auto bound = server.listen_compatible(text_of(*options.compatible_wake));
        if (!bound)
            return tl::make_unexpected(bound.error());
        ready.compatible_wake = *bound;
    }
    return {};
}

http::Connections::Limits connection_limits(tools::Options const& options) {
    auto const all = options.connections;
    return {
        .all = all,
        .an_address = options.connections_per_address,
        .people = all - options.connections_for_agents.value_or(all / 4),
    };
}

/// The snapshot keeper's parts; run() adds what to do when a snapshot was wrong.
manager::SnapshotKeeper::Parts keep_snapshots(
    tools::Options const& options,
    eventstore::EventLog const& log,
    eventstore::SnapshotStore const& snapshots,
    manager::Clock const& clock,
    tools::OperatorLog const& operator_log
) {
    return {
        .log = log,
        .store = snapshots,
        .clock = clock,
        .report = [&operator_log](std::string_view line) { operator_log.warn(line); },
        .on_failure = {},
        .space_reserve = options.space_reserve,
    };
}

/// Serves until a signal or a failure ends it.
int run(
    tools::Options const& options,
    http::Server& server,
    manager::Engine& engine,
    manager::Clock const& clock,
    tools::Ready const& ready,
    tools::OperatorLog const& log,
    manager::SnapshotKeeper::Parts snapshots,
    std::function<void()> reread
) {
    tools::ServiceManager service;
    std::atomic<int> code = 0;
    auto const& store = snapshots.store;
    auto const on_failure = [&](core::Error const& error) {
        code = fail_of_log(log, error, store);
        server.stop();
    };
    manager::Writer writer(engine, clock, on_failure, [&] { service.feed(clock.now().mono); });
    writer.run();
    snapshots.on_failure = on_failure;
    manager::SnapshotKeeper keeper(std::move(snapshots));
    auto const stop = [&] {
        service.stopping();
        server.stop();
    };
    Signals signals(server, stop, std::move(reread));
    if (options.ready_file)
        if (auto written = tools::write_ready_file(*options.ready_file, ready); !written)
            return fail(log, written.error(), kStorageFailed);
    fmt::print("{}", tools::ready_text(ready));
    std::fflush(stdout);
    auto const urls = tools::urls_of({.http = ready.http, .https = ready.https});
    service.ready(fmt::format("serving at {}", fmt::join(urls, " ")));

    keeper.run();
    server.run(writer);
    signals.end();
    keeper.stop();
    if (auto stopped = writer.stop(); !stopped && code == 0)
        code = fail_of_log(log, stopped.error(), store);
    return code;
}

http::AppConfig app_config(
    tools::Options const& options,
    std::optional<tools::Certificate> const& certificate,
    eventstore::RocksDbLog const& log,
    std::string const& setup_code
) {
    return {
        .setup_code = setup_code,
        .host_names = options.host_names,
        .public_url = options.public_url,
        .trusted_proxies = options.trusted_proxies,
        .connections = connection_limits(options),
        .https = {}, // known once it is bound
        .ca_pin = certificate ? certificate->ca_pin : std::string{},
        .dashboard = http::dashboard_files(),
        .version = CPM_VERSION,
        .sync_had_failed = log.unconfirmed_from().has_value(),
        .log_bytes = [&log] { return log.used_bytes(); },
    };
}

/// In bytes, of the disk where the data directory is or will be.
std::uint64_t last_reserve(tools::Options const& options) {
    std::error_code error;
    auto place = std::filesystem::absolute(options.data_directory, error);
    while (!std::filesystem::exists(place, error) && place.has_relative_path())
        place = place.parent_path();
    auto const disk = std::filesystem::space(place, error);
    return error ? 0 : manager::space_limits(disk.capacity, options.space_reserve).last;
}

/// Makes the keys when the log is new; otherwise they have to be there.
core::Result<manager::Keys>
load_keys(tools::Options const& options, eventstore::EventLog const& log) {
    using Missing = manager::Keys::Missing;
    bool const is_new = !log.head().sequence;
    return manager::Keys::load(options.data_directory, is_new ? Missing::Make : Missing::Refuse);
}

/// `certificate` is one that was given; without it the authority's is used.
int serve(
    tools::Options& options,
    std::optional<tools::Certificate> certificate,
    tools::OperatorLog const& operator_log,
    tools::Reload::ReadOptions const& read_again
) {
    auto log = eventstore::RocksDbLog::open({
        .directory = options.data_directory,
        .accept_truncated_log = options.accept_truncated_log,
        .keep_free = last_reserve(options),
    });
    if (!log)
        return fail(operator_log, log.error(), exit_code(log.error()));
    // Only after the log, because whoever has it has the directory: a ready file of an earlier life
    // names a port and a code that no longer hold, and two first starts must not both make keys.
    std::error_code ignored;
    if (options.ready_file)
        std::filesystem::remove(*options.ready_file, ignored);
    auto const keys = load_keys(options, **log);
    if (!keys)
        return fail(operator_log, keys.error(), kStorageFailed);

    manager::SystemClock clock;
    if (options.https && !certificate) {
        auto own = tools::own_certificate(options, clock);
        if (!own)
            return fail(operator_log, own.error(), kStorageFailed);
        certificate = std::move(*own);
    }
    manager::SystemRandom random;
    wol::LanSender sender;
    auto const report = [&](std::string_view line) { operator_log.say(line); };
    auto const setup_code = has_users(**log) ? std::string{} : tools::make_setup_code(random);
    http::Server server({
        .log = **log,
        .clock = clock,
        .random = random,
        .keys = *keys,
        .config = app_config(options, certificate, **log, setup_code),
        .report = report,
        .on_event = [&](auto const& event, auto* about) { operator_log.tell(event, about); },
    });

    // Before anything is written: a second manager on the same address must leave no trace.
    tools::Ready ready{.setup_code = setup_code, .public_url = options.public_url};
    if (auto bound = listen(options, certificate, server, ready); !bound)
        return fail(operator_log, bound.error(), kAddressTaken);

    eventstore::SnapshotStore const snapshots(options.data_directory);
    manager::Engine engine({
        .log = **log,
        .sender = sender,
        .clock = clock,
        .random = random,
        .subscriber = server,
        .own_macs = OwnCards(operator_log),
        .version = CPM_VERSION,
        .space_reserve = options.space_reserve,
        .snapshots = &snapshots,
        .report = report,
    });
    auto waiting_room = server.answer_meanwhile();
    if (auto started = engine.start(); !started)
        return fail_of_log(operator_log, started.error(), snapshots);
    waiting_room.reset();

    tools::Reload reload(read_again, options, certificate, server, operator_log);
    auto const keeping = keep_snapshots(options, **log, snapshots, clock, operator_log);
    return run(options, server, engine, clock, ready, operator_log, keeping, std::ref(reload));
}

} // namespace

int main(int argc, char** argv) {
    tools::OperatorLog const log;
    auto const read_options = [&] { return tools::read_options(argc, argv); };
    auto read = read_options();
    if (auto const* help = std::get_if<tools::HelpText>(&read)) {
        fmt::print("{}", help->text);
        return 0;
    }
    if (auto const* error = std::get_if<tools::UsageError>(&read)) {
        for (auto const& fault : error->faults)
            log.warn(fault);
        log.warn("see cpm-manager --help");
        return kWrongUsage;
    }
    auto& options = std::get<tools::Options>(read);
    std::optional<tools::Certificate> certificate;
    if (options.https && options.certificate) {
        auto given = tools::given_certificate(*options.certificate);
        if (!given)
            return fail(log, given.error(), kWrongUsage);
        certificate = std::move(*given);
    }
    if (options.check) {
        fmt::print("the configuration is fine\n");
        return 0;
    }
    return serve(options, std::move(certificate), log, read_options);
}
