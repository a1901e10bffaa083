// make-large-log DIR EVENTS SERVERS: a log of so many events, as a fleet of so many servers would
// have written it: they report every ten seconds, and now and then one is switched off and on.
#include "core/decide.hpp"
#include "core/record.hpp"
#include "eventstore/rocksdb_log.hpp"

#include <charconv>
#include <cstdio>
#include <string_view>
#include <vector>

namespace {

using namespace cpm;

constexpr std::size_t kBatch = 5000;
constexpr std::uint64_t kRoundsBetweenCycles = 60;
core::Actor const kAlice{core::ActorKind::User, "alice"};
core::Actor const kAgent{core::ActorKind::Agent, {}};
core::Actor const kTimer{core::ActorKind::Timer, {}};

core::Payloads one(core::Payload payload) {
    core::Payloads payloads;
    payloads.push_back(std::move(payload));
    return payloads;
}

class Maker {
  public:
    Maker(eventstore::RocksDbLog& log, std::uint64_t events, std::uint64_t servers)
        : log_(log)
        , events_(events)
        , servers_(servers) {}

    bool make() {
        decide({}, one(core::ManagerStarted{"large"}), {core::ActorKind::Policy, {}});
        // However old it is: a manager compacts nothing away before it is told to.
        decide({}, one(core::SettingsChanged{{{"heartbeat_retention_days", "36500"}}}), kAlice);
        for (std::uint64_t i = 1; i <= servers_; ++i)
            add({i});
        for (std::uint64_t round = 1; !is_done(); ++round) {
            now_ += core::seconds(10);
            auto const cycled =
                round % kRoundsBetweenCycles == 0 ? round / kRoundsBetweenCycles % servers_ + 1 : 0;
            for (std::uint64_t i = 1; i <= servers_ && !is_done(); ++i)
                if (i == cycled)
                    cycle({i});
                else
                    report({i}, core::HeartbeatStatus::On);
        }
        return write() && log_.keep_witness();
    }

  private:
    bool is_done() const { return failed_ || head_.value >= events_; }

    void add(core::ServerId id) {
        core::ServerConfig config;
        config.name = "node-" + std::to_string(id.value);
        decide(id, one(core::ServerAdded{config}), kAlice);
    }

    void report(core::ServerId id, core::HeartbeatStatus status) {
        core::Report report;
        report.status = status;
        report.identity.emplace();
        report.identity->boot_id.bytes[15] = std::uint8_t(id.value);
        report.report = ++reports_;
        report.nonce = "nonce";
        auto const& server = fleet_.servers.at(id);
        decide(id, core::decide_heartbeat(server, report, core::seconds(30)), kAgent);
    }

    /// Off as it was asked, and on again.
    void cycle(core::ServerId id) {
        auto const& state = fleet_.servers.at(id).state;
        decide(id, one(core::PowerRequested{core::PowerStatus::Off, core::seconds(1)}), kAlice);
        report(id, core::HeartbeatStatus::Stopping);
        decide(id, core::decide_elapsed(state, state.request->sequence, false), kTimer);
        decide(id, core::decide_silence(state, state.last_heartbeat), kTimer);
        decide(id, one(core::PowerRequested{core::PowerStatus::On, core::seconds(1)}), kAlice);
        report(id, core::HeartbeatStatus::On);
        decide(id, core::decide_elapsed(state, state.request->sequence, false), kTimer);
    }

    void decide(core::ServerId id, core::Payloads&& payloads, core::Actor const& actor) {
        auto const made =
            core::record(fleet_, id, std::move(payloads), {now_, actor, {}}, head_, batch_);
        head_.value += made.size();
        if (batch_.size() >= kBatch)
            write();
    }

    bool write() {
        if (auto const done = log_.append(log_.head().sequence, batch_, {}); !done) {
            std::fprintf(stderr, "make-large-log: %s\n", done.error().detail.c_str());
            failed_ = true;
        }
        batch_.clear();
        return !failed_;
    }

    eventstore::RocksDbLog& log_;
    std::uint64_t const events_;
    std::uint64_t const servers_;
    core::Fleet fleet_;
    core::WallTime now_{core::seconds(1'789'000'000)};
    core::Sequence head_;
    std::uint64_t reports_ = 0;
    std::vector<core::Event> batch_;
    bool failed_ = false;
};

std::uint64_t number(std::string_view text) {
    std::uint64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

} // namespace

int main(int argc, char** argv) {
    auto const events = argc == 4 ? number(argv[2]) : 0;
    auto const servers = argc == 4 ? number(argv[3]) : 0;
    if (events == 0 || servers == 0) {
        std::fputs("usage: make-large-log DIR EVENTS SERVERS\n", stderr);
        return 2;
    }
    auto const log = eventstore::RocksDbLog::open({argv[1], false});
    if (!log) {
        std::fprintf(stderr, "make-large-log: %s\n", log.error().detail.c_str());
        return 1;
    }
    return Maker(**log, events, servers).make() ? 0 : 1;
}
