#include "http/link.hpp"

namespace cpm::http {

Link::Link(Door& door, asio::ip::tcp::socket socket)
    : door_(door)
    , socket_(std::move(socket))
    , timer_(door.app.io) {
    door_.links.insert(this);
}

Link::~Link() {
    door_.links.erase(this);
    if (door_.stopping && door_.links.empty())
        door_.on_drained();
}

void Link::begin(core::milliseconds limit) {
    limit_ = limit;
    expired_ = false;
    running_ = true;
    arm();
}

void Link::pause() {
    running_ = false;
    ++generation_;
    timer_.cancel();
}

void Link::restart() {
    if (running_ && !expired_)
        arm();
}

void Link::stop() {
    if (idle_)
        socket_.cancel();
}

void Link::arm() {
    timer_.expires_after(limit_);
    auto self = weak_from_this(); // a connection that ended does not wait for its deadline
    timer_.async_wait([self, generation = ++generation_](boost::system::error_code error) {
        auto const link = self.lock();
        if (link && !error)
            link->on_timer(generation);
    });
}

void Link::on_timer(std::uint64_t generation) {
    if (generation != generation_)
        return;
    if (door_.has_stalled(door_.app.clock.now().mono)) {
        arm();
        return;
    }
    expired_ = true;
    socket_.cancel();
}

} // namespace cpm::http
