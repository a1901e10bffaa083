#pragma once

#include "core/result.hpp"
#include "http/app.hpp"
#include "http/tls_context.hpp"
#include "http/waiting_room.hpp"
#include "manager/publication.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace cpm::http {

/// What the interface works with. All must outlive the Server.
struct ServerParts {
    eventstore::EventReader const& log;
    manager::Clock const& clock;
    manager::Random& random;
    manager::Keys const& keys;
    AppConfig config;
    /// Takes one line for the operator's log; called on the interface's thread.
    std::function<void(std::string_view line)> report;
    /// Hears each event that becomes durable while serving, and the server it concerns as the
    /// event's batch left it (null: none, or none any more); on the interface's thread.
    std::function<void(core::Event const& event, core::Server const* server)> on_event{};
};

/// The HTTP interface: one io_context, run by one thread, and all that lives on it.
///
/// Operation: hears the history while the engine starts, binds its addresses, then run() serves
/// until stop(). Its own tick, every 250 ms, tells the writer that reports are being received.
///
/// Concurrency: on_published() and stop() from any thread; all else on the thread that calls
/// run(), and but for renew() before it.
class Server final : public manager::Subscriber {
  public:
    explicit Server(ServerParts parts);
    ~Server() override;

    void on_restored(projections::LogFold&& fold) override;
    void on_history(core::Event const& event) override;
    void on_record(eventstore::RecordChange const& record) override;
    void on_published(std::shared_ptr<manager::Publication const> publication) override;

    /// Binds "ADDRESS:PORT" ("127.0.0.1:8080", "[::1]:0"; port 0 picks a free one) and returns it
    /// with the port it got. Connections wait until run() or answer_meanwhile(); with a context
    /// they are over TLS, and join lines lead there. Fails with Validation when the text is no
    /// address, with Conflict when the address is taken or not this machine's.
    core::Result<std::string> listen(std::string_view address, TlsContext tls = {});

    /// The same for the compatible wake interface (HTTP 3.4), which is plain.
    core::Result<std::string> listen_compatible(std::string_view address);

    /// New connections over TLS begin with this context. On the thread of run().
    void renew(TlsContext const& tls);

    /// Its names, and the proxies through which it is called (AppConfig).
    struct Names {
        std::vector<std::string> host_names;
        std::string public_url;
        std::vector<std::string> trusted_proxies;
    };
    /// From here on these count. On the thread of run().
    void rename(Names names);

    /// While this lives, the plain addresses answer that the log is being read, once that takes
    /// longer than 3 s. Between listen() and run().
    std::unique_ptr<WaitingRoom> answer_meanwhile();

    /// Serves. Returns after stop(), when every connection has ended, at most 8 s later. The writer
    /// must be running, and be stopped only afterwards.
    void run(manager::Writer& writer);

    /// Closes the door: no new connections, held calls and streams end at once, requests under way
    /// are answered.
    void stop();

    /// For what else runs on this thread (signals).
    asio::io_context& io();

  private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

} // namespace cpm::http
