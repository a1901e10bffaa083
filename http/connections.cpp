#include "http/connections.hpp"

#include <algorithm>

namespace cpm::http {

Connections::Limits Connections::Limits::within(std::size_t descriptors) const {
    Limits limits = *this;
    auto const free = descriptors > kForTheRest ? descriptors - kForTheRest : 0;
    limits.all = std::min(std::max<std::size_t>(free, 4), all);
    limits.an_address = std::min(an_address, limits.all);
    limits.people = limits.all - (all - people) * limits.all / all;
    return limits;
}

Connections::Place::Place(std::shared_ptr<Connections> connections, std::string address)
    : connections_(std::move(connections))
    , address_(std::move(address)) {
    ++connections_->count_;
    ++connections_->by_address_[address_];
}

Connections::Place::~Place() {
    if (!connections_)
        return;
    --connections_->count_;
    if (holder_ == Holder::Person)
        --connections_->people_;
    auto const found = connections_->by_address_.find(address_);
    if (--found->second == 0)
        connections_->by_address_.erase(found);
}

bool Connections::Place::admit(bool is_agent) {
    bool const was_person = holder_ == Holder::Person;
    if (is_agent) {
        connections_->people_ -= was_person ? 1 : 0;
        holder_ = Holder::Agent;
        return true;
    }
    if (was_person)
        return true;
    if (connections_->people_ >= connections_->limits_.people)
        return false;
    ++connections_->people_;
    holder_ = Holder::Person;
    return true;
}

std::variant<Connections::Place, std::string> Connections::take(
    std::shared_ptr<Connections> const& connections, std::string const& address, bool is_many
) {
    if (connections->count_ >= connections->limits_.all)
        return "all " + std::to_string(connections->limits_.all) + " connections are taken";
    auto const found = connections->by_address_.find(address);
    auto const same = found == connections->by_address_.end() ? 0 : found->second;
    if (!is_many && same >= connections->limits_.an_address)
        return "all " + std::to_string(connections->limits_.an_address) +
               " connections of the address " + address + " are taken";
    return Place(connections, address);
}

} // namespace cpm::http
