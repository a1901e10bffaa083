#include "tools/cpm-manager/service_manager.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <systemd/sd-daemon.h>

namespace cpm::tools {
namespace {

void notify(std::string const& state) {
    // Without NOTIFY_SOCKET it does nothing; systemd notices itself when it does not hear.
    (void)::sd_notify(0, state.c_str());
}

} // namespace

ServiceManager::ServiceManager() {
    std::uint64_t microseconds = 0;
    // A quarter: a busy moment is no reason to be killed.
    if (::sd_watchdog_enabled(0, &microseconds) > 0)
        feed_every_ = std::chrono::microseconds(microseconds) / 4;
}

void ServiceManager::ready(std::string_view status) const {
    notify(fmt::format("READY=1\nSTATUS={}", status));
}

void ServiceManager::status(std::string_view status) const {
    notify(fmt::format("STATUS={}", status));
}

void ServiceManager::stopping() const {
    notify("STOPPING=1\nSTATUS=answering what was asked, then stopping");
}

void ServiceManager::feed(core::MonoTime now) {
    if (feed_every_.count() == 0 || now - fed_ < feed_every_)
        return;
    fed_ = now;
    notify("WATCHDOG=1");
}

} // namespace cpm::tools
