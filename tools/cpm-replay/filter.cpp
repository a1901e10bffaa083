#include "tools/cpm-replay/filter.hpp"

#include "projections/event_text.hpp"

#include <algorithm>
#include <limits>

namespace cpm::replay {
namespace {

bool is_in(std::vector<std::string> const& list, std::string_view text) {
    return list.empty() || std::ranges::find(list, text) != list.end();
}

bool is_caused_by(std::vector<std::string> const& wanted, core::Actor const& actor) {
    // A user may be called "timer"; "timer" alone still means the timer, "user:timer" the user.
    bool const is_person =
        actor.kind == core::ActorKind::User || actor.kind == core::ActorKind::Token;
    return is_in(wanted, projections::to_text(actor)) || (is_person && is_in(wanted, actor.name));
}

core::Sequence sequence_or(std::optional<Moment> const& moment, core::Sequence otherwise) {
    auto const* sequence = moment ? std::get_if<core::Sequence>(&*moment) : nullptr;
    return sequence ? *sequence : otherwise;
}

} // namespace

bool Filter::passes(core::Event const& event) const {
    auto const* from = options_.from ? std::get_if<core::WallTime>(&*options_.from) : nullptr;
    auto const* to = options_.to ? std::get_if<core::WallTime>(&*options_.to) : nullptr;
    return event.sequence >= first() && event.sequence <= last() && (!from || event.at >= *from) &&
           (!to || event.at <= *to) && servers_.has(event.server) &&
           is_in(options_.families, to_string(core::family_of(event.payload))) &&
           is_in(options_.types, core::type_name(event.payload)) &&
           is_caused_by(options_.actors, event.actor);
}

core::Sequence Filter::first() const {
    return sequence_or(options_.from, {1});
}

core::Sequence Filter::last() const {
    return sequence_or(options_.to, {std::numeric_limits<std::uint64_t>::max()});
}

} // namespace cpm::replay
