#pragma once

#include "core/decide.hpp"
#include "core/fleet.hpp"
#include "core/manifest.hpp"
#include "core/record.hpp"

#include <optional>
#include <string>
#include <vector>

/// A boot identity for tests: the same numbers, the same boot.
cpm::core::BootIdentity boot(std::uint8_t number, std::uint64_t resume_count = 0);

/// A report by an agent that can verify orders (its nonce is "nonce").
cpm::core::Report says_on(std::optional<cpm::core::BootIdentity> identity = std::nullopt);
cpm::core::Report says_stopping(std::optional<cpm::core::BootIdentity> identity = std::nullopt);

/// What an agent was answered, and what its report became.
struct Answer {
    cpm::core::Manifest manifest;
    std::vector<std::string> events; ///< the type names of the decision's events
};

/// What a request became.
struct Outcome {
    std::vector<std::string> events;
    std::optional<cpm::core::Error> refusal;
};

/// One server and its log, driven as the manager drives core: decide, record, answer. No clock: a
/// test says when silence is noticed and when the standby time has passed.
class Scene {
  public:
    Scene();

    Outcome asks(cpm::core::PowerStatus target, cpm::core::PowerGuards const& guards = {});
    Answer reports(cpm::core::Report const& report);
    std::vector<std::string> falls_silent();
    std::vector<std::string> standby_elapses(bool late = false);
    void joins();
    void reinstated();
    void manager_starts();
    /// The sync of the last request failed: found at the next start, it is withdrawn.
    void sync_of_request_failed();
    void setting(std::string name, std::string value);
    void configure(cpm::core::ServerConfig const& config);

    /// Up and reporting ON as boot(1), with a request for ON that has settled.
    static Scene running();
    /// running(), then asked to go OFF; the standby time is open.
    static Scene going_off();
    /// going_off(), then Stopping and silent: OFF; the standby time has elapsed.
    static Scene gone_off();

    cpm::core::Server const& server() const { return *fleet_.find(kId); }
    cpm::core::ServerState const& state() const { return server().state; }
    std::string actual() const { return std::string(to_string(state().actual)); }
    std::string rule() const;
    std::string power() const { return std::string(to_string(state().power)); }
    /// What a held manifest call is told.
    cpm::core::Manifest
    held_call(std::optional<cpm::core::BootIdentity> identity, bool rolled_back = false) const;
    /// The last PowerAdopted; throws if there is none.
    cpm::core::PowerAdopted const& last_adoption() const;
    std::vector<cpm::core::Event> const& log() const { return log_; }
    /// The fold of the log from nothing.
    cpm::core::Fleet replayed() const;
    cpm::core::Fleet const& fleet() const { return fleet_; }

    static constexpr cpm::core::ServerId kId{0x5e};
    static constexpr std::string_view kNonce = "nonce";

  private:
    std::vector<std::string> append(cpm::core::Payloads&& payloads, cpm::core::ServerId server);

    cpm::core::Fleet fleet_;
    cpm::core::Sequence head_;
    std::vector<cpm::core::Event> log_;
    cpm::core::ServerState before_request_;
};
