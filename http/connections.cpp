#include "http/connections.hpp"

#include <algorithm>
#include <string_view>

namespace cpm::http {

Connections::Limits Connections::Limits::within(std::size_t descriptors) const {
    Limits limits = *this;
    auto const free = descriptors > kForTheRest ? descriptors - kForTheRest : 0;
    limits.all = std::min(std::max<std::size_t>(free, 4), all);
    limits.an_address = std::min(an_address, limits.all);
    limits.people = limits.all - (all - people) * limits.all / all;
    return limits;
}

Connections::Place::Place(
    std::shared_ptr<Connections> connections, std::string address, bool is_many
)
    : connections_(std::move(connections))
    , seat_(connections_->seats_.insert(
          connections_->seats_.end(), Seat{.address = std::move(address), .is_many = is_many}
      )) {
    ++connections_->count_;
    ++connections_->by_address_[seat_->address];
}

Connections::Place::~Place() {
    if (!connections_)
        return;
    if (!seat_->is_lost)
        connections_->give_back(*seat_);
    connections_->seats_.erase(seat_);
}

bool Connections::Place::admit(bool is_agent) {
    if (seat_->is_lost)
        return false;
    bool const was_person = seat_->holder == Holder::Person;
    if (is_agent) {
        connections_->people_ -= was_person ? 1 : 0;
        seat_->holder = Holder::Agent;
        return true;
    }
    if (was_person)
        return true;
    if (connections_->people_ >= connections_->limits_.people)
        return false;
    ++connections_->people_;
    seat_->holder = Holder::Person;
    return true;
}

void Connections::give_back(Seat& seat) {
    --count_;
    if (seat.holder == Holder::Person)
        --people_;
    auto const found = by_address_.find(seat.address);
    if (--found->second == 0)
        by_address_.erase(found);
}

/// False when no other address has more of them than the caller's would have with this one.
bool Connections::give_up_one(std::string const& caller) {
    std::unordered_map<std::string_view, std::size_t> unknown;
    for (auto const& seat : seats_)
        if (seat.holder == Holder::Unknown && !seat.is_lost)
            ++unknown[seat.address];
    Seat* loser = nullptr;
    auto most = unknown[caller] + 1;
    for (auto& seat : seats_) {
        bool const can_lose =
            seat.holder == Holder::Unknown && !seat.is_lost && !seat.is_many && seat.on_lost;
        if (!can_lose || unknown[seat.address] <= most)
            continue;
        loser = &seat; // the oldest of its address: the next ones have no more
        most = unknown[seat.address];
    }
    if (!loser)
        return false;
    loser->is_lost = true;
    give_back(*loser);
    loser->on_lost();
    return true;
}

std::variant<Connections::Place, std::string> Connections::take(
    std::shared_ptr<Connections> const& connections, std::string const& address, bool is_many
) {
    auto const found = connections->by_address_.find(address);
    auto const same = found == connections->by_address_.end() ? 0 : found->second;
    if (!is_many && same >= connections->limits_.an_address)
        return "all " + std::to_string(connections->limits_.an_address) +
               " connections of the address " + address + " are taken";
    if (connections->count_ >= connections->limits_.all && !connections->give_up_one(address))
        return "all " + std::to_string(connections->limits_.all) + " connections are taken";
    return Place(connections, address, is_many);
}

} // namespace cpm::http
