#pragma once

#include "core/event.hpp"
#include "core/fleet.hpp"
#include "core/server_config.hpp"
#include "tests/core/model/model.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace cpm::sim {

/// Runs the model of tests/core/model, which shares no code with core, beside a log: what happened
/// (who reported what, what was asked, what ran out) is taken from the events; what follows from it
/// is the model's, and must be what the log says and the manager serves.
///
/// Operation: take() each event in its order, close() when a decision is complete; then check()
/// the servers as they are served. All three throw Violation. Copies are independent.
class SecondReading {
  public:
    void take(core::Event const& event);
    void close();
    void check(core::Server const& served, core::Settings const& settings);
    void check_all(core::Fleet const& served);

    std::string status(core::ServerId server) const;
    bool should_run(core::ServerId id) const;
    /// Somebody asked for ON, and that stands; whether it was not ON since.
    bool is_asked_on(core::ServerId id) const;
    bool awaits_start(core::ServerId id) const;
    /// A request for this would change nothing, and is accepted without an event (1.4).
    bool is_unchanged(core::ServerId server, core::PowerStatus target) const;
    /// As it is told with a heartbeat's answer now.
    std::chrono::seconds interval(core::ServerId server) const;
    /// The heartbeat timeout (1.1).
    std::chrono::seconds timeout(core::ServerId server) const;

    /// Whether the manager may have known that its log was rolled back: then it gives no order, and
    /// no event says so.
    void doubt_orders(bool doubted) { orders_doubted_ = doubted; }

  private:
    struct Server {
        std::string name;
        model::Machine machine;
        /// Who is meant by the model's numbers, from 1.
        std::vector<core::BootIdentity> who;
        /// As it was before each of the last requests.
        std::map<core::Sequence, model::Machine> before;
        std::optional<std::int64_t> interval; ///< seconds
        std::optional<std::int64_t> missed;
        std::optional<std::int64_t> standby; ///< seconds
        bool unsigned_will_do = false;
        std::string said; ///< the reason that was last checked
    };
    /// The decision under way.
    struct Decision {
        core::Sequence number;
        core::ServerId server;
        std::vector<std::string> logged; ///< as the model says
        std::size_t come = 0;            ///< of them
        std::string status;              ///< the server's afterwards
        std::int64_t overruled = 0;      ///< the request before it, by an adoption
        bool people_are_told = false;    ///< of the adoption
    };

    void begin(core::Event const& event);
    void begin_for_all(core::Event const& event);
    void set(core::SettingsChanged const& changed);
    void configure(core::ServerId server, core::ServerConfig const& config);
    model::Outcome happen(Server& server, core::Event const& event);
    model::Outcome
    hear(Server& server, core::HeartbeatReceived const& heard, std::chrono::seconds timeout);
    model::Outcome ignore(Server& server, core::ReportIgnored const& ignored);
    model::Outcome ask(Server& server, core::PowerRequested const& made, core::Sequence number);
    model::Outcome refuse(Server& server, core::PowerRefused const& refused);
    model::Outcome take_back(Server& server, core::PowerWithdrawn const& withdrawn);
    model::Outcome give_order(Server& server, core::OrderSent const& order);
    void expect(core::Event const& event) const;
    void check_adoption(Server& server, core::PowerAdopted const& adopted) const;
    void check_order(Server& server, core::OrderSent const& order) const;

    std::map<core::ServerId, Server> servers_;
    model::Rules rules_;
    std::int64_t interval_ = 10;
    std::int64_t missed_ = 3;
    std::int64_t standby_ = 300;
    Decision decision_;
    bool orders_doubted_ = true;
};

} // namespace cpm::sim
