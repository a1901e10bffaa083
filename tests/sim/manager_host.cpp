#include "tests/sim/manager_host.hpp"

#include "tests/sim/world.hpp"

#include <filesystem>
#include <stdexcept>
#include <unistd.h>

namespace cpm::sim {

using namespace std::chrono_literals;

namespace {

/// Answers what nobody else did: the connection of a process that has ended.
struct Call {
    Call(bool const& reset, ReplyTo to)
        : is_reset(reset)
        , reply(std::move(to)) {}
    Call(Call const&) = delete;
    Call& operator=(Call const&) = delete;
    ~Call() {
        if (is_reset && reply)
            reply(refusal({core::ErrorCode::Starting, "the connection was reset"}));
    }

    bool const& is_reset;
    ReplyTo reply;
};

core::Hash log_id(Dice& dice) {
    core::Hash id{};
    dice.fill(id);
    return id;
}

} // namespace

manager::Keys const& the_keys() {
    static manager::Keys const keys = [] {
        auto folder = std::filesystem::temp_directory_path() / "cpm-sim-XXXXXX";
        auto name = folder.string();
        if (!::mkdtemp(name.data()))
            throw std::runtime_error("no folder for keys");
        auto loaded = manager::Keys::load(name, manager::Keys::Missing::Make);
        std::filesystem::remove_all(name);
        if (!loaded)
            throw std::runtime_error(loaded.error().detail);
        return std::move(*loaded);
    }();
    return keys;
}

wol::WakeResult ManagerHost::Sender::send(wol::WakeTarget const& target) {
    world.journal().effect(core::to_string(core::MacAddress{target.mac}));
    world.judge().sent_packet({target.mac});
    // A directed broadcast is dropped by the router in between.
    world.send_packet(target.mac, 0);
    return "UDP port 9";
}

ManagerHost::ManagerHost(World& world)
    : world_(world)
    , disk_(log_id(world.dice(Chance::Disk)))
    , clock_(world.schedule())
    , random_(world.dice(Chance::Manager))
    , sender_(world)
    , around_{
          .now = [this] { return world_.schedule().now() + clock_.ahead; },
          .mood = [this] { return mood(); },
          .took = [this](Time time) { clock_.ahead += time; },
          .free = [this] { return free_bytes(); },
      } {}

ManagerHost::~ManagerHost() = default;

// --- the disk

std::uint64_t ManagerHost::free_bytes() const {
    switch (space_) {
    case Space::Plenty: return std::uint64_t{50} << 30;
    case Space::Reserve: return std::uint64_t{3} << 30;
    case Space::Full: return std::uint64_t{1} << 30;
    }
    return 0;
}

DiskMood ManagerHost::mood() {
    auto& dice = world_.dice(Chance::Disk);
    DiskMood mood;
    mood.sync = Time(dice.between(300'000, 3'000'000));
    auto const now = world_.schedule().now();
    if (now < slow_until_) {
        mood.sync += slow_sync_;
        world_.journal().count(Fault::SlowDisk);
    }
    if (std::exchange(fails_next_sync_, false)) {
        mood.fails = true;
        mood.fails_kept = dice.percent(60);
        world_.journal().fault(
            Fault::SyncFailed, "the records are {}", mood.fails_kept ? "there" : "not there"
        );
    }
    if (std::exchange(kills_in_append_, false)) {
        auto const into = Time(dice.between(1, mood.sync.count()));
        world_.schedule().at(now + clock_.ahead + into, [this, starts = starts_] {
            if (starts != starts_ || !service_)
                return;
            world_.journal().fault(Fault::KilledInAppend, "before its answer");
            kill();
        });
    }
    return mood;
}

void ManagerHost::slow_down(Time sync, Time until) {
    slow_sync_ = sync;
    slow_until_ = until;
}

void ManagerHost::set_space(Space space) {
    space_ = space;
}

void ManagerHost::put_copy_back() {
    if (!copy_)
        return;
    auto const records = copy_->records.size();
    world_.journal().fault(Fault::OldCopy, "{} events become {}", disk_.size(), records);
    end_process();
    bool const with_snapshots = world_.dice(Chance::Snapshots).percent(50);
    if (!with_snapshots && !disk_.snapshots().empty())
        world_.journal().fault(Fault::SnapshotsOfAnother, "{}", disk_.snapshots().size());
    disk_.put_back(*copy_, with_snapshots);
    world_.judge().history_was_lost();
    start_after(5s);
}

void ManagerHost::cut_log_short() {
    end_process();
    auto const batches = static_cast<std::size_t>(world_.dice(Chance::Disk).between(1, 40));
    auto const lost = disk_.cut_short(batches);
    world_.journal().fault(Fault::LogCutShort, "by {} events", lost);
    world_.judge().history_was_lost();
    start_after(2s);
}

void ManagerHost::damage_snapshot() {
    auto& files = disk_.snapshots();
    if (files.empty())
        return;
    auto& [name, bytes] = *files.rbegin();
    auto& dice = world_.dice(Chance::Snapshots);
    auto const at = dice.below(bytes.size());
    if (dice.percent(50))
        bytes.resize(at);
    else
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << dice.below(8)));
    world_.journal().fault(Fault::SnapshotTorn, "{} at byte {}", name, at);
}

void ManagerHost::lose_snapshots() {
    auto& files = disk_.snapshots();
    if (files.empty())
        return;
    world_.journal().fault(Fault::SnapshotLost, "the newest of {}", files.size());
    files.erase(std::prev(files.end()));
}

// --- the process

void ManagerHost::start(bool accept_truncated) {
    ++starts_;
    if (std::exchange(is_rebooted_, false)) // its monotonic clock began again
        clock_.mono_base = Time(5s) - world_.schedule().now();
    world_.judge().manager_starts();
    ServiceParts const parts{
        world_.schedule(),
        disk_,
        around_,
        clock_,
        random_,
        sender_,
        the_keys(),
        world_.dice(Chance::Snapshots),
    };
    service_ = std::make_unique<Service>(parts, *this);
    auto const started = service_->start(accept_truncated);
    if (started) {
        world_.journal().tell(
            "the manager starts at event {}{}", disk_.size(), accept_truncated ? ", accepted" : ""
        );
        if (std::exchange(kills_in_recovery_, false)) {
            auto const takes = service_->busy_until() - world_.schedule().now();
            auto const into = Time(world_.dice(Chance::Manager).between(0, takes.count()));
            world_.schedule().after(into, [this, starts = starts_] {
                if (starts != starts_)
                    return;
                world_.journal().fault(Fault::KilledInRecovery, "at event {}", disk_.size());
                kill();
            });
        }
        return;
    }
    clock_.ahead = {};
    world_.journal().tell("the manager does not start: {}", started.error().detail);
    bool const is_corrupt = started.error().code == core::ErrorCode::Corrupt;
    end_process();
    if (is_corrupt && !accept_truncated) // systemd gives up; an operator looks at it
        start_after(std::chrono::seconds(world_.dice(Chance::Manager).between(30, 300)), true);
    else
        start_after(5s);
}

void ManagerHost::start_after(Time delay, bool accept_truncated) {
    world_.schedule().after(delay, [this, accept_truncated, starts = ++starts_] {
        if (starts == starts_)
            start(accept_truncated);
    });
}

void ManagerHost::end_process(bool power_cut) {
    ++starts_;
    is_reset_ = world_.dice(Chance::Manager).percent(70);
    service_.reset();
    is_reset_ = false;
    clock_.ahead = {};
    auto const now = world_.schedule().now();
    bool const undone = disk_.has_undone(now);
    bool const keeps = world_.dice(Chance::Disk).percent(40);
    auto const lost = disk_.crash(now, keeps, power_cut);
    if (undone && lost > 0)
        world_.journal().count(
            world_.dice(Chance::Disk).percent(50) ? Fault::TailLost : Fault::TailTorn
        );
    world_.judge().manager_ended();
}

void ManagerHost::kill() {
    end_process();
    auto& dice = world_.dice(Chance::Manager);
    auto const away = dice.percent(70) ? dice.between(100, 3'000) : dice.between(3'000, 400'000);
    start_after(std::chrono::milliseconds(away));
}

void ManagerHost::kill_in_recovery() {
    kills_in_recovery_ = true;
    kill();
}

void ManagerHost::crash_host() {
    end_process(true);
    auto& dice = world_.dice(Chance::Manager);
    auto const away = Time(std::chrono::milliseconds(dice.between(20'000, 600'000)));
    is_rebooted_ = true;
    start_after(away);
}

void ManagerHost::pause(Time length) {
    if (service_)
        service_->pause(world_.schedule().now() + length);
}

void ManagerHost::step_wall(std::chrono::microseconds by) {
    clock_.wall += by;
    world_.judge().wall_was_stepped();
}

void ManagerHost::calm() {
    fails_next_sync_ = kills_in_append_ = kills_in_recovery_ = false;
    slow_until_ = {};
    space_ = Space::Plenty;
}

void ManagerHost::receive(std::shared_ptr<Request const> const& request, ReplyTo reply) {
    if (!service_) {
        reply(refusal({core::ErrorCode::Starting, "connection refused"}));
        return;
    }
    auto const call = std::make_shared<Call>(is_reset_, std::move(reply));
    service_->receive(request, [call](std::shared_ptr<Reply const> const& said) {
        if (auto const answer = std::exchange(call->reply, nullptr))
            answer(said);
    });
}

// --- what the process tells

void ManagerHost::serves(Time armed) {
    world_.judge().manager_serves(armed);
}

void ManagerHost::published(manager::Publication const& publication, Time durable) {
    for (auto const& event : publication.events)
        if (std::holds_alternative<core::HeartbeatsCompacted>(event.payload))
            world_.journal().count(Fault::Compacted);
    world_.judge().published(publication, durable);
}

void ManagerHost::answered(Request const& request, manager::ManifestOutcome const& outcome) {
    world_.judge().answered(request, outcome);
}

void ManagerHost::turns(Time free_since, bool listening) {
    // While the disk is full nothing is decided.
    bool const was_full = std::exchange(was_full_, is_full());
    if (was_full || is_full())
        free_since = world_.schedule().now();
    world_.judge().manager_turns(free_since, listening && !is_full());
}

void ManagerHost::turned(manager::Engine const& engine, std::size_t held, std::size_t queued) {
    world_.judge().manager_turned(engine, held, queued);
}

void ManagerHost::reports(std::string_view line) {
    world_.journal().tell("manager: {}", line);
}

void ManagerHost::gave_up(core::Error const& error) {
    world_.journal().tell("the manager ends: {}", error.detail);
    if (error.code != core::ErrorCode::Storage)
        violated(Invariant::Runs, "the manager ends: " + error.detail);
    // Not within its own turn.
    world_.schedule().after(0s, [this, starts = starts_] {
        if (starts != starts_)
            return;
        // What that sync left is put right by the next start: it may end in the middle, too.
        if (world_.may(Fault::KilledInRecovery, Chance::Acts, 300'000))
            kill_in_recovery();
        else
            kill();
    });
}

} // namespace cpm::sim
