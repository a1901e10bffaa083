#include "core/evolve.hpp"

#include "core/status_table.hpp"

namespace cpm::core {
namespace {

using enum PowerStatus;

void end_answer(ServerState& state) {
    if (state.request)
        state.request->answered = false;
}

void end_order(ServerState& state) {
    if (!state.request)
        return;
    state.request->ordered = false;
    state.request->answered = false;
}

/// A new boot or resume takes the place of the recorded one, which is remembered as replaced.
void replace_identity(ServerState& state, BootIdentity const& identity) {
    if (state.boot) {
        if (state.earlier.size() == ServerState::kEarlierIdentities)
            state.earlier.pop_back();
        state.earlier.insert(state.earlier.begin(), EarlierIdentity{*state.boot});
    }
    state.boot = identity;
    state.report.reset();
}

// --- what each event does ---

void on_requested(ServerState& state, Sequence sequence, PowerRequested const& event) {
    auto const asked_while = state.current;
    state.power = event.target;
    state.previous = state.current; // an old report is never read as the answer to a new request
    state.adopted = false;
    state.request = Request{
        .sequence = sequence,
        .target = event.target,
        .standby = Standby::Open,
        .ordered = event.target == Off && asked_while != HeartbeatStatus::None,
        .answered = false,
        .confirmed = event.target == Off || asked_while == HeartbeatStatus::On,
    };
}

void on_heartbeat(ServerState& state, Sequence sequence, HeartbeatReceived const& event) {
    bool const said_off = manifest_power(state) == Off;
    bool const other = event.identity && event.identity != state.boot;

    state.previous = state.current;
    state.current = event.status;
    state.blocked_by = event.blocked_by;
    state.last_heartbeat = sequence;
    state.adopted = false;
    if (other)
        replace_identity(state, *event.identity);
    if (event.identity && event.report)
        state.report = event.report;

    if (!state.request)
        return;
    if (other)
        end_order(state);
    if (event.status == HeartbeatStatus::On)
        state.request->confirmed = true;
    state.request->answered =
        event.status == HeartbeatStatus::Stopping && said_off && !other && event.blocked_by.empty();
}

void on_lost(ServerState& state, HeartbeatLost const& event) {
    if (event.heartbeat != state.last_heartbeat || state.current == HeartbeatStatus::None)
        return;
    state.previous = state.current;
    state.current = HeartbeatStatus::None;
    state.adopted = false;
    end_answer(state);
}

void on_ignored(ServerState& state, ReportIgnored const& event) {
    if (event.identity == state.boot)
        return;       // overtaken by a later report: nothing is in doubt
    end_order(state); // another machine speaks for this server: whose OFF would it be?
    for (auto& earlier : state.earlier)
        if (earlier.identity == event.identity)
            earlier.ignored = true;
}

void on_adopted(ServerState& state) {
    state.power = On;
    state.request.reset();
    state.adopted = true;
}

void on_withdrawn(ServerState& state, PowerWithdrawn const& event) {
    state.power = event.power;
    state.previous = event.previous;
    state.current = event.current;
    state.request = event.restored;
    state.adopted = false; // what happened since the request is taken back with it
    end_order(state);
}

void close_standby(ServerState& state, Sequence request) {
    if (state.request && state.request->sequence == request)
        state.request->standby = Standby::Elapsed;
}

void on_joined(ServerState& state) {
    state.boot.reset();
    state.earlier.clear();
    state.report.reset();
    state.set_aside = false;
    end_answer(state);
}

/// It is not listened to any more, so its silence is no answer to an OFF (1.0): rule B.
void on_revoked(ServerState& state) {
    end_answer(state);
    if (state.current == HeartbeatStatus::Stopping)
        state.blocked_by = "the end of its agent's credential";
}

void on_reinstated(ServerState& state) {
    state.set_aside = false;
    for (auto& earlier : state.earlier)
        earlier.ignored = false;
}

struct ServerEvolution {
    ServerState& state;
    Sequence sequence;

    void operator()(PowerRequested const& event) const { on_requested(state, sequence, event); }
    void operator()(HeartbeatReceived const& event) const { on_heartbeat(state, sequence, event); }
    void operator()(HeartbeatLost const& event) const { on_lost(state, event); }
    void operator()(ReportIgnored const& event) const { on_ignored(state, event); }
    void operator()(PowerAdopted const&) const { on_adopted(state); }
    void operator()(PowerReasserted const&) const { state.previous = HeartbeatStatus::On; }
    void operator()(PowerWithdrawn const& event) const { on_withdrawn(state, event); }
    void operator()(StandbyElapsed const& event) const { close_standby(state, event.request); }
    void operator()(StandbyReleased const& event) const { close_standby(state, event.request); }
    void operator()(AgentJoined const&) const { on_joined(state); }
    void operator()(AgentSetAside const&) const { state.set_aside = true; }
    void operator()(AgentReinstated const&) const { on_reinstated(state); }
    void operator()(ManagerStarted const&) const { end_answer(state); }
    // What was lost may have been an ON: an order in the restored log is nobody's word any more.
    void operator()(RollbackAccepted const&) const { end_order(state); }

    // These change no status.
    void operator()(ServerAdded const&) const {}
    void operator()(ServerUpdated const&) const {}
    void operator()(ServerRemoved const&) const {}
    void operator()(JoinTokenCreated const&) const {}
    void operator()(AgentTokenRotated const&) const {}
    void operator()(AgentRevoked const&) const { on_revoked(state); }
    void operator()(PowerRefused const&) const {}
    void operator()(OrderSent const&) const {}
    void operator()(WakeSent const&) const {}
    void operator()(HeartbeatsCompacted const&) const {}
    void operator()(SetupDone const&) const {}
    void operator()(SignedIn const&) const {}
    void operator()(SignInFailed const&) const {}
    void operator()(SignedOut const&) const {}
    void operator()(UserAdded const&) const {}
    void operator()(UserChanged const&) const {}
    void operator()(UserRemoved const&) const {}
    void operator()(TokenCreated const&) const {}
    void operator()(TokenRevoked const&) const {}
    void operator()(NotificationDismissed const&) const {}
    void operator()(SettingsChanged const&) const {}
    void operator()(ManagerStopped const&) const {}
};

} // namespace

void evolve(ServerState& state, Sequence sequence, Payload const& payload) {
    std::visit(ServerEvolution{state, sequence}, payload);
    state.actual = classify(state).actual;
}

} // namespace cpm::core
