#pragma once

#include "core/fleet.hpp"
#include "eventstore/event_log.hpp"
#include "manager/accounts.hpp"
#include "manager/publication.hpp"
#include "projections/log_fold.hpp"

#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

namespace cpm::http {

/// One batch that the read model has taken in, and what it changed in the footer.
struct Applied {
    manager::Publication const& publication;
    projections::NotificationChanges notifications;
};

/// Hears one batch after the read model has taken it in.
using Observer = std::function<void(Applied const& applied)>;

/// What the interface serves: the folds of the log, on the interface's own thread. Fed with the
/// history before that thread starts and then batch by batch; it has a batch before any answer to
/// it is given.
class ReadModel {
  public:
    /// The beginning of the history, folded already.
    void load(projections::LogFold&& fold);
    /// One event of the history (before serving).
    void load(core::Event const& event);
    void load(eventstore::RecordChange const& record);
    /// The end of the history: deadlines count from `now`.
    void loaded(core::Now now);

    /// One durable batch; then the observers hear of it.
    void apply(manager::Publication const& publication);
    void observe(Observer observer) { observers_.push_back(std::move(observer)); }

    core::Fleet const& fleet() const { return fold_.fleet(); }
    manager::Accounts const& accounts() const { return accounts_; }
    projections::Notifications const& notifications() const { return fold_.notifications(); }
    projections::RaisedNotifications const& raised() const { return fold_.raised(); }
    projections::SignInAddresses const& sign_ins() const { return fold_.sign_ins(); }
    eventstore::Head const& head() const { return head_; }
    /// What a server's agent is to send for others now.
    std::vector<manager::WakeAsk> wake_asks(core::ServerId relay, core::MonoTime now) const;

    /// As LogFold has them.
    std::vector<core::Sequence> recent_events(core::ServerId server) const {
        return fold_.recent_events(server);
    }
    std::vector<core::Event> const& common_events() const { return fold_.common_events(); }

    /// What is left of a server's open standby time; zero when none is open.
    core::milliseconds standby_remaining(core::Server const& server, core::MonoTime now) const;

  private:
    void note_standby(core::Event const& event, core::MonoTime now);

    projections::LogFold fold_;
    manager::Accounts accounts_;
    eventstore::Head head_;
    std::unordered_map<core::ServerId, core::MonoTime> standby_ends_;
    std::unordered_map<core::ServerId, std::vector<manager::WakeAsk>> wake_asks_; ///< by relay
    std::vector<Observer> observers_;
};

} // namespace cpm::http
