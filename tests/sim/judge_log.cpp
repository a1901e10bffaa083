// What the log says, read from its bytes by the judge itself, and compared with what is served.
#include "core/evolve.hpp"
#include "projections/log_fold.hpp"
#include "tests/sim/judge.hpp"
#include "tests/sim/world.hpp"

namespace cpm::sim {

namespace {

constexpr std::size_t kReadingsKept = 6;
constexpr std::uint64_t kBetweenReadings = 500; ///< events
constexpr std::uint64_t kBetweenComparisons = 64;
/// The statuses that people are told of, and how (1.6).
constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kTroubles{
    {{"Crashed", "crashed"},
     {"Unknown", "unknown"},
     {"StartupDelayed", "startup_delayed"},
     {"ShutdownDelayed", "shutdown_delayed"}}};

} // namespace

core::Event Judge::read(core::Sequence sequence) const {
    auto stored = world_.manager().disk().stored(sequence);
    if (!stored)
        violated(Invariant::ReplayIsLive, stored.error().detail);
    return std::move(stored->event);
}

/// Whether the log still says what was read of it.
bool Judge::is_there(Reading const& reading) const {
    // Null: it is not there, or was compacted away; then it goes on from an earlier one.
    auto const* hash = world_.manager().disk().hash_of(reading.head);
    return !reading.head || (hash && *hash == reading.hash);
}

/// To what of it is still there.
void Judge::go_back() {
    while (!kept_.empty() && !is_there(kept_.back()))
        kept_.pop_back();
    reading_ = kept_.empty() ? Reading{} : kept_.back();
}

void Judge::keep() {
    if (!kept_.empty() && reading_.head.value < kept_.back().head.value + kBetweenReadings)
        return;
    kept_.push_back(reading_);
    if (kept_.size() > kReadingsKept)
        kept_.pop_front();
}

/// What became durable, but was not published by the life that wrote it.
void Judge::catch_up(core::Sequence upto) {
    decision_ = {};
    decides_for_ = {};
    if (!is_there(reading_)) {
        if (served_is_kept_)
            violated(Invariant::AnsweredIsKept, "what was served is gone");
        go_back();
    }
    reading_.second.doubt_orders(true);
    auto const take = [this](eventstore::StoredEvent const& stored) {
        enter(stored.event, {}, {});
        return true;
    };
    if (auto done = world_.manager().disk().read(reading_.head.next(), upto, take); !done)
        violated(Invariant::ReplayIsLive, done.error().detail);
    end_decision();
}

bool Judge::is_rolled_back() const {
    return world_.manager().disk().content().is_rolled_back();
}

// --- what is served

void Judge::compare_served(manager::Publication const& publication) {
    auto const& served = world_.manager().service()->fleet();
    bool const is_turn = publication.head.sequence.value / kBetweenComparisons !=
                         publication.events.front().sequence.value / kBetweenComparisons;
    bool const is_whole = std::ranges::any_of(publication.events, [](auto const& event) {
        return !event.server || std::holds_alternative<core::ServerRemoved>(event.payload);
    });
    if ((is_turn || is_whole) && !(served == reading_.fold))
        violated(Invariant::ReplayIsLive, "what is served is not what the log says");
    if (is_whole) {
        reading_.second.check_all(served);
        return;
    }
    for (auto const& event : publication.events) {
        auto const* server = served.find(event.server);
        auto const* read = reading_.fold.find(event.server);
        if (!server || !read || !(*server == *read))
            violated(
                Invariant::ReplayIsLive,
                "what is served is not what the log says: " + to_string(event.server)
            );
        reading_.second.check(*server, served.settings);
    }
}

/// A question within the engine's round: is what it decides from what the log says?
struct Judge::CompareFleet {
    using Outcome = bool;
    static constexpr bool kRefusedFirst = false;
    Judge* judge;
};

core::Result<bool> decide(manager::Turn& turn, Judge::CompareFleet const& command) {
    auto fold = command.judge->reading_.fold;
    for (auto const& event : command.judge->not_yet_seen(turn))
        core::evolve(fold, event);
    return fold == turn.fleet();
}

/// What is on the disk already; then what this round has decided so far.
std::vector<core::Event> Judge::not_yet_seen(manager::Turn& turn) const {
    std::vector<core::Event> events;
    auto const& disk = world_.manager().disk();
    for (auto at = reading_.head.next(); at <= disk.head().sequence; at = at.next())
        events.push_back(read(at));
    events.insert(events.end(), turn.events().begin(), turn.events().end());
    return events;
}

void Judge::told_unchanged(manager::Turn& turn, core::ServerId server, core::PowerStatus target)
    const {
    auto second = reading_.second;
    second.doubt_orders(true);
    for (auto const& event : not_yet_seen(turn))
        second.take(event);
    second.close();
    if (!second.is_unchanged(server, target))
        violated(
            Invariant::AnsweredIsKept,
            fmt::format(
                "{} was told that {} is so already, and it is not",
                to_string(server),
                to_string(target)
            )
        );
}

void Judge::compare_engine() {
    compared_ = world_.schedule().now();
    world_.schedule().after(Time(0), [this] {
        auto* service = world_.manager().service();
        if (!service || !service->is_serving())
            return;
        service->submit(CompareFleet{this}, [](core::Result<bool>&& same) {
            if (same && !*same)
                violated(Invariant::ReplayIsLive, "what is decided from is not what the log says");
        });
    });
}

/// The log from nothing, or what of it was not compacted away, is what is served.
void Judge::compare_replay() {
    core::Fleet fold;
    Transitions transitions;
    auto const take = [&](eventstore::StoredEvent const& stored) {
        core::evolve(fold, stored.event);
        transitions.add(stored.event);
        return true;
    };
    if (auto done = world_.manager().disk().read({1}, reading_.head, take); !done)
        violated(Invariant::ReplayIsLive, done.error().detail);
    auto const* service = world_.manager().service();
    if (!service || !(service->fleet() == fold))
        violated(Invariant::ReplayIsLive, "the log from nothing is not what is served");
    if (transitions != reading_.transitions)
        violated(Invariant::ReplayIsLive, "the log from nothing has other transitions");
}

void Judge::check_notifications() const {
    projections::LogFold fold;
    auto const take = [&](eventstore::StoredEvent const& stored) {
        fold.apply(stored.event);
        return true;
    };
    if (auto done = world_.manager().disk().read({1}, reading_.head, take); !done)
        violated(Invariant::ReplayIsLive, done.error().detail);
    fold.conclude();
    std::map<core::ServerId, std::set<std::string_view>> told;
    for (auto const* item : fold.notifications().items())
        for (auto const server : item->server_ids)
            told[server].insert(to_string(item->kind));
    for (auto const& [id, server] : reading_.fold.servers) {
        auto const status = reading_.second.status(id);
        auto const& kinds = told[id];
        bool const has_reported = bool(reading_.books.at(id).last_heartbeat);
        for (auto const& [trouble, kind] : kTroubles) {
            // An Unknown that has never reported is nobody's trouble (1.2).
            bool const is_so = status == trouble && (trouble != "Unknown" || has_reported);
            bool const is_told =
                kinds.contains(kind) || (is_so && kinds.contains("silence_of_many"));
            if (is_so != is_told)
                violated(
                    Invariant::EveryRequestEnds,
                    fmt::format(
                        "{} is {}, and people are {}told of {}",
                        server.config.name,
                        status,
                        is_told ? "" : "not ",
                        kind
                    )
                );
        }
    }
}

} // namespace cpm::sim
