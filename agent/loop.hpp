#pragma once

#include "agent/client.hpp"
#include "agent/conduct.hpp"
#include "agent/machine.hpp"
#include "agent/relay.hpp"
#include "agent/rotation.hpp"
#include "agent/store.hpp"
#include "wol/lan_sender.hpp"

#include <boost/asio/steady_timer.hpp>

#include <filesystem>
#include <functional>

namespace cpm::agent {

struct LoopConfig {
    std::filesystem::path state_directory;
    std::filesystem::path run_directory;
    std::string agent_version;
    std::function<void(std::string_view)> report; ///< a line for the journal
};

/// The daemon: does what the conduct says next, until it is stopped.
///
/// Operation: one coroutine asks, calls and tells; hooks and the power action run beside it. What
/// the machine looks like is looked at every second, by which a resume, a veto or an ON is noticed
/// while a call is held. Concurrency: the thread of the io_context. Limitations: a call to the
/// manager under way when a veto begins is waited for (10 s).
class Loop {
  public:
    /// All must outlive it.
    Loop(
        boost::asio::io_context& io,
        LoopConfig config,
        Credentials const& credentials,
        BootIdentity const& boot,
        Machine& machine
    );

    /// Returns after stop().
    boost::asio::awaitable<void> run();

    /// Ends run() soon; says goodbye to the manager first when the machine itself goes down.
    void stop();

  private:
    Observation observe();
    void keep(Memory memory);
    bool head_is_lost() const;
    bool is_head_due(Head const& head) const;
    void report_findings();
    void wake();
    boost::asio::awaitable<void> watch();
    void take(Outcome const& outcome, bool held);
    /// Whether the answer was a whole one.
    boost::asio::awaitable<bool> call(HttpQuestion question, seconds limit, bool held);
    boost::asio::awaitable<void> rotate_token(std::string present);
    boost::asio::awaitable<void> perform(SendHeartbeat step);
    boost::asio::awaitable<void> perform(HoldManifest step);
    boost::asio::awaitable<void> perform(RunHooks step);
    boost::asio::awaitable<void> perform(Act step);
    boost::asio::awaitable<void> perform(Rest step);
    boost::asio::awaitable<void> prepare();
    boost::asio::awaitable<void> go_down(OffMethod method);

    boost::asio::io_context& io_;
    LoopConfig config_;
    Credentials credentials_; ///< as they are on the disk
    Machine& machine_;
    Client client_;
    wol::LanSender sender_;
    Relay relay_;
    std::optional<Marker> remembered_;
    tl::expected<std::optional<Head>, std::string> stored_head_;
    ResumeCounter resumes_;
    std::string boot_id_;
    Conduct conduct_;
    Rotation rotation_;
    boost::asio::steady_timer rest_;
    boost::asio::steady_timer tick_;
    Observation asked_with_; ///< what the step being done was decided on
    bool holding_ = false;   ///< a held call is under way
    bool cut_ = false;       ///< it was given up
    bool rotating_ = false;  ///< a new token is being asked for
    bool stopping_ = false;
    std::optional<Memory> kept_;
    std::string store_failure_; ///< the last one, so that it is reported once
    std::optional<Head> saved_head_;
    microseconds head_saved_{};
};

} // namespace cpm::agent
